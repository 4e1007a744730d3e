import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { parseCommit, parseTree, splitMessage } from './objects.ts';
import { parseCommitSha } from './port.ts';

const sha = parseCommitSha('c'.repeat(40));
const parent = 'b'.repeat(40);
assert.ok(sha);

test('parseTree', () => {
  const entry = (mode: string, name: string, byte: number) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.alloc(20, byte)]);
  const data = Buffer.concat([
    entry('100644', 'grün.txt', 1),
    entry('40000', 'dir', 2),
    entry('160000', 'sub', 3),
    entry('120000', 'link', 4),
  ]);
  assert.deepEqual(parseTree(data), [
    { path: 'grün.txt', mode: '100644', type: 'blob', oid: '01'.repeat(20) },
    { path: 'dir', mode: '040000', type: 'tree', oid: '02'.repeat(20) },
    { path: 'sub', mode: '160000', type: 'commit', oid: '03'.repeat(20) },
    { path: 'link', mode: '120000', type: 'blob', oid: '04'.repeat(20) },
  ]);
  assert.throws(
    () => parseTree(data.subarray(0, -1)),
    (error) => isAppError(error, 'corrupt-data'),
  );
});

test('parseTree refuses names that lead out of the tree', async (t) => {
  for (const name of ['', '.', '..', '.git', '.GIT', 'a/b', '/etc']) {
    await t.test(JSON.stringify(name), () => {
      const data = Buffer.concat([Buffer.from(`40000 ${name}\0`), Buffer.alloc(20, 1)]);
      assert.throws(
        () => parseTree(data),
        (error) => isAppError(error, 'bad-input'),
      );
    });
  }
});

test('parseCommit skips headers it does not know', () => {
  const text = [
    `tree ${'d'.repeat(40)}`,
    `parent ${parent}`,
    `parent ${parent}`,
    'author Ann Example <ann@example.com> 1700000000 +0200',
    'committer <bot@example.com> 1700000060 +0000',
    'gpgsig -----BEGIN PGP SIGNATURE-----',
    ' ',
    ' tree deadbeef',
    ' -----END PGP SIGNATURE-----',
    '',
    'feat: a thing',
    '',
    'Why.',
    '',
    'Signed-off-by: Ann',
    '',
  ].join('\n');
  assert.deepEqual(parseCommit(sha, Buffer.from(text)), {
    tree: 'd'.repeat(40),
    info: {
      sha,
      parents: [parent, parent],
      author: { name: 'Ann Example', email: 'ann@example.com' },
      authoredAt: 1_700_000_000_000,
      committer: { name: '', email: 'bot@example.com' },
      committedAt: 1_700_000_060_000,
      subject: 'feat: a thing',
      body: 'Why.\n\nSigned-off-by: Ann',
    },
  });
});

test('splitMessage', async (t) => {
  const cases = [
    { name: 'subject only', message: 'one\n', subject: 'one', body: '' },
    { name: 'a subject over two lines', message: 'one\ntwo\n\nbody\n', subject: 'one two', body: 'body' },
    { name: 'empty', message: '', subject: '', body: '' },
    { name: 'leading empty lines', message: '\n\none\n\n\nbody\nmore\n', subject: 'one', body: 'body\nmore' },
    { name: 'an indented body', message: 'one\n\n  code\n', subject: 'one', body: '  code' },
  ];
  for (const { name, message, ...want } of cases)
    await t.test(name, () => assert.deepEqual(splitMessage(message), want));
});
