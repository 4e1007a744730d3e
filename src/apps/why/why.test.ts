import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject } from '#kube/port.ts';
import type { Application, ApplicationStatus } from '#model/argocd/application.ts';
import type { Evidence, EvidenceResource } from './evidence.ts';
import { explainWhy } from './explain.ts';
import { classifyRefusal } from './refusals.ts';

const open = { automated: true, manual: true, description: undefined };

function application(status: ApplicationStatus, more: Partial<Application> = {}): Application {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'web' },
    spec: { project: 'default', destination: {}, syncPolicy: { automated: {} } },
    status,
    ...more,
  };
}

function evidence(given: Partial<Evidence>): Evidence {
  const synced = application({ sync: { status: 'Synced' }, health: { status: 'Healthy' } });
  const rest = { trouble: undefined, windows: open, resources: [], owned: [], events: [] };
  return { application: synced, name: 'web', ...rest, ...given };
}

function resource(kind: string, name: string, more: Partial<EvidenceResource> = {}): EvidenceResource {
  const group = kind === 'Deployment' ? 'apps' : kind === 'Job' ? 'batch' : '';
  const base = { wave: 0, hook: false, health: undefined, live: undefined, requiresPruning: false };
  return { key: { group, kind, name, namespace: 'ns' }, sync: 'Synced', ...base, ...more };
}

function object(kind: string, name: string, more: object, owner?: string): KubeObject {
  const ownerReferences =
    owner === undefined ? [] : [{ apiVersion: 'v1', kind: 'X', name: owner, uid: `uid-${owner}` }];
  const metadata = { name, namespace: 'ns', uid: `uid-${name}`, ownerReferences };
  return { apiVersion: kind === 'Pod' ? 'v1' : 'apps/v1', kind, metadata, ...more };
}

const pod = (name: string, containerStatuses: object[], conditions: object[] = [], phase = 'Running') =>
  object('Pod', name, { status: { phase, containerStatuses, conditions } }, 'rs');

const deploymentOf = (pods: KubeObject[]) => ({
  resources: [
    resource('Deployment', 'web', {
      health: { status: 'Progressing', message: 'waiting for rollout to finish' },
      live: object('Deployment', 'web', {}),
    }),
  ],
  owned: [object('ReplicaSet', 'rs', {}, 'web'), ...pods],
});

const failed = (message: string, hook?: string): Partial<Evidence> => ({
  application: application({
    sync: { status: 'OutOfSync' },
    operationState: {
      operation: {},
      phase: 'Failed',
      message: 'one or more objects failed to apply',
      startedAt: '2026-01-01T00:00:00Z',
      syncResult: {
        resources: [
          {
            ...{
              group: hook ? 'batch' : '',
              version: 'v1',
              kind: hook ? 'Job' : 'ConfigMap',
              namespace: 'ns',
              name: 'x',
            },
            message,
            ...(hook ? { hookType: hook, hookPhase: 'Failed' as const } : { status: 'SyncFailed' as const }),
          },
        ],
      },
    },
  }),
});

const running = (message: string, more: Partial<Evidence> = {}): Partial<Evidence> => ({
  application: application({
    sync: { status: 'OutOfSync' },
    operationState: { operation: {}, phase: 'Running', message, startedAt: '2026-01-01T00:00:00Z' },
  }),
  ...more,
});

const trouble = (code: 'not-found' | 'tool-failed' | 'unauthorized' | 'unavailable', message: string) => ({
  trouble: { code, message, hint: undefined },
});

const outOfSync = (syncPolicy: Application['spec']['syncPolicy'], more: ApplicationStatus = {}) => {
  const app = application({ sync: { status: 'OutOfSync', revision: 'r2' }, ...more });
  return { ...app, spec: { ...app.spec, ...(syncPolicy ? { syncPolicy } : {}) } };
};

const cm = resource('ConfigMap', 'cm', { sync: 'OutOfSync' });

