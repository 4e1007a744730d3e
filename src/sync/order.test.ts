import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSyncOptions } from '#model/argocd/sync-options.ts';
import { orderTasks, withPruneWaves } from './order.ts';
import type { SyncTask } from './task.ts';
import { object, task } from './testing-task.ts';

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
