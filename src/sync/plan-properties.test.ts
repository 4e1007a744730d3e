import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#kube/port.ts';
import type { ResourceResult } from '#model/argocd/application.ts';
import { parseSyncOptions } from '#model/argocd/sync-options.ts';
import type { SyncPhase } from './hooks.ts';
import { keyText } from './identity.ts';
import { orderTasks, withPruneWaves } from './order.ts';
import { appliedResult, planSync, type SyncAction } from './plan.ts';
import { isPrune, phaseOrder, resultId, resultOf, type SyncTask, taskId } from './task.ts';

/** The same numbers for the same seed, in [0, 1). */
function numbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const kinds = ['ConfigMap', 'Secret', 'Deployment', 'Service', 'Widget'];
const definition = { group: 'x.io', names: { kind: 'Widget' } };

function randomTask(random: () => number, at: number): SyncTask {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const wave = Math.floor(random() * 7) - 3;
  const shape = random();
  const common = {
    version: 'v1',
    wave,
    hook: false,
    deletePolicies: [],
    health: undefined,
    outOfSync: true,
    live: undefined,
    phase: 'Sync' as SyncPhase,
    options: parseSyncOptions([], random() < 0.15 ? 'PruneLast=true' : undefined),
  };
  const make = (group: string, kind: string, name: string, more: Record<string, unknown> = {}): SyncTask => {
    const namespaced = kind !== 'Namespace' && kind !== 'CustomResourceDefinition';
    const namespace = namespaced ? pick(['n1', 'n2', 'n3']) : undefined;
    const key = { group, kind, name, ...(namespace ? { namespace } : {}) };
    const metadata = { name, uid: `u${at}`, ...(namespace ? { namespace } : {}) };
    const target = { apiVersion: group === '' ? 'v1' : `${group}/v1`, kind, metadata, ...more } as KubeObject;
    return { ...common, key, target };
  };
  if (shape < 0.1) return make('', 'Namespace', pick(['n1', 'n2', 'n3']));
  if (shape < 0.15)
    return make('apiextensions.k8s.io', 'CustomResourceDefinition', 'widgets.x.io', { spec: definition });
  const kind = pick(kinds);
  const task = make(kind === 'Widget' ? 'x.io' : '', kind, `t${at}`);
  if (shape < 0.45) return { ...task, live: task.target, target: undefined };
  if (shape < 0.65) return { ...task, hook: true, phase: pick(['PreSync', 'Sync', 'PostSync', 'SyncFail'] as const) };
  return task;
}

function randomTasks(seed: number): { tasks: SyncTask[]; pruneLast: boolean } {
  const random = numbers(seed);
  const all = Array.from({ length: 1 + Math.floor(random() * 24) }, (_, at) => randomTask(random, at));
  const distinct = new Map(all.map((task) => [taskId(task), task]));
  return { tasks: [...distinct.values()], pruneLast: random() < 0.2 };
}

const rounds = 400;

test('prune waves: nothing is lost, only prunes move, mirroring twice is the identity', () => {
  for (let seed = 0; seed < rounds; seed += 1) {
    const { tasks } = randomTasks(seed);
    const plain = tasks.map((task) => ({ ...task, options: parseSyncOptions([], undefined) }));
    const once = withPruneWaves(plain, false);
    assert.deepEqual(
      withPruneWaves(once, false).map(({ wave }) => wave),
      plain.map(({ wave }) => wave),
      `seed ${seed}`,
    );
    once.forEach((task, at) => {
      if (!isPrune(task)) assert.equal(task, plain[at]);
    });
    const waves = plain.filter(isPrune).map(({ wave }) => wave);
    const after = once.filter(isPrune).map(({ wave }) => wave);
    for (let a = 0; a < waves.length; a += 1)
      for (let b = 0; b < waves.length; b += 1)
        assert.equal(Math.sign((waves[a] ?? 0) - (waves[b] ?? 0)), Math.sign((after[b] ?? 0) - (after[a] ?? 0)));
  }
});

test('PruneLast comes behind every other wave of the Sync phase', () => {
  for (let seed = 0; seed < rounds; seed += 1) {
    const { tasks } = randomTasks(seed);
    const out = withPruneWaves(tasks, true);
    const others = out.filter((task) => task.phase === 'Sync' && !isPrune(task)).map(({ wave }) => wave);
    for (const task of out.filter(isPrune)) assert.ok(task.wave > Math.max(0, ...others), `seed ${seed}`);
  }
});

