import { cloneJson } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { at, generationOf, items, present, textAt } from '../rules.ts';
import { type BuiltInAction, patched, seconds, setting, withField } from './action.ts';

const isPromoted = (object: KubeObject) =>
  textAt(object, 'status.currentPodHash') === textAt(object, 'status.stableRS');
const isAborted = (object: KubeObject) => at(object, 'status.abort') === true;
const steps = (object: KubeObject) => items(object, 'spec.strategy.canary.steps').length;

/** Releases before 1.0 wrote a hash where the generation is now, and know no full promotion. */
function isLegacy(object: KubeObject): boolean {
  const observed = textAt(object, 'status.observedGeneration') ?? '';
  return !/^\d+$/.test(observed) || Number(observed) > (generationOf(object) ?? 0);
}

function isRolloutPaused(object: KubeObject): boolean {
  return present(object, 'status.pauseConditions')
    ? items(object, 'status.pauseConditions').length > 0
    : at(object, 'spec.paused') === true;
}

const unpaused = (object: KubeObject) =>
  items(object, 'status.pauseConditions').length > 0
    ? withField(object, ['status', 'pauseConditions'], undefined)
    : object;

function promote(object: KubeObject): KubeObject {
  if (!present(object, 'status')) return cloneJson(object);
  if (!isLegacy(object)) return withField(object, ['status', 'promoteFull'], true);
  const resumed = withField(object, ['status', 'abort'], undefined);
  return present(object, 'spec.strategy.canary.steps')
    ? withField(resumed, ['status', 'currentStepIndex'], steps(object))
    : resumed;
}

/** argoproj.io/Rollout. */
export const rolloutActions: readonly BuiltInAction[] = [
  {
    name: 'restart',
    displayName: 'Restart Pods',
    run: (object, { nowMs }) => patched(withField(object, ['spec', 'restartAt'], `${seconds(nowMs)}Z`)),
  },
  {
    name: 'resume',
    disabled: (object) => !isRolloutPaused(object),
    run: (object) => {
      const running = unpaused(object);
      return patched(at(object, 'spec.paused') === true ? withField(running, ['spec', 'paused'], false) : running);
    },
  },
  {
    name: 'abort',
    disabled: (object) => isPromoted(object) || isAborted(object),
    run: setting(['status', 'abort'], true),
  },
  {
    name: 'retry',
    disabled: (object) => isPromoted(object) || !isAborted(object),
    run: setting(['status', 'abort'], undefined),
  },
  {
    name: 'pause',
    disabled: (object) => isPromoted(object) || isAborted(object) || at(object, 'spec.paused') === true,
    run: setting(['spec', 'paused'], true),
  },
  {
    name: 'promote-full',
    disabled: (object) => isPromoted(object) || (isLegacy(object) && present(object, 'spec.strategy.blueGreen')),
    run: (object) => patched(promote(object)),
  },
  {
    name: 'skip-current-step',
    disabled: (object) =>
      !present(object, 'spec.strategy.canary.steps') || at(object, 'status.currentStepIndex') === steps(object),
    run: (object) => {
      const index = at(object, 'status.currentStepIndex');
      if (typeof index !== 'number' || index >= steps(object)) return patched(cloneJson(object));
      return patched(withField(unpaused(object), ['status', 'currentStepIndex'], index + 1));
    },
  },
];
