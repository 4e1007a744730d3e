import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#kube/port.ts';
import type { Application, OperationState } from '#model/argocd/application.ts';
import { type AutoSyncInput, decideAutoSync, defaultSelfHeal, selfHealDelayMs } from './auto-sync.ts';
import type { ComparedResource } from './comparison.ts';
import { replaceConditions } from './conditions.ts';
import { DriftTracker, differingFields } from './drift.ts';
import { beginOperation, endOperation, operationId, restartOperation, retryDueInMs } from './operation-state.ts';
import { mayRetry, retryDelayMs } from './retry.ts';
import { historyAfter, withReconciledAt } from './status.ts';

const now = Date.UTC(2026, 0, 1);
const seconds = (count: number) => new Date(now + count * 1000).toISOString().replace('.000', '');
const source = { repoURL: 'https://x/y', path: 'p' };

function application(
  fields: Partial<Application> = {},
  automated: Record<string, unknown> | null = { prune: true, selfHeal: true },
): Application {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'app', namespace: 'argocd', resourceVersion: '7' },
    spec: {
      project: 'default',
      source,
      destination: { name: 'in-cluster' },
      ...(automated ? { syncPolicy: { automated } } : {}),
    },
    ...fields,
  };
}

const object: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'n' } };
function resource(status: ComparedResource['status'], fields: Partial<ComparedResource> = {}): ComparedResource {
  return {
    key: { group: '', kind: 'ConfigMap', namespace: 'n', name: 'a' },
    version: 'v1',
    desired: { object, digest: 'd' },
    live: object,
    status,
    counts: true,
    requiresPruning: false,
    hook: false,
    wave: 0,
    health: undefined,
    difference: undefined,
    ...fields,
  };
}
const toPrune = resource('OutOfSync', { desired: undefined, requiresPruning: true });

function state(phase: OperationState['phase'], fields: Partial<OperationState> = {}): OperationState {
  return {
    operation: { sync: {} },
    phase,
    startedAt: seconds(-1),
    finishedAt: seconds(0),
    message: 'why',
    syncResult: { revision: 'r1', source },
    ...fields,
  };
}
const healed = (count: number) => state('Succeeded', { operation: { sync: { autoHealAttemptsCount: count } } });

const autoSync: { name: string; app: Application; input?: Partial<AutoSyncInput>; want: string }[] = [
  { name: 'first sync', app: application(), want: 'sync' },
  { name: 'not automated', app: application({}, null), want: 'none' },
  { name: 'switched off', app: application({}, { enabled: false }), want: 'none' },
  { name: 'an operation is requested', app: application({ operation: {} }), want: 'none' },
  { name: 'being deleted', app: application({ metadata: { name: 'app', deletionTimestamp: 'x' } }), want: 'none' },
  { name: 'in sync', app: application(), input: { syncStatus: 'Synced' }, want: 'none' },
  { name: 'unknown', app: application(), input: { syncStatus: 'Unknown' }, want: 'none' },
  { name: 'only prunes, and prune is off', app: application({}, {}), input: { resources: [toPrune] }, want: 'none' },
  {
    name: 'all would go',
    app: application(),
    input: { resources: [toPrune] },
    want: 'refuse Skipping sync attempt to [r1]: auto-sync will wipe out all resources',
  },
  {
    name: 'all may go',
    app: application({}, { prune: true, allowEmpty: true }),
    input: { resources: [toPrune] },
    want: 'sync',
  },
  {
    name: 'what is going already is no reason',
    app: application(),
    input: { resources: [{ ...toPrune, live: { ...object, metadata: { name: 'a', deletionTimestamp: 'x' } } }] },
    want: 'none',
  },
  {
    name: 'a new commit',
    app: application({ status: { operationState: state('Succeeded', { syncResult: { revision: 'r0', source } }) } }),
    want: 'sync',
  },
  {
    name: 'a new commit after a failure',
    app: application({ status: { operationState: state('Failed', { syncResult: { revision: 'r0', source } }) } }),
    want: 'sync',
  },
  {
    name: 'another source',
    app: application({
      status: {
        operationState: state('Succeeded', { syncResult: { revision: 'r1', source: { ...source, path: 'q' } } }),
      },
    }),
    want: 'sync',
  },
  {
    name: 'failed for this commit',
    app: application({ status: { operationState: state('Failed') } }),
    want: 'refuse Failed last sync attempt to [r1]: why',
  },
  {
    name: 'drift without selfHeal',
    app: application({ status: { operationState: state('Succeeded') } }, { prune: true }),
    want: 'none',
  },
  {
    name: 'drift: the first heal is immediate',
    app: application({ status: { operationState: state('Succeeded') } }),
    want: 'heal 1 a',
  },
  {
    name: 'drift: the second waits 2 s',
    app: application({ status: { operationState: healed(1) } }),
    want: 'wait 2000',
  },
  {
    name: 'drift: the third waits 6 s',
    app: application({ status: { operationState: healed(2) } }),
    input: { now: now + 1000 },
    want: 'wait 5000',
  },
  {
    name: 'drift: the wait is over',
    app: application({ status: { operationState: healed(2) } }),
    input: { now: now + 6000 },
    want: 'heal 3 a',
  },
];
for (const row of autoSync)
  test(`auto-sync: ${row.name}`, () => {
    const decision = decideAutoSync({
      application: row.app,
      syncStatus: 'OutOfSync',
      revisions: ['r1'],
      resources: [resource('OutOfSync')],
      selfHeal: defaultSelfHeal,
      now,
      ...row.input,
    });
    let got: string = decision.kind;
    if (decision.kind === 'wait') got += ` ${decision.retryAfterMs}`;
    if (decision.kind === 'refuse') got += ` ${decision.message}`;
    if (decision.kind === 'sync' && decision.selfHeal) {
      const { autoHealAttemptsCount, resources } = decision.operation.sync ?? {};
      got = `heal ${autoHealAttemptsCount} ${resources?.map(({ name }) => name).join()}`;
    }
    assert.equal(got, row.want);
  });

