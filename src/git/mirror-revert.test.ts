import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { testClock, testEntropy } from '../../test/clock.ts';
import { toolPath } from '../../test/tools.ts';
import { type CommitSha, parseCommitSha } from './port.ts';
import { revertMessage } from './revert.ts';
import { TestingGitServer } from './testing-server.ts';

const signal = new AbortController().signal;
const tools = { gitPath: toolPath('git'), clock: testClock, entropy: testEntropy };
const author = { name: 'Ann', email: 'ann@example.com' };
const lines = (...changes: [number, string][]) =>
  Array.from({ length: 12 }, (_, index) => `${changes.find(([at]) => at === index)?.[1] ?? `line ${index}`}\n`).join(
    '',
  );

async function open() {
  const server = await TestingGitServer.start(tools);
  server.create('demo');
  server.commit('demo', { 'a.yaml': lines(), 'b.yaml': 'b1\n', 'dir/c': 'c1\n', gone: 'gone\n' }, 'first');
  const mirrors = server.mirrors('m');
  const mirror = await mirrors.open(server.url('demo'), signal);
  return {
    server,
    mirror,
    show: (path: string) => `${server.git('demo', 'show', `main:${path}`)}\n`,
    async [Symbol.asyncDispose]() {
      await mirrors[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function sha(text: string): CommitSha {
  const parsed = parseCommitSha(text);
  assert.ok(parsed);
  return parsed;
}

describe('reverts of a mirror', { concurrency: 4 }, () => {
  it('undoes a commit as git revert does, keeping what came later in the same file', async () => {
    await using at = await open();
    const bad = at.server.commit(
      'demo',
      { 'a.yaml': lines([2, 'bad']), new: 'n', gone: null, 'b.yaml': 'b2\n' },
      'break it',
    );
    at.server.commit('demo', { 'a.yaml': lines([2, 'bad'], [9, 'later']) }, 'later');
    const made = await at.mirror.revert(
      { branch: 'main', commit: sha(bad), author, trailer: 'Requested-by: ann' },
      signal,
    );
    assert.equal(at.server.git('demo', 'rev-parse', 'main'), made);
    assert.equal(at.show('a.yaml'), lines([9, 'later']));
    assert.equal(at.show('b.yaml'), 'b1\n');
    assert.equal(at.server.git('demo', 'ls-tree', '--name-only', 'main'), 'a.yaml\nb.yaml\ndir\ngone');
    const body = at.server.git('demo', 'log', '-1', '--format=%B', 'main');
    assert.equal(body, `Revert "break it"\n\nThis reverts commit ${bad}.\n\nRequested-by: ann`);
  });

  it('is limited to paths', async () => {
    await using at = await open();
    const bad = at.server.commit('demo', { 'b.yaml': 'b2\n', 'dir/c': 'c2\n' }, 'both');
    await at.mirror.revert({ branch: 'main', commit: sha(bad), paths: ['./dir/'], author }, signal);
    assert.deepEqual([at.show('b.yaml'), at.show('dir/c')], ['b2\n', 'c1\n']);
  });

  it('a conflict names the files and changes nothing', async () => {
    await using at = await open();
    const bad = at.server.commit('demo', { 'b.yaml': 'b2\n', 'a.yaml': lines([2, 'bad']), 'dir/c': 'c2\n' }, 'bad');
    const head = at.server.commit('demo', { 'b.yaml': 'b3\n', 'dir/c': null }, 'later');
    await assert.rejects(
      at.mirror.revert({ branch: 'main', commit: sha(bad), author }, signal),
      (error) => isAppError(error, 'conflict') && error.message.endsWith('later commits changed b.yaml, dir/c'),
    );
    assert.equal(at.server.git('demo', 'rev-parse', 'main'), head);
  });

  it('what was reverted already is told', async () => {
    await using at = await open();
    const bad = at.server.commit('demo', { 'b.yaml': 'b2\n' }, 'bad');
    const request = { branch: 'main', commit: sha(bad), author };
    const first = await at.mirror.revert(request, signal);
    await assert.rejects(at.mirror.revert(request, signal), (error) => isAppError(error, 'conflict'));
    const again = await at.mirror.revert({ ...request, commit: first }, signal);
    assert.equal((await at.mirror.commitInfo(again, signal)).subject, 'Reapply "bad"');
    assert.equal(at.show('b.yaml'), 'b2\n');
  });

  it('revertMessage', async (t) => {
    const commit = {
      sha: sha('c'.repeat(40)),
      parents: [sha('a'.repeat(40))],
      author,
      authoredAt: 0,
      committer: author,
      committedAt: 0,
      subject: 'feat: x',
      body: '',
    };
    const tail = `This reverts commit ${'c'.repeat(40)}`;
    const cases = [
      { name: 'a commit', commit, want: `Revert "feat: x"\n\n${tail}.\n` },
      { name: 'a revert', commit: { ...commit, subject: 'Revert "feat: x"' }, want: `Reapply "feat: x"\n\n${tail}.\n` },
      {
        name: 'a merge',
        commit: { ...commit, parents: [sha('a'.repeat(40)), sha('b'.repeat(40))] },
        want: `Revert "feat: x"\n\n${tail}, reversing\nchanges made to ${'a'.repeat(40)}.\n`,
      },
    ];
    for (const { name, commit, want } of cases) await t.test(name, () => assert.equal(revertMessage(commit), want));
  });
});
