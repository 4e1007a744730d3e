import { AppError } from '#base/errors.ts';
import { cloneJson } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { at, items, matches, present, textAt } from '../rules.ts';
import {
  type ActionResult,
  annotating,
  type BuiltInAction,
  icon,
  patched,
  replicasOf,
  restartedAt,
  seconds,
  setting,
  withField,
} from './action.ts';
import { fluxActions } from './flux.ts';
import { numaprojActions } from './numaproj.ts';
import { createJob, createWorkflow } from './owned-object.ts';
import { postgresActions } from './postgres.ts';
import { rolloutActions } from './rollout.ts';

const isTrue = (path: string) => (object: KubeObject) => at(object, path) === true;
const isFalse = (path: string) => (object: KubeObject) => at(object, path) !== true;

const restart: BuiltInAction = {
  name: 'restart',
  iconClass: icon('redo'),
  run: (object, { nowMs }) =>
    patched(withField(object, ['spec', 'template', 'metadata', 'annotations', restartedAt], `${seconds(nowMs)}Z`)),
};

const scale: BuiltInAction = {
  name: 'scale',
  iconClass: icon('plus-circle'),
  params: () => [{ name: 'replicas' }],
  run: (object, input) => patched(withField(object, ['spec', 'replicas'], replicasOf(input))),
};

const workflow: BuiltInAction = {
  name: 'create-workflow',
  displayName: 'Create Workflow',
  iconClass: icon('plus'),
  run: (object, { nowMs }) => createWorkflow(object, nowMs),
};

const suspending = (labels: { suspend?: string; resume?: string } = {}): BuiltInAction[] => [
  {
    name: 'suspend',
    iconClass: icon('pause'),
    ...(labels.suspend === undefined ? {} : { displayName: labels.suspend }),
    offered: isFalse('spec.suspend'),
    run: setting(['spec', 'suspend'], true),
  },
  {
    name: 'resume',
    iconClass: icon('play'),
    ...(labels.resume === undefined ? {} : { displayName: labels.resume }),
    offered: isTrue('spec.suspend'),
    run: setting(['spec', 'suspend'], false),
  },
];

const ended = matches('Complete,Failed,FailureTarget,SuccessCriteriaMet=True');
const isUnfinished = (object: KubeObject) => !items(object, 'status.conditions').some(ended);

function terminateJob(object: KubeObject, nowMs: number): ActionResult[] {
  if (!present(object, 'status') || !isUnfinished(object)) return patched(cloneJson(object));
  const condition = {
    lastTransitionTime: `${seconds(nowMs)}Z`,
    message: 'Job was terminated explicitly through Argo CD',
    reason: 'ManuallyTerminated',
    status: 'True',
    type: 'FailureTarget',
  };
  return patched(withField(object, ['status', 'conditions'], [...items(object, 'status.conditions'), condition]));
}

const isAutoSynced = (object: KubeObject) =>
  present(object, 'spec.syncPolicy.automated') && at(object, 'spec.syncPolicy.automated.enabled') !== false;

const forceSync: BuiltInAction['run'] = (object, { nowMs }) =>
  patched(withField(object, ['metadata', 'annotations', 'force-sync'], `${seconds(nowMs)}Z`));

const isNever = (object: KubeObject) => /^0(?:ns|us|µs|ms|s|m|h)?$/.test(textAt(object, 'spec.refreshInterval') ?? '');

const kedaPaused = 'autoscaling.keda.sh/paused';
const kedaReplicas = 'autoscaling.keda.sh/paused-replicas';
const isKedaPaused = (object: KubeObject) => object.metadata.annotations?.[kedaPaused] === 'true';
const isKedaHeld = (object: KubeObject) =>
  isKedaPaused(object) || object.metadata.annotations?.[kedaReplicas] !== undefined;

function holdReplicas(object: KubeObject, given: string | undefined): ActionResult[] {
  if (given === undefined) throw new AppError('bad-input', 'replicas parameter is required');
  const number = given.trim() === '' ? Number.NaN : Number(given);
  if (Number.isNaN(number) || number < 0) throw new AppError('bad-input', `invalid number: ${given} (must be >= 0)`);
  return patched(withField(object, ['metadata', 'annotations', kedaReplicas], String(number)));
}

const kedaPause = (disabled: (object: KubeObject) => boolean): BuiltInAction => ({
  name: 'pause',
  iconClass: icon('pause-circle'),
  disabled,
  run: annotating(kedaPaused, 'true'),
});

