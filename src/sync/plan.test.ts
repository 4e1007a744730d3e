import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Health } from '#health/health.ts';
import type { KubeObject } from '#kube/port.ts';
import type { OperationPhase, ResourceResult } from '#model/argocd/application.ts';
import { annotations } from '#model/argocd/names.ts';
import { parseSyncOptions } from '#model/argocd/sync-options.ts';
import { orderTasks, withPruneWaves } from './order.ts';
import { planSync, type SyncPlanInput, type SyncStep } from './plan.ts';
import { resultId, resultOf, type SyncTask } from './task.ts';

const object = (kind: string, name: string, notes: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, namespace: 'n', annotations: notes },
});

function task(
  name: string,
  fields: Partial<SyncTask> & { kind?: string; prune?: boolean; options?: SyncTask['options'] } = {},
): SyncTask {
  const { kind = 'ConfigMap', prune = false, ...rest } = fields;
  return {
    key: { group: '', kind, namespace: 'n', name },
    version: 'v1',
    phase: 'Sync',
    wave: 0,
    hook: false,
    deletePolicies: [],
    target: prune ? undefined : object(kind, name),
    live: prune ? object(kind, name) : undefined,
    health: undefined,
    outOfSync: true,
    options: parseSyncOptions([], undefined),
    ...rest,
  };
}

const pruneLast = parseSyncOptions([], 'PruneLast=true');
const waveRows: { name: string; tasks: SyncTask[]; all?: boolean; want: number[] }[] = [
  {
    name: 'prunes alone are mirrored',
    tasks: [0, 1, 2, 3, 4].map((wave) => task(`p${wave}`, { prune: true, wave })),
    want: [4, 3, 2, 1, 0],
  },
  {
    name: 'applies keep their waves',
    tasks: [
      task('a', { wave: 0 }),
      task('b', { wave: 2 }),
      ...[1, 3, 4].map((wave) => task(`p${wave}`, { prune: true, wave })),
    ],
    want: [0, 2, 4, 3, 1],
  },
  {
    name: 'equal waves stay equal',
    tasks: [
      ...[-1, 3, 5].map((wave) => task(`a${wave}`, { wave })),
      ...[1, 3, 3, 4, 5].map((wave, at) => task(`p${at}`, { prune: true, wave })),
    ],
    want: [-1, 3, 5, 5, 4, 4, 3, 1],
  },
  {
    name: 'PruneLast of the application',
    all: true,
    tasks: [task('a'), ...[1, 2, 3, 4].map((wave) => task(`p${wave}`, { prune: true, wave }))],
    want: [0, 5, 5, 5, 5],
  },
  {
    name: 'PruneLast of one resource',
    tasks: [1, 2, 3, 4].map((wave) =>
      task(`p${wave}`, { prune: true, wave, ...(wave === 2 ? { options: pruneLast } : {}) }),
    ),
    want: [4, 5, 2, 1],
  },
];
for (const row of waveRows)
  test(`prune waves: ${row.name}`, () => {
    assert.deepEqual(
      withPruneWaves(row.tasks, row.all ?? false).map(({ wave }) => wave),
      row.want,
    );
  });

const crd = { ...object('CustomResourceDefinition', 'w.x.io'), spec: { group: 'x.io', names: { kind: 'Widget' } } };
const orderRows: { name: string; tasks: SyncTask[]; want: string[] }[] = [
  {
    name: 'kinds by rank, then names',
    tasks: [
      task('z', { kind: 'Deployment' }),
      task('b', { kind: 'Service' }),
      task('a', { kind: 'Service' }),
      task('x', { kind: 'Widget' }),
      task('s', { kind: 'Secret' }),
    ],
    want: ['s', 'a', 'b', 'z', 'x'],
  },
  {
    name: 'phase before wave before kind',
    tasks: [
      task('post', { phase: 'PostSync', wave: -9 }),
      task('late', { wave: 1, kind: 'Secret' }),
      task('early', { wave: 0, kind: 'Ingress' }),
      task('pre', { phase: 'PreSync', wave: 9 }),
    ],
    want: ['pre', 'early', 'late', 'post'],
  },
  {
    name: 'a namespace comes before what is in it',
    tasks: [
      task('early', { wave: -5 }),
      task('n', { kind: 'Namespace', key: { group: '', kind: 'Namespace', name: 'n' }, wave: 3 }),
    ],
    want: ['n', 'early'],
  },
  {
    name: 'a CRD comes before its first object',
    tasks: [
      task('w', { key: { group: 'x.io', kind: 'Widget', name: 'w' }, wave: -1 }),
      task('crd', {
        key: { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition', name: 'crd' },
        target: crd,
        wave: 1,
      }),
    ],
    want: ['crd', 'w'],
  },
];
for (const row of orderRows)
  test(`order: ${row.name}`, () => {
    assert.deepEqual(
      orderTasks(row.tasks).map(({ key }) => key.name),
      row.want,
    );
  });

test('a hoisted namespace takes phase and wave of the first that needs it', () => {
  const ns = task('n', { kind: 'Namespace', key: { group: '', kind: 'Namespace', name: 'n' }, wave: 3 });
  const [first] = orderTasks([task('hook', { phase: 'PreSync', wave: -5, hook: true }), ns]);
  assert.deepEqual([first?.key.name, first?.phase, first?.wave], ['n', 'PreSync', -5]);
});

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
    want: 'wait: waiting for healthy state of ConfigMap/a',
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
    want: 'Failed: one or more synchronization tasks completed unsuccessfully, reason: ConfigMap/a disappeared while the sync was running',
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
    want: 'wait: waiting for completion of hook Job/h',
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
    want: 'wait: waiting for pruning confirmation of ConfigMap/p',
  },
  {
    name: 'Prune=confirm, confirmed',
    tasks: [task('p', { prune: true, options: parseSyncOptions([], 'Prune=confirm') })],
    more: { pruneApproved: true },
    want: 'prune p and done',
  },
  {
    name: 'a pruned object that still goes away is waited for',
    tasks: [task('p', { prune: true }), b],
    results: [resultOf(task('p', { prune: true }), { status: 'Pruned', message: 'pruned' })],
    want: 'wait: waiting for deletion of ConfigMap/p',
  },
  {
    name: 'ApplyOutOfSyncOnly leaves what agrees',
    tasks: [{ ...a, outOfSync: false }, task('c')],
    more: { applyOutOfSyncOnly: true },
    want: 'apply c and done',
  },
  {
    name: 'Replace and Force',
    tasks: [
      task('r', { options: parseSyncOptions(['Replace=true'], undefined) }),
      live(task('f', { options: parseSyncOptions([], 'Force=true') })),
    ],
    want: 'replace r + recreate f and done',
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