test('an automatic sync names commit and source, prunes as told and tries five times', () => {
  const decision = decideAutoSync({
    application: application(),
    syncStatus: 'OutOfSync',
    revisions: ['r1'],
    resources: [resource('OutOfSync')],
    selfHeal: defaultSelfHeal,
    now,
  });
  assert.deepEqual(decision, {
    kind: 'sync',
    selfHeal: false,
    operation: { sync: { revision: 'r1', source, prune: true }, initiatedBy: { automated: true }, retry: { limit: 5 } },
  });
});

test('self-heal delays', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6, 7].map((n) => selfHealDelayMs(n, defaultSelfHeal) / 1000),
    [0, 2, 6, 18, 54, 162, 300, 300],
  );
});

test('retry delays: 5, 10, 20, 40, 80, 160, 180, 180 s; no cap with maxDuration 0', () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6, 7].map((n) => retryDelayMs({}, n) / 1000),
    [5, 10, 20, 40, 80, 160, 180, 180],
  );
  assert.equal(retryDelayMs({ backoff: { duration: '1m', factor: 3, maxDuration: '0' } }, 3), 27 * 60_000);
  assert.deepEqual(
    [
      mayRetry(undefined, 0),
      mayRetry({ limit: 0 }, 0),
      mayRetry({ limit: 2 }, 1),
      mayRetry({ limit: 2 }, 2),
      mayRetry({ limit: -1 }, 99),
    ],
    [false, false, true, false, true],
  );
});

test('a failed operation with tries left runs on, waits, and starts afresh as another one', () => {
  const begun = beginOperation(application(), { sync: {}, retry: { limit: 1, backoff: { duration: '10s' } } }, now);
  const failed = endOperation({ ...begun, syncResult: { revision: 'r1', resources: [] } }, 'Failed', 'no', now);
  assert.deepEqual([failed.phase, failed.retryCount, failed.finishedAt], ['Running', 1, seconds(0)]);
  assert.equal(retryDueInMs(failed, now + 4000), 6000);
  const again = restartOperation(failed);
  assert.equal(again.finishedAt, undefined);
  assert.notEqual(operationId(again), operationId(begun));
  assert.equal(endOperation(again, 'Failed', 'no', now).phase, 'Failed');
  assert.equal(endOperation({ ...begun, phase: 'Terminating' }, 'Failed', 'Operation terminated', now).phase, 'Failed');
});

test('history: complete real successes only, the newest ten', () => {
  const entry = (id: number) => ({ id, revision: `r${id}`, deployedAt: seconds(0) });
  const app = application({ status: { history: Array.from({ length: 10 }, (_, id) => entry(id)) } });
  assert.deepEqual(
    historyAfter(app, state('Succeeded')).map(({ id }) => id),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  for (const other of [
    state('Failed'),
    state('Succeeded', { operation: { sync: { dryRun: true } } }),
    state('Succeeded', { operation: { sync: { resources: [{ kind: 'X', name: 'x' }] } } }),
  ])
    assert.equal(historyAfter(app, other), app.status?.history);
});

test('conditions: a stage replaces only its own types, and an unchanged one keeps its time', () => {
  const old = [
    { type: 'SyncError' as const, message: 's', lastTransitionTime: 'then' },
    { type: 'ComparisonError' as const, message: 'c', lastTransitionTime: 'then' },
  ];
  assert.deepEqual(replaceConditions(old, ['ComparisonError'], [{ type: 'ComparisonError', message: 'c' }], now), [
    old[1],
    old[0],
  ]);
  assert.deepEqual(replaceConditions(old, ['ComparisonError'], [], now), [old[0]]);
  assert.equal(
    replaceConditions(old, ['SyncError'], [{ type: 'SyncError', message: 'new' }], now)[1]?.lastTransitionTime,
    seconds(0),
  );
});

test('reconciledAt moves only with news', () => {
  const before = { reconciledAt: 'then', summary: {} };
  assert.equal(withReconciledAt(before, { ...before }, now).reconciledAt, 'then');
  assert.equal(withReconciledAt(before, { ...before, summary: { images: ['a'] } }, now).reconciledAt, seconds(0));
});

test('drift is a difference under an unchanged wish', () => {
  const tracker = new DriftTracker();
  const at = () => now;
  assert.deepEqual(tracker.update([resource('OutOfSync')], at, now).found, [], 'never agreed');
  tracker.update([resource('Synced')], at, now);
  assert.deepEqual(
    tracker.update([resource('OutOfSync', { desired: { object, digest: 'other' } })], at, now).found,
    [],
    'Git moved',
  );
  const gone = tracker.update([resource('OutOfSync', { live: undefined })], at, now);
  assert.deepEqual(gone.found, [{ key: '/ConfigMap:n/a', name: 'ConfigMap/a', fields: ['missing'], at: now }]);
  assert.deepEqual(tracker.update([resource('OutOfSync', { live: undefined })], at, now).found, [], 'told once');
  assert.equal(tracker.update([resource('Synced')], at, now).settled.length, 1);
});

test('differing fields are named by their path', () => {
  assert.deepEqual(differingFields({ a: { b: 1, c: [1, { d: 1 }] } }, { a: { b: 2, c: [1, { d: 2 }], e: 1 } }), [
    'a.b',
    'a.c[1].d',
    'a.e',
  ]);
});
