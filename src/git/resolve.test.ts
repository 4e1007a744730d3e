import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRefLines } from './refs.ts';
import { type Resolution, resolveRevision } from './resolve.ts';

const oid = 'a'.repeat(40);
const names = [
  'refs/heads/main',
  'refs/heads/release-1.x',
  'refs/heads/both',
  'refs/heads/deadbeef',
  'refs/tags/both',
  'refs/tags/v1.4.0',
  'refs/tags/v1.5.0',
  'refs/tags/v1.10.0',
  'refs/tags/v2.0.0-rc.1',
  'refs/tags/v2',
  'refs/tags/nightly',
];
const refs = parseRefLines(names.map((name) => `${oid} ${name}`).join('\n'));
const snapshot = { refs, head: 'refs/heads/main' };
const ref = (name: string): Resolution => ({ kind: 'ref', name });
const unknown = (...close: string[]): Resolution => ({ kind: 'unknown', close });

test('resolveRevision', async (t) => {
  const cases: { revision: string; want: Resolution }[] = [
    { revision: oid, want: { kind: 'commit', oid } },
    { revision: '', want: ref('refs/heads/main') },
    { revision: 'HEAD', want: ref('refs/heads/main') },
    { revision: 'main', want: ref('refs/heads/main') },
    { revision: 'refs/heads/main', want: ref('refs/heads/main') },
    { revision: 'refs/tags/nightly', want: ref('refs/tags/nightly') },
    { revision: 'nightly', want: ref('refs/tags/nightly') },
    { revision: 'both', want: ref('refs/heads/both') },
    { revision: 'v1.5.0', want: ref('refs/tags/v1.5.0') },
    { revision: 'v2', want: ref('refs/tags/v2') },
    { revision: '1.5.0', want: unknown('v1.5.0', 'v1.4.0', 'v1.10.0') },
    { revision: '^1.4', want: ref('refs/tags/v1.10.0') },
    { revision: '~1.5.0', want: ref('refs/tags/v1.5.0') },
    { revision: '1.x', want: ref('refs/tags/v1.10.0') },
    { revision: '*', want: ref('refs/tags/v2') },
    { revision: '>=1.0.0, <1.10', want: ref('refs/tags/v1.5.0') },
    { revision: '>=1.4 <2 !=1.10.0', want: ref('refs/tags/v1.5.0') },
    { revision: '1.4.0 || 1.5.0', want: ref('refs/tags/v1.5.0') },
    { revision: '>=2.0.0-0 <2.0.0', want: ref('refs/tags/v2.0.0-rc.1') },
    { revision: '^9', want: unknown() },
    { revision: 'release-1.x', want: ref('refs/heads/release-1.x') },
    { revision: 'refs/pull/7/head', want: { kind: 'remote-ref', name: 'refs/pull/7/head' } },
    { revision: 'deadbeef', want: ref('refs/heads/deadbeef') },
    { revision: 'abc1234', want: { kind: 'commit', oid: 'abc1234' } },
    { revision: 'abc123', want: unknown() },
    { revision: 'mian', want: unknown('main') },
    { revision: 'release', want: unknown('release-1.x') },
    { revision: 'refs/heads/gone', want: unknown() },
  ];
  for (const { revision, want } of cases)
    await t.test(JSON.stringify(revision), () => assert.deepEqual(resolveRevision(revision, snapshot), want));
  await t.test('no branch at all', () => {
    assert.deepEqual(resolveRevision('HEAD', { refs: new Map(), head: undefined }), unknown());
  });
});
