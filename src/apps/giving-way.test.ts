import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#kube/port.ts';
import type { Application, OperationState } from '#model/argocd/application.ts';
import { parseSyncOptions } from '#model/argocd/sync-options.ts';
import type { SyncTask } from '#sync/task.ts';
import { type GivingWayInput, givesWayTo, retryGivesWay } from './giving-way.ts';
import { endOperation, restartOperation, timeoutDueInMs } from './operation-state.ts';

const now = Date.UTC(2026, 0, 1, 15, 4);
const at = (seconds: number) => new Date(now + seconds * 1000).toISOString();
const application = (automated: Record<string, unknown> | undefined): Application => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'app' },
  spec: { project: 'default', destination: {}, ...(automated ? { syncPolicy: { automated } } : {}) },
});
const state = (fields: Partial<OperationState> = {}): OperationState => ({
  operation: { sync: {}, initiatedBy: { automated: true } },
  phase: 'Running',
  startedAt: at(-60),
  syncResult: { revision: 'old' },
  ...fields,
});
const object: KubeObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'n' } };
const waiting = (fields: Partial<SyncTask> = {}): SyncTask => ({
  key: { group: 'apps', kind: 'Deployment', namespace: 'n', name: 'web' },
  version: 'v1',
  phase: 'Sync',
  wave: 0,
  hook: false,
  deletePolicies: [],
  target: object,
  digest: 'one',
  live: object,
  health: undefined,
  outOfSync: false,
  options: parseSyncOptions([], undefined),
  ...fields,
});
const target = (digest: string | undefined, revision = 'new') => ({
  revisions: [revision],
  resources: digest === undefined ? [] : [{ object, digest }],
});

const rows: { name: string; input: Partial<GivingWayInput>; want: boolean }[] = [
  { name: 'a newer commit changes what is waited for', input: {}, want: true },
  { name: 'a newer commit removes it', input: { newest: target(undefined) }, want: true },
  { name: 'a newer commit leaves it as it is', input: { newest: target('one') }, want: false },
  { name: 'no newer commit', input: { newest: target('two', 'old') }, want: false },
  { name: 'a hook runs', input: { waitingFor: [waiting(), waiting({ hook: true })] }, want: false },
  { name: 'not long enough', input: { state: state({ startedAt: at(-29) }) }, want: false },
  { name: 'a person asked for it', input: { state: state({ operation: { sync: {} } }) }, want: false },
  { name: 'not automatic any more', input: { application: application(undefined) }, want: false },
  { name: 'switched off', input: { application: application({ enabled: false }) }, want: false },
  { name: 'being terminated', input: { state: state({ phase: 'Terminating' }) }, want: false },
];
for (const row of rows)
  test(`giving way: ${row.name}`, () => {
    const input = {
      application: application({}),
      state: state(),
      waitingFor: [waiting()],
      newest: target('two'),
      now,
      ...row.input,
    };
    assert.equal(givesWayTo(input) !== undefined, row.want);
  });

test('a failed automatic sync does not wait for its retry when there is a newer commit', () => {
  const failed = state({ finishedAt: at(-1) });
  const input = { application: application({}), state: failed, newest: target('two') };
  assert.equal(retryGivesWay(input), true);
  assert.equal(retryGivesWay({ ...input, newest: target('two', 'old') }), false);
  assert.equal(retryGivesWay({ ...input, state: state() }), false, 'it runs');
  const operation = { ...failed.operation, retry: { refresh: true } };
  assert.equal(retryGivesWay({ ...input, state: { ...failed, operation } }), false, 'its retry takes the new one');
  assert.equal(retryGivesWay({ ...input, state: { ...failed, operation: { sync: {} } } }), false, 'a person asked');
});

test('messages of retries are those of Argo CD', () => {
  const retry = { limit: 2, backoff: { duration: '5m' } };
  const first = endOperation(state({ operation: { sync: {}, retry } }), 'Failed', 'no', now);
  assert.equal(first.message, 'no. Retrying attempt #1 at 3:07PM.');
  const second = endOperation({ ...first, retryCount: 2 }, 'Failed', 'no', now);
  assert.deepEqual([second.phase, second.message], ['Failed', 'no (retried 2 times).']);
  const wrong = endOperation(
    state({ operation: { sync: {}, retry: { limit: 1, backoff: { duration: 'soon' } } } }),
    'Failed',
    'no',
    now,
  );
  assert.equal(wrong.phase, 'Error');
  assert.match(wrong.message ?? '', /^no \(failed to retry: .*"soon"/);
});

test('a retry starts without results: at its commits, or with refresh at the branch', () => {
  const failed = state({
    retryCount: 3,
    finishedAt: at(0),
    operation: { sync: { revision: 'old', prune: true } },
    syncResult: { revision: 'old', resources: [] },
  });
  const again = restartOperation(failed);
  assert.deepEqual([again.message, again.finishedAt], ['Retrying operation. Attempt #3', undefined]);
  assert.equal(again.syncResult?.revision, 'old');
  const fresh = restartOperation({ ...failed, operation: { ...failed.operation, retry: { refresh: true } } });
  assert.equal(fresh.message, 'Retrying operation with latest revisions. Attempt #3');
  assert.deepEqual([fresh.syncResult, fresh.operation.sync], [undefined, { prune: true }]);
});

test('the time limit counts from the start of an operation, retries and all', () => {
  assert.equal(timeoutDueInMs(state(), 0, now), undefined);
  assert.equal(timeoutDueInMs(state(), 90_000, now), 30_000);
  assert.equal(timeoutDueInMs(state({ finishedAt: at(0) }), 60_000, now), 0);
  assert.equal(timeoutDueInMs(state({ phase: 'Terminating' }), 60_000, now), undefined);
});
