import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogLine, ResourceNode } from '#apps/port.ts';
import { linesOf, mergeLogs, parseLogLine, podLines } from './pod-logs.ts';
import { selectPods } from './resources.ts';
import { chartDetails, discoverFolders, flattenValues } from './source-details.ts';

async function* chunks(...texts: string[]): AsyncGenerator<string> {
  for (const text of texts) yield text;
}
async function* lines(pod: string, ...times: string[]): AsyncGenerator<LogLine> {
  for (const time of times) yield { pod, time, text: '' };
}
async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}

test('lines of chunks, wherever these are cut', async () => {
  assert.deepEqual(await collect(linesOf(chunks('a\nb', 'c\r', '\n', 'd'))), ['a', 'bc', 'd']);
  assert.deepEqual(await collect(linesOf(chunks('12345', '67\n8'), 4)), ['12345', '67', '8']);
});

const parsed: [string, string, string][] = [
  ['2026-01-02T03:04:05.678901234Z hello world', '2026-01-02T03:04:05.678901234Z', 'hello world'],
  ['2026-01-02T03:04:05+02:00 x', '2026-01-02T03:04:05+02:00', 'x'],
  ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z', ''],
  ['no time at all', '', 'no time at all'],
];
for (const [line, time, text] of parsed)
  test(`log line: ${line}`, () => assert.deepEqual(parseLogLine('p', line), { pod: 'p', time, text }));

test('logs that end are merged by time', async () => {
  const merged = await collect(
    mergeLogs([lines('a', '1', '4', '5'), lines('b', '2', '3'), lines('c')], { follow: false }),
  );
  assert.deepEqual(
    merged.map(({ pod, time }) => pod + time),
    ['a1', 'b2', 'b3', 'a4', 'a5'],
  );
});

test('a log that is followed does not hold up the others', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  async function* late(): AsyncGenerator<LogLine> {
    await promise;
    yield { pod: 'late', time: '0', text: '' };
  }
  const merged = mergeLogs([late(), lines('a', '1', '2')], { follow: true });
  const first = [(await merged.next()).value?.pod, (await merged.next()).value?.pod];
  assert.deepEqual(first, ['a', 'a']);
  resolve();
  assert.deepEqual([(await merged.next()).value?.pod, (await merged.next()).done], ['late', true]);
});

test('a log that cannot be read says why in its place', async () => {
  async function* broken(): AsyncGenerator<string> {
    yield '2026-01-02T03:04:05Z one\n';
    throw new Error('container is waiting to start');
  }
  const signal = new AbortController().signal;
  assert.deepEqual(
    (await collect(podLines('p', broken(), signal))).map(({ text }) => text),
    ['one', 'container is waiting to start'],
  );
});

const node = (uid: string, kind: string, name: string, parentUid?: string): ResourceNode => ({
  uid,
  group: kind === 'Pod' ? '' : 'apps',
  version: 'v1',
  kind,
  namespace: 'n',
  name,
  parentUid,
  createdAt: undefined,
  health: undefined,
  images: [],
});
const tree = [
  node('1', 'Deployment', 'web'),
  node('2', 'ReplicaSet', 'web-1', '1'),
  node('3', 'Pod', 'web-1-a', '2'),
  node('4', 'Deployment', 'api'),
  node('5', 'Pod', 'api-a', '4'),
];
const selections: [string, Parameters<typeof selectPods>[1], string[]][] = [
  ['all', {}, ['web-1-a', 'api-a']],
  ['below a Deployment', { group: 'apps', kind: 'Deployment', name: 'web' }, ['web-1-a']],
  ['one pod', { kind: 'Pod', name: 'api-a' }, ['api-a']],
  ['another namespace', { namespace: 'other' }, []],
];
for (const [name, of, want] of selections)
  test(`pods: ${name}`, () =>
    assert.deepEqual(
      selectPods(tree, of).map((pod) => pod.name),
      want,
    ));

test('folders of applications', () => {
  const files = ['Chart.yaml', 'a/Chart.yaml', 'a/kustomization.yaml', 'b/kustomization.yml', 'b/c/x.yaml'];
  const entries = files.map((path) => ({ path, mode: '100644', type: 'blob' as const, oid: '' }));
  assert.deepEqual(discoverFolders(entries), [
    { path: '.', type: 'Helm' },
    { path: 'a', type: 'Kustomize' },
    { path: 'b', type: 'Kustomize' },
  ]);
});

test('values as parameters, and what a chart says of itself', () => {
  assert.deepEqual(flattenValues({ image: { tag: 'x' }, hosts: [{ name: 'h' }, 'i'], 'a.b': null, on: true }), [
    { name: 'image.tag', value: 'x' },
    { name: 'hosts[0].name', value: 'h' },
    { name: 'hosts[1]', value: 'i' },
    { name: 'a\\.b', value: '' },
    { name: 'on', value: 'true' },
  ]);
  const chart = 'description: d\nhome: https://h\nmaintainers: [{name: kim, email: k@h}, {name: ann}]';
  assert.deepEqual(chartDetails(chart), { description: 'd', home: 'https://h', maintainers: ['kim <k@h>', 'ann'] });
  assert.deepEqual(chartDetails('}'), { description: '', home: '', maintainers: [] });
});
