import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timestamp } from '#base/clock.ts';
import type { JsonObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { parseApplicationSet, type RolloutPhase } from '#model/argocd/application-set.ts';
import { ignoredDifferences } from './ignore-differences.ts';
import { deletesInReverse, nextToDelete, planRollout, stepsOf, updatesAtOnce } from './rolling-sync.ts';

const apiVersion = 'argoproj.io/v1alpha1';
const now = Date.parse('2026-11-21T10:00:00Z');
const before = timestamp(now - 60_000);

function step(values: string[], maxUpdate?: number | string, operator = 'In'): JsonObject {
  return { matchExpressions: [{ key: 'env', operator, values }], ...(maxUpdate === undefined ? {} : { maxUpdate }) };
}

function setOf(steps: JsonObject[], statuses: [string, RolloutPhase][] = [], more: JsonObject = {}) {
  const applicationStatus = statuses.map(([application, status]) => ({
    application,
    status,
    message: 'm',
    step: '1',
    targetRevisions: ['r1'],
    lastTransitionTime: before,
  }));
  const { set } = parseApplicationSet({
    apiVersion,
    kind: 'ApplicationSet',
    metadata: { name: 'set', namespace: 'argocd' },
    spec: { generators: [], template: {}, strategy: { type: 'RollingSync', rollingSync: { steps }, ...more } },
    status: { applicationStatus },
  });
  return set;
}

const spec = {
  project: 'default',
  source: { repoURL: 'r', path: 'p' },
  destination: {},
  syncPolicy: { automated: { prune: true } },
};
const held = { ...spec, syncPolicy: { automated: { prune: true, enabled: false } } };

function wanted(name: string, env = 'dev', more: JsonObject = {}): JsonObject {
  return { apiVersion, kind: 'Application', metadata: { name, labels: { env } }, spec: { ...spec, ...more } };
}

interface State {
  sync?: string;
  health?: string;
  revision?: string;
  operation?: JsonObject;
  requested?: boolean;
  conditions?: JsonObject[];
  compared?: JsonObject;
}

function live(
  name: string,
  { sync = 'Synced', health = 'Healthy', revision = 'r1', operation, requested, conditions, compared }: State,
  env = 'dev',
): KubeObject {
  return {
    apiVersion,
    kind: 'Application',
    metadata: { name, namespace: 'argocd', labels: { env } },
    spec: held,
    ...(requested ? { operation: {} } : {}),
    status: {
      sync: { status: sync, revision, ...(compared ? { comparedTo: compared } : {}) },
      health: { status: health },
      reconciledAt: timestamp(now),
      conditions: conditions ?? [],
      ...(operation ? { operationState: operation } : {}),
    },
  };
}

function phases(set: ReturnType<typeof setOf>, there: KubeObject[], desired: JsonObject[]): string[] {
  const { status, desired: out } = planRollout({
    set,
    live: there,
    desired,
    ignored: ignoredDifferences(set.spec),
    now,
  });
  const starts = new Set(
    out.filter((one) => one['operation'] !== undefined).map((one) => (one['metadata'] as JsonObject)['name']),
  );
  return status.map((one) => `${one.application} ${one.status}${starts.has(one.application) ? ' starts' : ''}`);
}

const started = { phase: 'Running', startedAt: timestamp(now) };
const old = { phase: 'Succeeded', startedAt: timestamp(now - 3_600_000) };

test('one application from state to state', () => {
  const rows: [string, RolloutPhase | undefined, State, string][] = [
    ['new and out of sync', undefined, { sync: 'OutOfSync' }, 'Pending starts'],
    ['new and in sync', undefined, {}, 'Healthy'],
    ['new, in sync, not healthy', undefined, { health: 'Progressing' }, 'Progressing'],
    ['waiting, out of sync', 'Waiting', { sync: 'OutOfSync' }, 'Pending starts'],
    ['pending, not begun', 'Pending', { sync: 'OutOfSync', operation: old }, 'Pending starts'],
    ['pending, asked for', 'Pending', { sync: 'OutOfSync', requested: true }, 'Pending'],
    ['pending, running', 'Pending', { sync: 'OutOfSync', operation: started }, 'Progressing'],
    ['pending, cannot sync', 'Pending', { sync: 'Unknown', conditions: [{ type: 'InvalidSpecError' }] }, 'Progressing'],
    ['progressing, not healthy yet', 'Progressing', { health: 'Progressing' }, 'Progressing'],
    ['progressing, healthy, not in sync', 'Progressing', { sync: 'OutOfSync' }, 'Progressing'],
    ['progressing, done', 'Progressing', {}, 'Healthy'],
    ['healthy, degraded later', 'Healthy', { health: 'Degraded' }, 'Healthy'],
    ['healthy, a new revision', 'Healthy', { sync: 'OutOfSync', revision: 'r2' }, 'Pending starts'],
    ['healthy, a new revision, in sync already', 'Healthy', { revision: 'r2' }, 'Healthy'],
    [
      'compared with another spec',
      'Waiting',
      { compared: { source: { repoURL: 'r', path: 'old' } } },
      'Pending starts',
    ],
  ];
  for (const [name, phase, state, want] of rows) {
    const set = setOf([step(['dev'])], phase ? [['a', phase]] : []);
    assert.deepEqual(phases(set, [live('a', state)], [wanted('a')]), [`a ${want}`], name);
  }
  const changed = wanted('a', 'dev', { source: { repoURL: 'r', path: 'new' } });
  assert.deepEqual(phases(setOf([step(['dev'])], [['a', 'Healthy']]), [live('a', {})], [changed]), [
    'a Pending starts',
  ]);
});

test('steps open one after the other, and no more at once than permitted', () => {
  const out: State = { sync: 'OutOfSync' };
  const two = [step(['dev']), step(['prod'])];
  const both = [wanted('d'), wanted('p', 'prod')];
  const there = [live('d', out), live('p', out, 'prod')];
  assert.deepEqual(phases(setOf(two), there, both), ['d Pending starts', 'p Waiting']);
  assert.deepEqual(
    phases(
      setOf(two, [
        ['d', 'Healthy'],
        ['p', 'Waiting'],
      ]),
      [live('d', {}), live('p', out, 'prod')],
      both,
    ),
    ['d Healthy', 'p Pending starts'],
  );
  assert.deepEqual(
    phases(setOf(two, [['p', 'Waiting']]), [live('p', out, 'prod')], both),
    ['p Waiting'],
    'd is not there yet',
  );
  const many = ['a', 'b', 'c', 'd', 'e'];
  const count = (maxUpdate: number | string) =>
    phases(
      setOf([step(['dev'], maxUpdate)], [['a', 'Progressing']]),
      many.map((name) => live(name, out)),
      many.map((name) => wanted(name)),
    ).filter((one) => one.includes('Pending')).length;
  assert.deepEqual([0, 1, 2, '0%', '10%', '50%', '100%'].map(count), [0, 0, 1, 0, 0, 1, 4]);
  assert.deepEqual(
    phases(setOf([step(['dev'])]), [live('x', out, 'none')], [wanted('x', 'none')]),
    ['x Waiting'],
    'in no step',
  );
});

test('automation is off, and the operation is as the application asks', () => {
  const set = setOf([step(['dev'])]);
  const policy = { automated: { prune: true }, syncOptions: ['A=true'], retry: { limit: 2 } };
  const { desired } = planRollout({
    set,
    live: [live('a', { sync: 'OutOfSync' })],
    desired: [wanted('a', 'dev', { syncPolicy: policy })],
    ignored: ignoredDifferences(set.spec),
    now,
  });
  // The spec is written first: what is compared with the old one says nothing.
  const { spec: written, operation } = desired[0] ?? {};
  assert.deepEqual((written as typeof spec).syncPolicy, { ...policy, automated: { prune: true, enabled: false } });
  assert.deepEqual(operation, {
    initiatedBy: { username: 'applicationset-controller', automated: true },
    info: [{ name: 'Reason', value: 'ApplicationSet RollingSync triggered a sync of this Application resource' }],
    sync: { prune: true, syncOptions: ['A=true'] },
    retry: { limit: 2 },
  });
});

test('what is wrong with steps is told', () => {
  const apps = [wanted('a'), wanted('b', 'prod')].map((one) => ({
    metadata: one['metadata'] as { name: string; labels: Record<string, string> },
  }));
  const problem = (...steps: JsonObject[]) => stepsOf(setOf(steps), apps).problem;
  assert.equal(problem(step(['dev']), step(['prod'])), undefined);
  assert.match(
    problem(step(['dev']), step(['dev', 'prod'])) ?? '',
    /application a is selected by more than one step: 1 and 2/,
  );
  assert.match(problem(step(['dev'], undefined, 'Exists')) ?? '', /invalid matchExpression operator "Exists"/);
  assert.match(problem(step(['dev']), step(['none'])) ?? '', /step 2 selects no application/);
  assert.deepEqual(
    stepsOf(setOf([step(['dev'], undefined, 'NotIn')]), [...apps, { metadata: { name: 'bare', labels: {} } }]).list,
    [['b', 'bare']],
  );
  assert.deepEqual(updatesAtOnce('a lot', 3), { problem: 'maxUpdate "a lot" is neither a number nor a percentage' });
});

test('a set is deleted from its last step to its first', () => {
  const set = setOf([step(['dev']), step(['prod'])], [], { deletionOrder: 'reverse' });
  assert.ok(deletesInReverse(set));
  assert.ok(!deletesInReverse(setOf([step(['dev'])])));
  const [d, p] = [live('d', {}), live('p', {}, 'prod')];
  assert.equal(nextToDelete(set, [d, p])?.metadata.name, 'p');
  assert.equal(nextToDelete(set, [d])?.metadata.name, 'd');
  const going = { ...d, metadata: { ...d.metadata, deletionTimestamp: before } };
  assert.equal(nextToDelete(set, [going, p])?.metadata.name, 'd', 'one that is going is waited for');
  assert.equal(nextToDelete(set, []), undefined);
});
