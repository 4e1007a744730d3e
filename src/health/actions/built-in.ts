import { AppError } from '#base/errors.ts';
import { cloneJson, getArray, getObject, getPath, isObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { at, generationOf, items, matches, present, textAt } from '../rules.ts';
import {
  type ActionResult,
  annotating,
  type BuiltInAction,
  patched,
  replicasOf,
  seconds,
  setting,
  withField,
} from './action.ts';
import { fluxActions } from './flux.ts';
import { numaprojActions } from './numaproj.ts';

const icon = (name: string) => `fa fa-fw fa-${name}`;
const isTrue = (path: string) => (object: KubeObject) => at(object, path) === true;
const isFalse = (path: string) => (object: KubeObject) => at(object, path) !== true;

const restartedAt = 'kubectl.kubernetes.io/restartedAt';

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

/** An object that this one owns, named by the minute so that asking twice makes one. */
function owned(owner: KubeObject, made: { apiVersion: string; kind: string; suffix: string; controller: boolean }) {
  const { apiVersion, kind, metadata } = owner;
  const { name, uid } = metadata;
  const controls = made.controller ? { blockOwnerDeletion: true, controller: true } : {};
  return {
    apiVersion: made.apiVersion,
    kind: made.kind,
    name: `${name}-${made.suffix}`,
    namespace: metadata.namespace,
    ownerReferences: [{ apiVersion, kind, name, ...(uid === undefined ? {} : { uid }), ...controls }],
  };
}

const digitsOf = (nowMs: number) => new Date(nowMs).toISOString().replaceAll(/[-:T]/g, '').slice(0, 12);

function created(object: KubeObject): ActionResult[] {
  return [{ operation: 'create', object: cloneJson(object) }];
}

function createJob(object: KubeObject, nowMs: number): ActionResult[] {
  const made = { apiVersion: 'batch/v1', kind: 'Job', suffix: digitsOf(nowMs).slice(2), controller: true };
  const { apiVersion, kind, ...metadata } = owned(object, made);
  const template = getObject(object, 'spec', 'jobTemplate', 'metadata');
  const annotations = { ...getObject(template, 'annotations'), 'cronjob.kubernetes.io/instantiate': 'manual' };
  const labels = isObject(template['labels']) ? { labels: template['labels'] } : {};
  return created(
    plain({
      apiVersion,
      kind,
      metadata: { ...labels, ...metadata, annotations },
      spec: getPath(object, 'spec', 'jobTemplate', 'spec'),
    }),
  );
}

/** As a KubeObject: what has just been put together has texts where the type wants them. */
function plain(made: {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string | undefined; [field: string]: unknown };
  spec: unknown;
}): KubeObject {
  const { namespace, ...metadata } = made.metadata;
  return { ...made, metadata: { ...metadata, ...(namespace === undefined ? {} : { namespace }) } };
}

function createWorkflow(object: KubeObject, nowMs: number): ActionResult[] {
  const suffix = digitsOf(nowMs);
  const { apiVersion, kind, ...metadata } = owned(object, {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Workflow',
    suffix,
    controller: false,
  });
  if (object.kind === 'WorkflowTemplate') {
    const labels = { 'workflows.argoproj.io/workflow-template': object.metadata.name };
    const spec = { workflowTemplateRef: { name: object.metadata.name } };
    return created(plain({ apiVersion, kind, metadata: { ...metadata, labels }, spec }));
  }
  const given = getObject(object, 'spec', 'workflowMetadata');
  const instance = 'workflows.argoproj.io/controller-instanceid';
  const instanceId = object.metadata.labels?.[instance];
  const labels = {
    ...getObject(given, 'labels'),
    'workflows.argoproj.io/cron-workflow': object.metadata.name,
    ...(instanceId === undefined ? {} : { [instance]: instanceId }),
  };
  const annotations = {
    ...getObject(given, 'annotations'),
    'workflows.argoproj.io/scheduled-time': `${seconds(nowMs)}Z`,
  };
  const finalizers = getArray(given, 'finalizers');
  const held = finalizers.length > 0 ? { finalizers } : {};
  const spec = getPath(object, 'spec', 'workflowSpec');
  return created(plain({ apiVersion, kind, metadata: { ...metadata, ...held, labels, annotations }, spec }));
}

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

const isPromoted = (object: KubeObject) =>
  textAt(object, 'status.currentPodHash') === textAt(object, 'status.stableRS');
const isAborted = isTrue('status.abort');
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

const rollout: BuiltInAction[] = [
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

const loop = 'cnpg.io/reconciliationLoop';
const isLoopOff = (object: KubeObject) => object.metadata.annotations?.[loop] === 'disabled';

/** The instance that becomes primary: the next healthy one, or one by its name or number. */
function successor(object: KubeObject, wanted: string): string | undefined {
  const healthy = items(object, 'status.instancesStatus.healthy').filter((name) => typeof name === 'string');
  if (wanted === 'any') {
    const primary = healthy.indexOf(textAt(object, 'status.currentPrimary') ?? '');
    return healthy[primary < 0 ? 0 : (primary + 1) % healthy.length];
  }
  const name = /^\d+$/.test(wanted) ? `${object.metadata.name}-${wanted}` : wanted;
  return healthy.find((candidate) => candidate === name);
}

function promotePostgres(object: KubeObject, input: { wanted: string; nowMs: number }): ActionResult[] {
  const chosen = successor(object, input.wanted);
  if (chosen === undefined)
    throw new AppError('bad-input', `Could not find a healthy instance matching the criteria: ${input.wanted}`);
  const status = {
    ...getObject(object, 'status'),
    targetPrimary: chosen,
    targetPrimaryTimestamp: `${seconds(input.nowMs)}Z`,
    phase: 'Switchover in progress',
    phaseReason: `Switching over to ${chosen}`,
  };
  return patched(withField(object, ['status'], status));
}

const stamping =
  (name: string): BuiltInAction['run'] =>
  (object, { nowMs }) =>
    patched(withField(object, ['metadata', 'annotations', name], `${seconds(nowMs)}Z`));

const postgres: BuiltInAction[] = [
  {
    name: 'restart',
    displayName: 'Rollout restart Cluster',
    iconClass: icon('recycle'),
    run: stamping(restartedAt),
  },
  {
    name: 'reload',
    displayName: 'Reload all Configuration',
    iconClass: icon('rotate-right'),
    run: stamping('cnpg.io/reloadedAt'),
  },
  {
    name: 'promote',
    displayName: 'Promote Replica to Primary',
    iconClass: icon('angles-up'),
    disabled: (object) => items(object, 'status.instancesStatus.healthy').length < 2,
    params: () => [{ name: 'instance', default: 'any' }],
    run: (object, { parameters, nowMs }) => promotePostgres(object, { wanted: parameters['instance'] ?? 'any', nowMs }),
  },
  {
    name: 'suspend',
    displayName: 'Suspend Reconciliation',
    iconClass: icon('pause'),
    offered: (object) => !isLoopOff(object),
    run: annotating(loop, 'disabled'),
  },
  {
    name: 'resume',
    displayName: 'Resume Reconciliation',
    iconClass: icon('play'),
    offered: isLoopOff,
    run: annotating(loop, undefined),
  },
];

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
  'argoproj.io/Rollout': rollout,
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
  'postgresql.cnpg.io/Cluster': postgres,
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
