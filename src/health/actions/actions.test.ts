import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#kube/port.ts';
import type { ResourceCustomization } from '#model/argocd/settings.ts';
import type { HealthContext } from '../assess.ts';
import { actionPatches, actionsFor, runAction } from './actions.ts';
import { builtInActions } from './built-in.ts';

const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);

function context(...customizations: ResourceCustomization[]): HealthContext {
  return { settings: { customizations, data: {} }, nowMs };
}

function objectOf(groupKind: string, fields: Record<string, unknown> = {}): KubeObject {
  const [group = '', kind = ''] = groupKind.split('/');
  const metadata = { name: 'x', namespace: 'n', uid: 'u', generation: 2 };
  return { apiVersion: `${group}/v1`, kind, metadata, ...fields };
}

/** What an action changes, as a merge patch. */
function change(object: KubeObject, name: string, parameters: Record<string, string> = {}): unknown {
  const [result, ...more] = runAction(object, { name, parameters }, context());
  assert.deepEqual([result?.operation, more.length], ['patch', 0]);
  const { rest, status } = actionPatches(object, result?.object ?? object);
  return { ...rest, ...status };
}

const annotated = (name: string, value: string | null) => ({ metadata: { annotations: { [name]: value } } });
const template = { spec: { template: { metadata: { labels: { a: 'b' } } } } };

const changes: readonly (readonly [
  object: KubeObject,
  action: string,
  want: unknown,
  parameters?: Record<string, string>,
])[] = [
  [
    objectOf('apps/Deployment', template),
    'restart',
    {
      spec: {
        template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-01-02T03:04:05Z' } } },
      },
    },
  ],
  [objectOf('apps/Deployment', { spec: { paused: true } }), 'resume', { spec: { paused: null } }],
  [objectOf('apps/StatefulSet', { spec: { replicas: 1 } }), 'scale', { spec: { replicas: 6 } }, { replicas: '6' }],
  [objectOf('batch/CronJob', { spec: {} }), 'suspend', { spec: { suspend: true } }],
  [
    objectOf('argoproj.io/Rollout', { spec: { paused: true }, status: { pauseConditions: [{ reason: 'x' }] } }),
    'resume',
    { spec: { paused: false }, status: { pauseConditions: null } },
  ],
  [
    objectOf('argoproj.io/Rollout', { spec: {}, status: { observedGeneration: '2' } }),
    'promote-full',
    { status: { promoteFull: true } },
  ],
  [
    objectOf('argoproj.io/Rollout', {
      spec: { strategy: { canary: { steps: [1, 2] } } },
      status: { currentStepIndex: 0 },
    }),
    'skip-current-step',
    { status: { currentStepIndex: 1 } },
  ],
  [
    objectOf('argoproj.io/Application', { spec: { syncPolicy: { automated: {} } } }),
    'toggle-auto-sync',
    { spec: { syncPolicy: { automated: { enabled: false } } } },
  ],
  [objectOf('external-secrets.io/ExternalSecret'), 'refresh', annotated('force-sync', '2026-01-02T03:04:05Z')],
  [
    objectOf('kustomize.toolkit.fluxcd.io/Kustomization'),
    'reconcile',
    annotated('reconcile.fluxcd.io/requestedAt', 'By Argo CD at: 2026-01-02T03:04:05'),
  ],
  [
    objectOf('keda.sh/ScaledObject'),
    'paused-replicas',
    annotated('autoscaling.keda.sh/paused-replicas', '3'),
    { replicas: '3' },
  ],
  [
    objectOf('postgresql.cnpg.io/Cluster', {
      status: { currentPrimary: 'x-2', instancesStatus: { healthy: ['x-1', 'x-2'] } },
    }),
    'promote',
    {
      status: {
        targetPrimary: 'x-1',
        targetPrimaryTimestamp: '2026-01-02T03:04:05Z',
        phase: 'Switchover in progress',
        phaseReason: 'Switching over to x-1',
      },
    },
    { instance: 'any' },
  ],
];

for (const [object, action, want, parameters] of changes)
  test(`${object.kind} ${action}`, () => {
    const before = structuredClone(object);
    assert.deepEqual(change(object, action, parameters), want);
    assert.deepEqual(object, before, 'the object itself stays as it is');
  });

const names = (object: KubeObject) =>
  actionsFor(object, context()).map(({ name, disabled }) => (disabled === true ? `-${name}` : name));

const offers: readonly (readonly [object: KubeObject, want: readonly string[]])[] = [
  [objectOf('apps/Deployment', { spec: {} }), ['restart', 'pause', '-resume', 'scale']],
  [objectOf('batch/CronJob', { spec: { suspend: true } }), ['create-job', 'resume']],
  [objectOf('batch/Job', { spec: {}, status: { conditions: [{ type: 'Complete', status: 'True' }] } }), []],
  [objectOf('batch/Job', { spec: {}, status: {} }), ['suspend', 'terminate']],
  [
    objectOf('argoproj.io/Rollout', {
      spec: { strategy: { canary: {} } },
      status: { currentPodHash: 'a', stableRS: 'a' },
    }),
    ['restart', '-resume', '-abort', '-retry', '-pause', '-promote-full', '-skip-current-step'],
  ],
  [
    objectOf('argoproj.io/Rollout', {
      spec: { strategy: { canary: { steps: [1] } } },
      status: {
        currentPodHash: 'b',
        stableRS: 'a',
        currentStepIndex: 0,
        pauseConditions: [{}],
        observedGeneration: '2',
      },
    }),
    ['restart', 'resume', 'abort', '-retry', 'pause', 'promote-full', 'skip-current-step'],
  ],
  [objectOf('external-secrets.io/ExternalSecret', { spec: { refreshInterval: '0s' } }), ['-refresh']],
  [objectOf('example.org/Thing'), []],
];