test('order: every task once; phases and waves ascend; what others need comes before them', () => {
  for (let seed = 0; seed < rounds; seed += 1) {
    const { tasks, pruneLast } = randomTasks(seed);
    const out = orderTasks(withPruneWaves(tasks, pruneLast));
    assert.deepEqual(out.map(({ key }) => keyText(key)).sort(), tasks.map(({ key }) => keyText(key)).sort());
    out.forEach((task, at) => {
      const next = out[at + 1];
      if (!next) return;
      const [a, b] = [phaseOrder[task.phase], phaseOrder[next.phase]];
      assert.ok(a < b || (a === b && task.wave <= next.wave), `seed ${seed}: place ${at}`);
    });
    const place = (wanted: (task: SyncTask) => boolean) => out.findIndex((task) => !isPrune(task) && wanted(task));
    for (const name of ['n1', 'n2', 'n3']) {
      const namespace = place(({ key }) => key.kind === 'Namespace' && key.name === name);
      const first = place(({ key }) => key.namespace === name);
      if (namespace >= 0 && first >= 0) assert.ok(namespace < first, `seed ${seed}: namespace ${name}`);
    }
    const crd = place(({ key }) => key.kind === 'CustomResourceDefinition');
    const widget = place(({ key }) => key.kind === 'Widget');
    if (crd >= 0 && widget >= 0) assert.ok(crd < widget, `seed ${seed}: definition`);
    assert.deepEqual(
      orderTasks(withPruneWaves(tasks.toReversed(), pruneLast)).map(taskId),
      out.map(taskId),
      `seed ${seed}: the order does not depend on the input's`,
    );
  }
});

/** Carries a sync out on an imagined cluster where everything is healthy at once; `fails` refuses an object. */
function carryOut(tasks: readonly SyncTask[], fails: (task: SyncTask) => boolean) {
  const live = new Map(tasks.flatMap((task) => (isPrune(task) && task.live ? [[keyText(task.key), task.live]] : [])));
  const results = new Map<string, ResourceResult>();
  const done: { action: SyncAction; step: number }[] = [];
  for (let step = 0; step < 100; step += 1) {
    const now = tasks.map((task) => ({ ...task, live: live.get(keyText(task.key)) }));
    const input = {
      tasks: now,
      results,
      operationId: 'op',
      prune: true,
      applyOutOfSyncOnly: false,
      pruneApproved: true,
    };
    const plan = planSync(input);
    for (const [id, result] of plan.results) results.set(id, result);
    if (plan.step.kind === 'finish') return { phase: plan.step.phase, done };
    if (plan.step.kind === 'wait') throw new Error(`waits although all is healthy: ${plan.step.message}`);
    for (const action of plan.step.groups.flat()) {
      const { task } = action;
      done.push({ action, step });
      let result = appliedResult(task, 'applied', []);
      if (fails(task)) result = resultOf(task, { status: 'SyncFailed', message: 'no', hookPhase: 'Failed' });
      else if (action.kind === 'prune') {
        live.delete(keyText(task.key));
        result = resultOf(task, { status: 'Pruned', message: 'pruned', hookPhase: 'Succeeded' });
      } else if (task.target) live.set(keyText(task.key), task.target);
      results.set(resultId(result), result);
    }
    if (plan.step.finishWhenDone && !plan.step.groups.flat().some(({ task }) => fails(task)))
      return { phase: 'Succeeded', done };
  }
  throw new Error('no end after 100 steps');
}

test('a sync does every task once, prunes later waves before earlier ones, and ends', () => {
  for (let seed = 0; seed < rounds; seed += 1) {
    const { tasks } = randomTasks(seed);
    const ordered = orderTasks(withPruneWaves(tasks, false));
    const { phase, done } = carryOut(ordered, () => false);
    assert.equal(phase, 'Succeeded', `seed ${seed}`);
    const wanted = ordered.filter((task) => task.phase !== 'SyncFail').map(taskId);
    assert.deepEqual(done.map(({ action }) => taskId(action.task)).sort(), wanted.sort(), `seed ${seed}`);
    // The wave that it was created in: mirroring changes only the one that it is pruned in.
    const waveOf = new Map(tasks.map((task) => [taskId(task), task]));
    const prunes = done.filter(({ action }) => action.kind === 'prune' && !action.task.options.pruneLast);
    for (const a of prunes)
      for (const b of prunes) {
        const [before, after] = [waveOf.get(taskId(a.action.task)), waveOf.get(taskId(b.action.task))];
        if (before && after && before.wave > after.wave && !before.options.pruneLast && !after.options.pruneLast)
          assert.ok(a.step <= b.step, `seed ${seed}`);
      }
  }
});

test('a sync with a refused object never goes on to a later wave, and runs its SyncFail hooks once', () => {
  for (let seed = 0; seed < rounds; seed += 1) {
    const { tasks } = randomTasks(seed);
    const ordered = orderTasks(withPruneWaves(tasks, false));
    const victim = ordered.filter((task) => task.phase !== 'SyncFail')[seed % ordered.length];
    if (!victim) continue;
    const { phase, done } = carryOut(ordered, (task) => taskId(task) === taskId(victim));
    assert.equal(phase, 'Failed', `seed ${seed}`);
    for (const { action } of done) {
      const { task } = action;
      if (task.phase === 'SyncFail') continue;
      const later =
        phaseOrder[task.phase] > phaseOrder[victim.phase] || (task.phase === victim.phase && task.wave > victim.wave);
      assert.ok(!later, `seed ${seed}: ${taskId(task)} after ${taskId(victim)}`);
    }
    const hooks = done
      .filter(({ action }) => action.task.phase === 'SyncFail')
      .map(({ action }) => taskId(action.task));
    assert.deepEqual(
      hooks.sort(),
      tasks
        .filter((task) => task.phase === 'SyncFail')
        .map(taskId)
        .sort(),
      `seed ${seed}`,
    );
  }
});
