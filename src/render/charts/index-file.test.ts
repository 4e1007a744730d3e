import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { listIndex, readIndex } from './index-file.ts';

const digest = 'a'.repeat(64);
const asHelmWrites = `apiVersion: v1
entries:
  alpha:
  - apiVersion: v2
    created: "2026-01-02T03:04:05Z"
    description: |
      A chart about
      beta: things
    digest: ${digest}
    name: alpha
    urls:
    - alpha-1.1.0.tgz
    version: 1.1.0
  - name: alpha
    description: 'a text
      over lines'
    urls:
    - https://elsewhere.example/alpha-1.0.0.tgz
    version: 1.0.0
  beta.x:
  - name: beta.x
    urls: [a, b]
    digest: sha256:${digest}
    version: "2"
  betaox: []
generated: "2026-01-02T03:04:05Z"
`;
const alpha = [
  { version: '1.1.0', urls: ['alpha-1.1.0.tgz'], digest },
  { version: '1.0.0', urls: ['https://elsewhere.example/alpha-1.0.0.tgz'], digest: undefined },
];

test('the versions of one chart, from an index in any style', () => {
  const json = JSON.stringify({
    apiVersion: 'v1',
    entries: { alpha: [{ version: '1.0.0', urls: [] }, { version: 3 }] },
  });
  const cases: { text: string; chart: string; want: unknown }[] = [
    { text: asHelmWrites, chart: 'alpha', want: alpha },
    { text: asHelmWrites.replaceAll('\n', '\r\n'), chart: 'alpha', want: alpha },
    { text: asHelmWrites, chart: 'beta.x', want: [{ version: '2', urls: ['a', 'b'], digest }] },
    { text: asHelmWrites, chart: 'beta', want: undefined },
    { text: asHelmWrites, chart: 'version', want: undefined },
    {
      text: 'entries:\n    "deep":\n        - version: 0.1.0\n',
      chart: 'deep',
      want: [{ version: '0.1.0', urls: [], digest: undefined }],
    },
    {
      text: 'entries: {alpha: [{version: 1.0.0}]}\n',
      chart: 'alpha',
      want: [{ version: '1.0.0', urls: [], digest: undefined }],
    },
    { text: 'entries: {}\n', chart: 'alpha', want: undefined },
    { text: 'entries:\napiVersion: v1\n', chart: 'alpha', want: undefined },
    { text: json, chart: 'alpha', want: [{ version: '1.0.0', urls: [], digest: undefined }] },
    {
      text: 'x: &urls [u]\nentries:\n  alpha:\n  - version: 1.0.0\n    urls: *urls\n',
      chart: 'alpha',
      want: [{ version: '1.0.0', urls: ['u'], digest: undefined }],
    },
  ];
  for (const { text, chart, want } of cases) assert.deepEqual(readIndex(text, chart, 'the index'), want, text);
});

test('all charts of an index', async () => {
  let pauses = 0;
  const pause = async () => {
    pauses += 1;
  };
  const want = [
    { name: 'alpha', versions: ['1.1.0', '1.0.0'] },
    { name: 'beta.x', versions: ['2'] },
  ];
  const listed = await listIndex(asHelmWrites, 'the index', pause);
  assert.deepEqual(
    listed.filter(({ versions }) => versions.length > 0),
    want,
  );
  assert.ok(pauses >= 2);
  const json = JSON.stringify({ entries: { alpha: [{ version: '1.0.0' }] } });
  assert.deepEqual(await listIndex(json, 'the index', pause), [{ name: 'alpha', versions: ['1.0.0'] }]);
});

test('what is no index says so', () => {
  for (const text of ['<html></html>', '[]', 'entries: [a]\n'])
    assert.throws(
      () => readIndex(text, 'alpha', 'the index of x'),
      (error) => isAppError(error, 'bad-input') && error.message.includes('the index of x'),
      text,
    );
});

test('a chart is found in an index of many megabytes without parsing the rest', () => {
  const many = Array.from(
    { length: 20_000 },
    (_, index) =>
      `  chart-${index}:\n  - name: chart-${index}\n    description: ${'text '.repeat(20)}\n    version: 1.0.${index}\n`,
  );
  const text = `apiVersion: v1\nentries:\n${many.join('')}  broken:\n  - {{{\n`;
  assert.deepEqual(readIndex(text, 'chart-19999', 'the index'), [
    { version: '1.0.19999', urls: [], digest: undefined },
  ]);
});