for (const [object, want] of offers)
  test(`${object.kind} offers ${want.join(' ') || 'nothing'}`, () => assert.deepEqual(names(object), want));

test('a CronJob makes a Job of its own', () => {
  const jobTemplate = {
    metadata: { labels: { app: 'a' } },
    spec: { template: { spec: { volumes: [{ emptyDir: {} }] } } },
  };
  const cron = { ...objectOf('batch/CronJob', { spec: { jobTemplate } }), apiVersion: 'batch/v1' };
  assert.deepEqual(runAction(cron, { name: 'create-job' }, context()), [
    {
      operation: 'create',
      object: {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: {
          name: 'x-2601020304',
          namespace: 'n',
          labels: { app: 'a' },
          annotations: { 'cronjob.kubernetes.io/instantiate': 'manual' },
          ownerReferences: [
            {
              apiVersion: 'batch/v1',
              kind: 'CronJob',
              name: 'x',
              uid: 'u',
              blockOwnerDeletion: true,
              controller: true,
            },
          ],
        },
        spec: jobTemplate.spec,
      },
    },
  ]);
});

test('what cannot be done is said in the action’s own words', () => {
  const scale = (replicas: string) =>
    runAction(objectOf('apps/Deployment'), { name: 'scale', parameters: { replicas } }, context());
  assert.throws(() => scale('many'), /^AppError: invalid number: many$/);
  assert.throws(() => scale(''), /invalid number/);
  assert.throws(() => runAction(objectOf('apps/DaemonSet'), { name: 'scale' }, context()), /has no action "scale"/);
});

test('no built-in action stumbles over an object without spec and status', () => {
  for (const [groupKind, actions] of Object.entries(builtInActions)) {
    const object = objectOf(groupKind);
    assert.doesNotThrow(() => actionsFor(object, context()), groupKind);
    const named = actions.map(({ name }) => name);
    assert.equal(new Set(named).size, named.length, `${groupKind} has two actions of one name`);
  }
});

const own = (actions: string): ResourceCustomization => ({ group: 'apps', kind: 'Deployment', actions });
const scripts = `
discovery.lua: |
  local actions = {}
  actions["turn"] = {["disabled"] = obj.spec.turned == true, ["displayName"] = "Turn"}
  actions["restart"] = {["iconClass"] = "own"}
  actions["bare"] = {}
  return actions
definitions:
- name: turn
  action.lua: |
    obj.spec.turned = actionParams["how"] or true
    return obj
- name: copy
  action.lua: |
    return {
      {operation = "create", resource = {apiVersion = "v1", kind = "ConfigMap", metadata = {name = obj.metadata.name .. "-copy"}}},
      {operation = "patch", resource = obj},
    }
- name: other
  action.lua: |
    obj.metadata.name = "y"
    return obj
- name: wrong
  action.lua: return {{operation = "delete", resource = obj}}
- name: fails
  action.lua: error("not today", 0)
- name: endless
  action.lua: while true do end
`;
const deployment = {
  ...objectOf('apps/Deployment', { spec: { template: { spec: { volumes: [{ emptyDir: {} }], args: [] } } } }),
};

test('a team’s own actions stand instead of the built-in ones', () => {
  assert.deepEqual(
    actionsFor(deployment, context(own(scripts))).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    [{ name: 'bare' }, { name: 'restart', iconClass: 'own' }, { name: 'turn', displayName: 'Turn' }],
  );
  const merged = actionsFor(deployment, context(own(`mergeBuiltinActions: true\n${scripts}`)));
  assert.deepEqual(
    merged
      .map(({ name, iconClass }) => `${name} ${iconClass ?? ''}`)
      .filter((text) => /restart|scale|pause/.test(text)),
    ['restart own', 'pause fa fa-fw fa-pause-circle', 'scale fa fa-fw fa-plus-circle'],
  );
});

test('a team’s own action gives a changed object, or operations', () => {
  const run = (name: string, parameters = {}) => runAction(deployment, { name, parameters }, context(own(scripts)));
  const [turned] = run('turn', { how: 'left' });
  assert.deepEqual(actionPatches(deployment, turned?.object ?? deployment), {
    rest: { spec: { turned: 'left' } },
    status: undefined,
  });
  assert.deepEqual(
    run('copy').map(({ operation, object }) => `${operation} ${object.kind} ${object.metadata.name}`),
    ['create ConfigMap x-copy', 'patch Deployment x'],
  );
  assert.throws(() => run('other'), /may only change Deployment x/);
  assert.throws(() => run('wrong'), /unsupported operation: "delete"/);
  assert.throws(() => run('fails'), /^AppError: not today$/);
  assert.throws(() => run('endless'), /deadline exceeded/);
  assert.equal(run('pause')[0]?.operation, 'patch', 'built-in ones can be run all the same');
});
