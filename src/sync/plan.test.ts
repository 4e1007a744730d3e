import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Health } from '#health/health.ts';
import type { OperationPhase, ResourceResult } from '#model/argocd/application.ts';
import { annotations } from '#model/argocd/names.ts';
import { parseSyncOptions } from '#model/argocd/sync-options.ts';
import { planSync, planTermination, type SyncPlanInput, type SyncStep } from './plan.ts';
import { resultId, resultOf, type SyncTask } from './task.ts';
import { object, task } from './testing-task.ts';

function plan(tasks: SyncTask[], results: ResourceResult[] = [], more: Partial<SyncPlanInput> = {}) {
  return planSync({
    tasks,
    results: new Map(results.map((result) => [resultId(result), result])),
    operationId: 'op',
    prune: true,
    applyOutOfSyncOnly: false,
    pruneApproved: false,
    ...more,
  });
}

function shape(step: SyncStep): string {
  if (step.kind === 'wait') return `wait: ${step.message}`;
  const cleanup = step.cleanup.map(({ task: { key } }) => ` -${key.name}`).join('');
  if (step.kind === 'finish') return `${step.phase}: ${step.message}${cleanup}`;
  const groups = step.groups.map((group) => group.map(({ kind, task: { key } }) => `${kind} ${key.name}`).join(' + '));
  return `${groups.join(', ')}${step.finishWhenDone ? ' and done' : ''}${cleanup}`;
}

const healthy: Health = { status: 'Healthy' };
const applied = (of: SyncTask, hookPhase: OperationPhase = 'Running') =>
  resultOf(of, { status: 'Synced', message: 'applied', hookPhase });
const live = (
  of: SyncTask,
  health?: Health,
  notes: Record<string, string> = { [annotations.operation]: 'op' },
): SyncTask => ({ ...of, live: object(of.key.kind, of.key.name, notes), health });
const a = task('a', { wave: 0 });
const b = task('b', { wave: 1 });
const hook = (name: string, fields: Partial<SyncTask> = {}) =>
  task(name, { kind: 'Job', hook: true, phase: 'PreSync', deletePolicies: ['BeforeHookCreation'], ...fields });

const going = (of: SyncTask): SyncTask => ({
  ...of,
  live: {
    ...object(of.key.kind, of.key.name),
    metadata: { ...of.live?.metadata, name: of.key.name, deletionTimestamp: 'x' },
  },
});
const held = (of: SyncTask): SyncTask => ({
  ...of,
  live: of.live && { ...of.live, metadata: { ...of.live.metadata, finalizers: ['argocd.argoproj.io/hook-finalizer'] } },
});
const failHook = task('f', { kind: 'Job', phase: 'SyncFail', hook: true, deletePolicies: ['BeforeHookCreation'] });
const refused = resultOf(a, { status: 'SyncFailed', message: 'no', hookPhase: 'Failed' });
const options = (resource: string, ...app: string[]) => ({ options: parseSyncOptions(app, resource) });

