import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testCluster } from '../api-fixture.test.ts';
import { indented, wantsIndent } from './indent.ts';

const values = [
  {},
  [],
  null,
  'text with "quotes", {braces}, [brackets], : and \\ and é',
  { a: 1, b: [], c: {}, d: [1, 2.5e-7, true, null, 'x'], e: { f: [{ g: 'h' }, {}] } },
];

for (const value of values)
  test(`indented: ${JSON.stringify(value)}`, () => {
    const text = `${JSON.stringify(value)}\n`;
    const want = JSON.stringify(value, undefined, 2);
    for (const size of [1, 2, 7, text.length]) {
      const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
        text.slice(at * size, (at + 1) * size),
      );
      assert.equal([...indented(pieces)].join(''), want, `pieces of ${size}`);
    }
  });

const choices = [
  { query: '', agent: 'curl/8.0', want: true },
  { query: '', agent: 'Mozilla/5.0 (X11)', want: true },
  { query: '', agent: 'kubectl/v1.33.0', want: false },
  { query: '', agent: undefined, want: false },
  { query: 'pretty=false', agent: 'curl/8.0', want: false },
  { query: 'pretty=true', agent: 'kubectl/v1.33.0', want: true },
  { query: 'pretty=', agent: 'Wget/1.0', want: true },
];

for (const { query, agent, want } of choices)
  test(`${agent} with ?${query} reads ${want ? 'indented' : 'plain'} JSON`, () => {
    assert.equal(wantsIndent(new URLSearchParams(query), agent), want);
  });

test('objects, lists and refusals are indented for curl', async () => {
  await using cluster = await testCluster();
  const headers = { 'user-agent': 'curl/8.0' };
  for (const path of [
    '/api/v1/namespaces/default',
    '/apis/rbac.authorization.k8s.io/v1/clusterroles',
    '/api/v1/nope',
  ]) {
    const { text, body } = await cluster.send('GET', path, { headers });
    assert.equal(text, JSON.stringify(body, undefined, 2), path);
  }
});