/** Codes in order, and what the first problem and its next step say. */
const cases: [what: string, given: Partial<Evidence>, codes: string[], says?: RegExp, next?: RegExp][] = [
  ['synced and healthy', {}, []],
  [
    'bad values path',
    trouble('not-found', 'helm.valueFiles "values-x.yaml" does not exist: chart/values-x.yaml in http://g at 1234567'),
    ['values-path'],
    /values-x\.yaml/,
    /relative to the chart/,
  ],
  ['path', trouble('not-found', 'source.path "x" does not exist in http://g'), ['path']],
  ['revision', trouble('not-found', 'targetRevision "v9" names no branch, tag or commit'), ['revision']],
  ['template error', trouble('tool-failed', 'helm template c failed: c/templates/a.yaml:3'), ['template'], /a\.yaml:3/],
  ['credentials', trouble('unauthorized', 'http://g/r.git wants credentials'), ['credentials']],
  ['unreachable', trouble('unavailable', 'http://g/r.git cannot be reached: connection refused'), ['unreachable']],
  [
    'a trouble hides what follows from it',
    { ...failed('x'), ...trouble('unavailable', 'no network') },
    ['unreachable'],
  ],
  [
    'project',
    {
      application: application({ conditions: [{ type: 'InvalidSpecError', message: "not permitted in project 'p'" }] }),
    },
    ['project'],
  ],
  [
    'immutable',
    failed('ConfigMap "x" is invalid: data: Forbidden: field is immutable when `immutable` is set'),
    ['immutable-field'],
    /ConfigMap\/x/,
    /Force=true/,
  ],
  [
    'quota',
    failed('pods "x" is forbidden: exceeded quota: small, requested: pods=1'),
    ['quota'],
    /small/,
    /ResourceQuota small/,
  ],
  [
    'admission',
    failed('admission webhook "v.example.com" denied the request: no'),
    ['admission'],
    /denied/,
    /v\.example\.com/,
  ],
  [
    'missing kind',
    failed(
      'The Kubernetes API could not find g/Ghost for requested resource n/x. Make sure the "Ghost" CRD is installed',
    ),
    ['missing-kind'],
  ],
  [
    'missing namespace',
    failed('namespaces "nowhere" not found'),
    ['missing-namespace'],
    /nowhere/,
    /CreateNamespace=true/,
  ],
  [
    'owned field',
    failed('Apply failed with 1 conflict: conflict with "hpa" using apps/v1: .spec.replicas'),
    ['field-owner'],
    /hpa/,
    /out of hpa/,
  ],
  [
    'rbac',
    failed('secrets is forbidden: User "system:x" cannot create resource "secrets"'),
    ['permission'],
    /secrets/,
    /system:x .*create/,
  ],
  [
    'failed hook',
    failed('Job has reached the specified backoff limit', 'PreSync'),
    ['failed-hook'],
    /PreSync hook batch\/Job\/x/,
    /app logs web --kind Job --name x/,
  ],
  [
    'failed hook whose pod cannot pull',
    {
      ...failed('deadline exceeded', 'PreSync'),
      resources: [
        resource('Job', 'x', {
          hook: true,
          health: { status: 'Degraded' },
          live: object('Job', 'x', {}),
        }),
      ],
      owned: [
        object(
          'Pod',
          'x-1',
          {
            status: {
              containerStatuses: [{ name: 'm', image: 'i:1', state: { waiting: { reason: 'ErrImagePull' } } }],
            },
          },
          'x',
        ),
      ],
    },
    ['failed-hook', 'image-pull'],
    /PreSync hook/,
    /tag was pushed/,
  ],
  [
    'waits for an earlier wave, naming what waits and why',
    running('waiting for healthy state of apps/Deployment/web', {
      ...deploymentOf([pod('p', [{ name: 'main', image: 'i:2', state: { waiting: { reason: 'ImagePullBackOff' } } }])]),
      resources: [...deploymentOf([]).resources, resource('ConfigMap', 'later', { wave: 2, sync: 'OutOfSync' })],
    }),
    ['waiting-wave', 'image-pull'],
    /wave 0 until apps\/Deployment\/web is healthy; behind it wait ConfigMap\/later \(wave 2\)/,
    /tag was pushed/,
  ],
  [
    'waits for a hook',
    running('waiting for completion of hook batch/Job/m and 1 more hooks'),
    ['waiting-hook'],
    /batch\/Job\/m and 1 more/,
  ],
  [
    'waits for approval',
    running('waiting for pruning confirmation of ConfigMap/a'),
    ['waiting-approval'],
    /ConfigMap\/a/,
    /confirm-deletion web/,
  ],
  [
    'waits for a finalizer',
    running('waiting for deletion of ConfigMap/a', {
      resources: [
        resource('ConfigMap', 'a', {
          live: { ...object('ConfigMap', 'a', {}), metadata: { name: 'a', finalizers: ['x.io/f'] } },
        }),
      ],
    }),
    ['waiting-deletion'],
    /x\.io\/f/,
  ],
  [
    'held by a window',
    running('Sync operation blocked by sync window', { windows: { ...open, description: 'deny 0 22 * * *' } }),
    ['window'],
    /deny 0 22/,
  ],
  [
    'closed window',
    {
      application: outOfSync({ automated: {} }),
      resources: [cm],
      windows: { automated: false, manual: true, description: 'allow 0 1 * * *' },
    },
    ['window'],
    /allow 0 1/,
    /sync by hand/,
  ],
  ['manual', { application: outOfSync({}), resources: [cm] }, ['manual'], /ConfigMap\/cm differs/, /app diff web/],
  [
    'prune off',
    { application: outOfSync({ automated: {} }), resources: [{ ...cm, requiresPruning: true }] },
    ['prune-off'],
    /left Git/,
    /--prune/,
  ],
  [
    'self-heal off',
    {
      application: outOfSync(
        { automated: {} },
        { operationState: { operation: {}, phase: 'Succeeded', startedAt: '', syncResult: { revision: 'r2' } } },
      ),
      resources: [cm],
    },
    ['self-heal-off'],
  ],
  [
    'somebody else writes the field again and again',
    {
      application: outOfSync(
        { automated: { selfHeal: true } },
        { operationState: { operation: { sync: { autoHealAttemptsCount: 4 } }, phase: 'Succeeded', startedAt: '' } },
      ),
      resources: [
        {
          ...cm,
          live: {
            ...object('ConfigMap', 'cm', {}),
            metadata: {
              name: 'cm',
              managedFields: [
                { manager: 'argocd-controller', time: '2026-01-01T00:00:02Z' },
                { manager: 'keda', time: '2026-01-01T00:00:01Z' },
              ],
            },
          },
        },
      ],
    },
    ['contested'],
    /4 so far\), last by keda/,
    /managedFieldsManagers: \[keda\]/,
  ],
  [
    'crash loop',
    deploymentOf([
      pod('p', [
        {
          name: 'main',
          restartCount: 7,
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: { terminated: { exitCode: 3, message: 'no database' } },
        },
      ]),
    ]),
    ['crash-loop'],
    /container main of Pod p ends with exit code 3 .*7 restarts/,
    /app logs web --kind Pod --name p -c main --previous/,
  ],
  [
    'out of memory',
    deploymentOf([
      pod('p', [
        {
          name: 'main',
          restartCount: 2,
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } },
        },
      ]),
    ]),
    ['out-of-memory'],
  ],
  [
    'no node',
    deploymentOf([
      pod('p', [], [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes are available' }], 'Pending'),
      pod('q', [], [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes are available' }], 'Pending'),
    ]),
    ['unschedulable'],
    /0\/3 nodes are available \(and 1 more like it\)/,
  ],
  [
    'quota keeps pods from being made',
    {
      ...deploymentOf([]),
      owned: [
        object(
          'ReplicaSet',
          'rs',
          {
            status: {
              conditions: [
                { type: 'ReplicaFailure', status: 'True', message: 'pods "p" is forbidden: exceeded quota: small, x' },
              ],
            },
          },
          'web',
        ),
      ],
    },
    ['quota'],
    /cannot create its pods/,
  ],
  ['still on its way', deploymentOf([]), ['progressing'], /waiting for rollout/, /wait/],
  [
    'a check of health that fails',
    {
      resources: [resource('Widget', 'w', { health: { status: 'Unknown', message: '<string>:1: attempt to index' } })],
    },
    ['health-check'],
    /Widget.*<string>:1/,
    /resource\.customizations\.health\.Widget/,
  ],
  [
    'suspended',
    { resources: [resource('Widget', 'w', { health: { status: 'Suspended', message: 'paused' } })] },
    ['suspended'],
    /is suspended: paused/,
    /resume/,
  ],
  [
    'a warning comes last',
    {
      application: application({
        sync: { status: 'Synced' },
        conditions: [{ type: 'SharedResourceWarning', message: 'shared' }],
      }),
      ...deploymentOf([]),
    },
    ['progressing', 'warning'],
  ],
];

describe('why', () => {
  for (const [what, given, codes, says, next] of cases)
    test(what, () => {
      const reasons = explainWhy(evidence(given));
      assert.deepEqual(
        reasons.map(({ code }) => code),
        codes,
      );
      if (says) assert.match(reasons[0]?.problem ?? '', says);
      if (next) assert.match(reasons[0]?.next ?? '', next);
      for (const reason of reasons) assert.doesNotMatch(reason.next, /\bAPP\b/);
    });

  test('the words of an event come along with a pull that fails', () => {
    const broken = pod('p', [{ name: 'main', image: 'i:1', state: { waiting: { reason: 'ErrImagePull' } } }]);
    const event = object('Event', 'e', {
      reason: 'Failed',
      message: 'manifest unknown',
      involvedObject: { uid: 'uid-p' },
    });
    const [reason] = explainWhy(evidence({ ...deploymentOf([broken]), events: [event] }));
    assert.equal(reason?.detail, 'manifest unknown');
  });

  test('a server message of no known kind is classified as none', () => {
    assert.equal(classifyRefusal('the weather is bad'), undefined);
  });
});
