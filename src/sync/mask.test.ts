import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#kube/port.ts';
import { maskSecrets } from './mask.ts';

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';
const secret = (fields: Record<string, unknown>, annotations: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'a', annotations },
  ...fields,
});
const [one, two, three] = ['+'.repeat(8), '+'.repeat(12), '+'.repeat(16)];
const dataOf = (forms: (KubeObject | undefined)[]) => forms.map((form) => form?.['data']);

test('equal values of a key get equal runs, different ones different runs', () => {
  const masked = maskSecrets([
    secret({ data: { p: 'YQ==', q: 'c2FtZQ==' } }),
    secret({ data: { p: 'Yg==', q: 'c2FtZQ==' } }),
  ]);
  assert.deepEqual(dataOf(masked), [
    { p: one, q: one },
    { p: two, q: one },
  ]);
});

test('texts are masked as the data that they become, nulls and wrong kinds too', () => {
  assert.deepEqual(
    dataOf(maskSecrets([secret({ stringData: { p: 'a' } }), secret({ data: { p: 'YQ==', n: null, x: 5 } })])),
    [{ p: one }, { p: one, n: one, x: one }],
  );
});

test('the note of client-side apply is masked by the same runs', () => {
  const note = (data: unknown) => ({ [lastApplied]: JSON.stringify({ apiVersion: 'v1', kind: 'Secret', data }) });
  const [live] = maskSecrets([secret({ data: { p: 'new' } }, note({ p: 'old' })), secret({ data: { p: 'wanted' } })]);
  const text = live?.metadata.annotations?.[lastApplied] ?? '';
  assert.deepEqual(JSON.parse(text).data, { p: three });
  assert.ok(!JSON.stringify(live).includes('old') && !JSON.stringify(live).includes('new'));
});

test('a note that is no JSON is hidden', () => {
  const [live] = maskSecrets([secret({}, { [lastApplied]: 'password=x' })]);
  assert.equal(live?.metadata.annotations?.[lastApplied], one);
});

test('annotations named as sensitive are masked in any kind', () => {
  const object = (value: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', annotations: { token: value, plain: 'p' } },
    data: { seen: 'yes' },
  });
  const masked = maskSecrets([object('a'), object('b')], ['token']);
  assert.deepEqual(
    masked.map((form) => form?.metadata.annotations),
    [
      { token: one, plain: 'p' },
      { token: two, plain: 'p' },
    ],
  );
  assert.deepEqual(dataOf(masked), [{ seen: 'yes' }, { seen: 'yes' }]);
});

test('what was given is not changed', () => {
  const given = secret({ stringData: { p: 'a' } }, { [lastApplied]: '{}' });
  const before = structuredClone(given);
  maskSecrets([given, undefined]);
  assert.deepEqual(given, before);
});
