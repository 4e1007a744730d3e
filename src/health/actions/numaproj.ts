import { getString } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { textAt } from '../rules.ts';
import { annotating, type BuiltInAction, patched, setting, withField } from './action.ts';

const icon = (name: string) => `fa-solid fa-fw fa-${name}`;
const upgradeState = (object: KubeObject) => object.metadata.labels?.['numaplane.numaproj.io/upgrade-state'] ?? '';
const forcing = 'numaplane.numaproj.io/force-promote';

function forcePromote(displayName?: string): BuiltInAction {
  return {
    name: 'force-promote',
    iconClass: icon('forward'),
    ...(displayName === undefined ? {} : { displayName }),
    disabled: (object) =>
      !['in-progress', 'trial'].includes(upgradeState(object)) || object.metadata.labels?.[forcing] === 'true',
    run: setting(['metadata', 'labels', forcing], 'true'),
  };
}

interface Pausing {
  /** Where the lifecycle stands, and the annotations that say how it may resume. */
  spec: readonly string[];
  metadata: readonly string[];
  allowed: (object: KubeObject) => boolean;
  unpause: (object: KubeObject, fast: boolean) => KubeObject;
}

function pausing({ spec, metadata, allowed, unpause }: Pausing): BuiltInAction[] {
  const phase = [...spec, 'lifecycle', 'desiredPhase'];
  const isPaused = (object: KubeObject) => getString(object, ...phase) === 'Paused';
  const strategies = (object: KubeObject) =>
    getString(object, ...metadata, 'annotations', 'numaflow.numaproj.io/allowed-resume-strategies') ?? '';
  const resuming = (name: string, fast: boolean, can: (strategies: string) => boolean): BuiltInAction => ({
    name: `unpause-${name}`,
    displayName: `Unpause (${name})`,
    iconClass: icon('play'),
    disabled: (object) => !(allowed(object) && isPaused(object) && can(strategies(object))),
    run: (object) => patched(unpause(withField(object, phase, 'Running'), fast)),
  });
  return [
    {
      name: 'pause',
      iconClass: icon('pause'),
      disabled: (object) => !allowed(object) || isPaused(object),
      run: setting(phase, 'Paused'),
    },
    resuming('gradual', false, (found) => found !== 'fast'),
    resuming('fast', true, (found) => found === 'fast' || found === 'slow, fast'),
  ];
}

const isChildOf = (kind: string) => (object: KubeObject) =>
  object.metadata.ownerReferences?.some((owner) => owner.kind === kind) ?? false;

const always = () => true;
const viaStrategy = (object: KubeObject, fast: boolean) =>
  withField(object, ['spec', 'strategy', 'pauseResume', 'fastResume'], fast);
const isPipelineChild = isChildOf('PipelineRollout');
const isMonoVertexChild = isChildOf('MonoVertexRollout');
const dataLoss = 'numaplane.numaproj.io/allow-data-loss';

/** Numaflow's and Numaplane's kinds. */
export const numaprojActions: Readonly<Record<string, readonly BuiltInAction[]>> = {
  'numaflow.numaproj.io/InterStepBufferService': [forcePromote()],
  'numaflow.numaproj.io/MonoVertex': [
    ...pausing({
      spec: ['spec'],
      metadata: ['spec', 'metadata'],
      allowed: (object) => !isMonoVertexChild(object),
      unpause: (object, fast) => (fast ? object : withField(object, ['spec', 'replicas'], undefined)),
    }),
    forcePromote('Force Promote'),
  ],
  'numaflow.numaproj.io/Pipeline': [
    ...pausing({
      spec: ['spec'],
      metadata: ['spec', 'metadata'],
      allowed: (object) => !isPipelineChild(object) || upgradeState(object) === 'recyclable-expired',
      unpause: (object, fast) =>
        withField(object, ['metadata', 'annotations', 'numaflow.numaproj.io/resume-strategy'], fast ? 'fast' : 'slow'),
    }),
    forcePromote('Force Promote'),
    {
      name: 'delete',
      displayName: 'Delete',
      iconClass: icon('trash'),
      disabled: (object) => !['recyclable', 'recyclable-expired'].includes(upgradeState(object)),
      run: annotating('numaplane.numaproj.io/marked-for-deletion', 'true'),
    },
  ],
  'numaplane.numaproj.io/MonoVertexRollout': pausing({
    spec: ['spec', 'monoVertex', 'spec'],
    metadata: ['spec', 'monoVertex', 'metadata'],
    allowed: always,
    unpause: viaStrategy,
  }),
  'numaplane.numaproj.io/PipelineRollout': [
    ...pausing({
      spec: ['spec', 'pipeline', 'spec'],
      metadata: ['spec', 'pipeline', 'metadata'],
      allowed: always,
      unpause: viaStrategy,
    }),
    {
      name: 'allow-data-loss',
      displayName: 'Allow (Possible) Data Loss',
      iconClass: icon('unlock'),
      disabled: (object) => textAt(object, 'status.upgradeInProgress') !== 'PipelinePauseAndDrain',
      run: annotating(dataLoss, 'true'),
    },
    {
      name: 'disallow-data-loss',
      displayName: 'Disallow Data Loss',
      iconClass: icon('lock'),
      disabled: (object) => object.metadata.annotations?.[dataLoss] !== 'true',
      run: annotating(dataLoss, 'false'),
    },
  ],
};