const planRows: {
  name: string;
  tasks: SyncTask[];
  results?: ResourceResult[];
  more?: Partial<SyncPlanInput>;
  want: string;
}[] = [
  { name: 'nothing to do', tasks: [], want: 'Succeeded: successfully synced (no more tasks)' },
  { name: 'one wave is done when applied', tasks: [a, task('c')], want: 'apply a + apply c and done' },
  { name: 'kinds one after the other', tasks: [task('s', { kind: 'Secret' }), a], want: 'apply s, apply a and done' },
  { name: 'the first of two waves', tasks: [a, b], want: 'apply a' },
  {
    name: 'the second waits for health',
    tasks: [live(a, { status: 'Progressing' }), b],
    results: [applied(a)],
    want: 'wait: waiting for healthy state of /ConfigMap/a',
  },
  { name: 'the second follows health', tasks: [live(a, healthy), b], results: [applied(a)], want: 'apply b and done' },
  {
    name: 'no health check is as good as healthy',
    tasks: [live(a), b],
    results: [applied(a)],
    want: 'apply b and done',
  },
  {
    name: 'degraded ends it',
    tasks: [live(a, { status: 'Degraded', message: 'crashed' }), b],
    results: [applied(a)],
    want: 'Failed: one or more synchronization tasks completed unsuccessfully, reason: crashed',
  },
  {
    name: 'what disappears ends it',
    tasks: [a, b],
    results: [applied(a)],
    want: 'Failed: one or more synchronization tasks completed unsuccessfully, reason: Resource /ConfigMap/a is missing, it might have been deleted',
  },
  {
    name: 'a refused apply ends it',
    tasks: [a, b],
    results: [resultOf(a, { status: 'SyncFailed', message: 'no', hookPhase: 'Failed' })],
    want: 'Failed: one or more objects failed to apply, reason: no',
  },
  {
    name: 'SyncFail hooks run after a failure',
    tasks: [a, task('f', { phase: 'SyncFail', hook: true })],
    results: [resultOf(a, { status: 'SyncFailed', message: 'no', hookPhase: 'Failed' })],
    want: 'apply f',
  },
  {
    name: 'SyncFail hooks do not run otherwise',
    tasks: [live(a), task('f', { phase: 'SyncFail', hook: true })],
    results: [applied(a, 'Succeeded')],
    want: 'Succeeded: successfully synced (no more tasks)',
  },
  {
    name: 'a hook is waited for',
    tasks: [live(hook('h'), { status: 'Progressing' }), a],
    results: [applied(hook('h'))],
    want: 'wait: waiting for completion of hook /Job/h',
  },
  { name: 'a hook alone in the last wave is waited for', tasks: [hook('h')], want: 'apply h' },
  { name: 'an old hook goes first', tasks: [live(hook('h'), healthy, {}), a], want: 'delete-hook h' },
  { name: 'a hook of this operation stays', tasks: [live(hook('h'), healthy), a], want: 'apply h' },
  {
    name: 'finished hooks with the policy go in the end',
    tasks: [live(hook('h', { deletePolicies: ['HookSucceeded'] }), healthy), a],
    results: [applied(hook('h'), 'Succeeded')],
    want: 'apply a and done -h',
  },
  {
    name: 'a failed hook ends it',
    tasks: [live(hook('h', { deletePolicies: ['HookFailed'] }), { status: 'Degraded', message: 'exit 1' }), a],
    results: [applied(hook('h'))],
    want: 'Failed: one or more synchronization tasks completed unsuccessfully, reason: exit 1 -h',
  },
  { name: 'prunes come before applies', tasks: [a, task('p', { prune: true })], want: 'prune p, apply a and done' },
  {
    name: 'no prune without leave',
    tasks: [task('p', { prune: true })],
    more: { prune: false },
    want: 'skip-prune p and done',
  },
  {
    name: 'Prune=false',
    tasks: [task('p', { prune: true, options: parseSyncOptions([], 'Prune=false') })],
    want: 'skip-prune p and done',
  },
  {
    name: 'Prune=confirm holds its wave',
    tasks: [a, task('p', { prune: true, options: parseSyncOptions([], 'Prune=confirm') })],
    want: 'wait: waiting for pruning confirmation of /ConfigMap/p',
  },
  {
    name: 'Prune=confirm, confirmed',
    tasks: [task('p', { prune: true, options: parseSyncOptions([], 'Prune=confirm') })],
    more: { pruneApproved: true },
    want: 'prune p and done',
  },
  {
    name: 'a pruned object that still goes away is waited for',
    tasks: [going(task('p', { prune: true })), b],
    results: [resultOf(task('p', { prune: true }), { status: 'Pruned', message: 'pruned' })],
    want: 'wait: waiting for deletion of /ConfigMap/p',
  },
  {
    name: 'ApplyOutOfSyncOnly leaves what agrees',
    tasks: [{ ...a, outOfSync: false }, task('c')],
    more: { applyOutOfSyncOnly: true },
    want: 'apply c and done',
  },
  {
    name: 'a pruned object of which the watch has not told yet is waited for',
    tasks: [
      task('p', {
        prune: true,
        live: { ...object('ConfigMap', 'p'), metadata: { name: 'p', namespace: 'n', uid: 'u' } },
      }),
      b,
    ],
    results: [resultOf(task('p', { prune: true }), { status: 'Pruned', message: 'pruned', hookPhase: 'Succeeded' })],
    more: { deleted: new Set(['u']) },
    want: 'wait: waiting for deletion of /ConfigMap/p',
  },
  {
    name: 'what somebody made again under the name of a pruned object holds nothing up',
    tasks: [task('p', { prune: true }), b],
    results: [resultOf(task('p', { prune: true }), { status: 'Pruned', message: 'pruned', hookPhase: 'Succeeded' })],
    want: 'apply b and done',
  },
  {
    name: 'several are counted, a hook is named first',
    tasks: [live(a, { status: 'Progressing' }), live(hook('h', { phase: 'Sync' }), { status: 'Progressing' }), b],
    results: [applied(a), applied(hook('h', { phase: 'Sync' }))],
    want: 'wait: waiting for completion of hook /Job/h and 1 more resources',
  },
  {
    name: 'hooks alone are counted as hooks',
    tasks: [live(hook('h'), { status: 'Progressing' }), live(hook('i'), { status: 'Progressing' })],
    results: [applied(hook('h')), applied(hook('i'))],
    want: 'wait: waiting for completion of hook /Job/h and 1 more hooks',
  },
  {
    name: 'an unknown health fails a hook',
    tasks: [live(hook('h'), { status: 'Unknown', message: 'what' }), a],
    results: [applied(hook('h'))],
    want: 'Failed: one or more synchronization tasks completed unsuccessfully, reason: what',
  },
  {
    name: 'an unknown health keeps a resource waiting',
    tasks: [live(a, { status: 'Unknown', message: 'what' }), b],
    results: [applied(a)],
    want: 'wait: waiting for healthy state of /ConfigMap/a',
  },
  {
    name: 'a suspended hook runs on',
    tasks: [live(hook('h'), { status: 'Suspended' }), a],
    results: [applied(hook('h'))],
    want: 'wait: waiting for completion of hook /Job/h',
  },
  {
    name: 'one step alone does not look at health, even when it degrades',
    tasks: [live(a, { status: 'Progressing' })],
    results: [applied(a)],
    want: 'Succeeded: successfully synced (no more tasks)',
  },
  {
    name: 'a failed wave waits for what runs before it fails',
    tasks: [live(task('r', { wave: 0 }), { status: 'Progressing' }), a, b],
    results: [applied(task('r', { wave: 0 })), refused],
    want: 'wait: waiting for healthy state of /ConfigMap/r',
  },
  {
    name: 'a SyncFail hook of an earlier sync goes first',
    tasks: [a, live(failHook, healthy, {})],
    results: [refused],
    want: 'delete-hook f',
  },
  {
    name: 'SyncFail hooks are waited for',
    tasks: [a, live(failHook, { status: 'Progressing' })],
    results: [refused, applied(failHook)],
    want: 'wait: waiting for completion of hook /Job/f',
  },
  {
    name: 'a failed SyncFail hook is told of too',
    tasks: [a, live(failHook, { status: 'Degraded', message: 'worse' })],
    results: [refused, applied(failHook)],
    want: 'Failed: one or more objects failed to apply, reason: no\none or more SyncFail hooks failed, reason: worse',
  },
  {
    name: 'completed hooks without a policy are let go of in the end',
    tasks: [held(live(hook('h'), healthy)), a],
    results: [applied(hook('h'), 'Succeeded')],
    want: 'apply a and done -h',
  },
  {
    name: 'an old hook that goes is waited for',
    tasks: [going(live(hook('h'), healthy, {})), a],
    want: 'wait: waiting for deletion of hook /Job/h',
  },
  {
    name: 'an old hook that goes, held by its finalizer, is let go of',
    tasks: [held(going(live(hook('h'), healthy, {}))), a],
    want: 'delete-hook h',
  },
  {
    name: 'an old hook without BeforeHookCreation is applied over',
    tasks: [live(hook('h', { deletePolicies: ['HookSucceeded'] }), healthy, {}), a],
    want: 'apply h',
  },
  {
    name: 'hooks run although ApplyOutOfSyncOnly',
    tasks: [
      { ...hook('h'), outOfSync: false },
      { ...a, outOfSync: false },
    ],
    more: { applyOutOfSyncOnly: true },
    want: 'apply h',
  },
  {
    name: 'Prune=confirm of the application, a resource that says true',
    tasks: [task('p', { prune: true, ...options('Prune=true', 'Prune=confirm') })],
    want: 'prune p and done',
  },
  {
    name: 'Replace and Force recreate',
    tasks: [live(task('f', options('Force=true,Replace=true')))],
    want: 'recreate f and done',
  },
  {
    name: 'Replace and Force never recreate a Namespace',
    tasks: [live(task('f', { kind: 'Namespace', ...options('Force=true,Replace=true') }))],
    want: 'replace f and done',
  },
  {
    name: 'Replace and Force',
    tasks: [
      task('r', { options: parseSyncOptions(['Replace=true'], undefined) }),
      live(task('f', { options: parseSyncOptions([], 'Force=true') })),
    ],
    want: 'replace r + apply f and done',
  },
];
for (const row of planRows)
  test(`plan: ${row.name}`, () => {
    assert.equal(shape(plan(row.tasks, row.results, row.more).step), row.want);
  });

