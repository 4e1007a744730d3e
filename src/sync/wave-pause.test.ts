import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#kube/port.ts';
import { task } from './testing-task.ts';
import { defaultPauseMs, pauseAfterWave } from './wave-pause.ts';

const widget = (status?: unknown, resourceVersion = '2'): KubeObject => ({
  apiVersion: 'x.io/v1',
  kind: 'Widget',
  metadata: { name: 'w', resourceVersion },
  ...(status ? { status } : {}),
});
const custom = (live?: KubeObject) => task('w', { key: { group: 'x.io', kind: 'Widget', name: 'w' }, live });
const builtIn = task('d', { key: { group: 'apps', kind: 'Deployment', namespace: 'n', name: 'd' } });

const rows: { name: string; written: Parameters<typeof pauseAfterWave>[0]; every?: number; want: number }[] = [
  { name: 'nothing was written', written: [], want: 0 },
  { name: 'a built-in kind tells', written: [{ task: builtIn, object: widget(), hasStatus: true }], want: 0 },
  {
    name: 'a new custom resource without a status',
    written: [{ task: custom(), object: widget(), hasStatus: true }],
    want: defaultPauseMs,
  },
  { name: 'a kind without a status', written: [{ task: custom(), object: widget(), hasStatus: false }], want: 0 },
  {
    name: 'a status that does not say of which generation it is',
    written: [{ task: custom(widget({}, '1')), object: widget({ conditions: [{ type: 'Ready' }] }), hasStatus: true }],
    want: defaultPauseMs,
  },
  {
    name: 'a status that says so',
    written: [{ task: custom(widget({}, '1')), object: widget({ observedGeneration: 1 }), hasStatus: true }],
    want: 0,
  },
  {
    name: 'a condition that says so',
    written: [
      { task: custom(widget({}, '1')), object: widget({ conditions: [{ observedGeneration: 1 }] }), hasStatus: true },
    ],
    want: 0,
  },
  { name: 'unchanged', written: [{ task: custom(widget()), object: widget(), hasStatus: true }], want: 0 },
  { name: 'the delay of the instance is for all', written: [], every: 5000, want: 5000 },
  {
    name: 'no delay is no delay',
    written: [{ task: custom(), object: widget(), hasStatus: true }],
    every: 0,
    want: 0,
  },
];
for (const row of rows)
  test(`pause after a wave: ${row.name}`, () => {
    assert.equal(pauseAfterWave(row.written, row.every), row.want);
  });