/** The actions that come with Slipway, by `group/Kind`: those of Argo CD, under its names. */
export const builtInActions: Readonly<Record<string, readonly BuiltInAction[]>> = {
  'apps/Deployment': [
    restart,
    {
      name: 'pause',
      iconClass: icon('pause-circle'),
      disabled: isTrue('spec.paused'),
      run: setting(['spec', 'paused'], true),
    },
    {
      name: 'resume',
      iconClass: icon('play-circle'),
      disabled: isFalse('spec.paused'),
      run: setting(['spec', 'paused'], undefined),
    },
    scale,
  ],
  'apps/StatefulSet': [restart, scale],
  'apps/DaemonSet': [restart],
  'batch/CronJob': [
    {
      name: 'create-job',
      displayName: 'Create Job',
      iconClass: icon('plus'),
      run: (object, { nowMs }) => createJob(object, nowMs),
    },
    ...suspending(),
  ],
  'batch/Job': [
    ...suspending().map((action) => ({
      ...action,
      offered: (object: KubeObject) => isUnfinished(object) && action.offered?.(object) === true,
    })),
    {
      name: 'terminate',
      iconClass: icon('stop'),
      offered: (object) => present(object, 'status') && isUnfinished(object),
      run: (object, { nowMs }) => terminateJob(object, nowMs),
    },
  ],
  'argoproj.io/Rollout': rolloutActions,
  'argoproj.io/AnalysisRun': [
    {
      name: 'terminate',
      disabled: (object) =>
        at(object, 'spec.terminate') === true ||
        ['Successful', 'Failed', 'Error', 'Inconclusive'].includes(textAt(object, 'status.phase') ?? ''),
      run: setting(['spec', 'terminate'], true),
    },
  ],
  'argoproj.io/Application': [
    {
      name: 'toggle-auto-sync',
      run: (object) =>
        patched(withField(object, ['spec', 'syncPolicy', 'automated', 'enabled'], !isAutoSynced(object))),
    },
  ],
  'argoproj.io/CronWorkflow': [workflow],
  'argoproj.io/WorkflowTemplate': [workflow],
  'core.strimzi.io/StrimziPodSet': [
    {
      name: 'rolling-update',
      disabled: (object) => object.metadata.annotations?.['strimzi.io/manual-rolling-update'] === 'true',
      run: annotating('strimzi.io/manual-rolling-update', 'true'),
    },
  ],
  'external-secrets.io/ExternalSecret': [
    {
      name: 'refresh',
      disabled: (object) => isNever(object) && textAt(object, 'spec.refreshPolicy') !== 'OnChange',
      run: forceSync,
    },
  ],
  'external-secrets.io/PushSecret': [{ name: 'push', disabled: isNever, run: forceSync }],
  'k8s.mariadb.com/MariaDB': suspending({ suspend: 'Suspend', resume: 'Resume' }),
  'keda.sh/ScaledJob': [
    kedaPause(isKedaPaused),
    {
      name: 'resume',
      iconClass: icon('play-circle'),
      disabled: (object) => !isKedaPaused(object),
      run: annotating(kedaPaused, undefined),
    },
  ],
  'keda.sh/ScaledObject': [
    kedaPause(isKedaHeld),
    {
      name: 'paused-replicas',
      iconClass: icon('pause-circle'),
      disabled: isKedaPaused,
      params: (object) => [{ name: 'replicas', default: object.metadata.annotations?.[kedaReplicas] ?? '0' }],
      run: (object, { parameters }) => holdReplicas(object, parameters['replicas']),
    },
    {
      name: 'resume',
      iconClass: icon('play-circle'),
      disabled: (object) => !isKedaHeld(object),
      run: (object) => {
        const moving = withField(object, ['metadata', 'annotations', kedaPaused], undefined);
        return patched(withField(moving, ['metadata', 'annotations', kedaReplicas], undefined));
      },
    },
  ],
  'postgresql.cnpg.io/Cluster': postgresActions,
  'promoter.argoproj.io/PullRequest': [
    {
      name: 'merge',
      displayName: 'Merge PR',
      iconClass: icon('code-merge'),
      disabled: (object) => textAt(object, 'spec.state') !== 'open',
      run: setting(['spec', 'state'], 'merged'),
    },
  ],
  'psmdb.percona.com/PerconaServerMongoDB': [
    {
      name: 'pause',
      iconClass: icon('pause-circle'),
      disabled: isTrue('spec.pause'),
      run: setting(['spec', 'pause'], true),
    },
    {
      name: 'unpause',
      iconClass: icon('play-circle'),
      disabled: isFalse('spec.pause'),
      run: setting(['spec', 'pause'], false),
    },
  ],
  ...fluxActions,
  ...numaprojActions,
};

/** Names that depend on the object. */
export function displayNameOf(groupKind: string, action: BuiltInAction, object: KubeObject): string | undefined {
  if (groupKind !== 'argoproj.io/Application') return action.displayName;
  return isAutoSynced(object) ? 'Disable Auto-Sync' : 'Enable Auto-Sync';
}