test('a plan is the same for the same input, and its results carry what was observed', () => {
  const tasks = [live(a, healthy), b];
  const once = plan(tasks, [applied(a)]);
  assert.deepEqual(plan(tasks, [applied(a)]), once);
  assert.equal(once.results.get('Sync /ConfigMap:n/a')?.hookPhase, 'Succeeded');
});

test('a termination takes the running hooks along and records those that ended as they ended', () => {
  const progressing: Health = { status: 'Progressing' };
  const failing = hook('failed', { deletePolicies: ['HookFailed'] });
  const tasks = [
    held(live(hook('run'), progressing)),
    held(live(hook('done'), healthy)),
    held(live(failing, { status: 'Degraded', message: 'exit 1' })),
    held(live(hook('before'), healthy)),
    held(live(hook('later'), progressing)),
    live(a),
    hook('gone'),
  ];
  const recorded = [
    ...[hook('run'), hook('done'), failing, a, hook('gone')].map((task) => applied(task)),
    applied(hook('before'), 'Succeeded'),
  ];
  const { results, actions } = planTermination(tasks, new Map(recorded.map((result) => [resultId(result), result])));
  assert.deepEqual(
    actions.map(({ kind, task: { key } }) => `${kind} ${key.name}`),
    ['delete-hook run', 'release-hook done', 'delete-hook failed', 'release-hook before'],
  );
  assert.deepEqual(
    [...results.values()].map(({ name, hookPhase, message }) => `${name} ${hookPhase} ${message}`),
    [
      'run Failed Terminated',
      'done Succeeded applied',
      'failed Failed exit 1',
      'a Running applied',
      'gone Failed Terminated',
      'before Succeeded applied',
    ],
  );
});
