import assert from 'node:assert/strict';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { testClock, testEntropy } from '../../test/clock.ts';
import { toolPath } from '../../test/tools.ts';
import type { FileChanges, GitMirror } from './port.ts';
import { TestingGitServer } from './testing-server.ts';
import { mirrorName, parseGitUrl } from './url.ts';

const signal = new AbortController().signal;
const tools = { gitPath: toolPath('git'), clock: testClock, entropy: testEntropy };
const author = { name: 'Ann <Example>', email: 'ann@example.com' };

async function open(files: Record<string, string>) {
  const server = await TestingGitServer.start(tools);
  server.create('demo');
  const first = server.commit('demo', files, 'first');
  const mirrors = server.mirrors('m');
  const mirror = await mirrors.open(server.url('demo'), signal);
  return {
    server,
    first,
    mirror,
    objects: join(server.folder('m'), mirrorName(parseGitUrl(server.url('demo'))), 'objects'),
    async [Symbol.asyncDispose]() {
      await mirrors[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function commit(mirror: GitMirror, changes: Record<string, string | Uint8Array | null>, message = 'change') {
  const change = async (): Promise<FileChanges> => new Map(Object.entries(changes));
  return mirror.commit({ branch: 'main', message, author, change }, signal);
}

describe('commits of a mirror', { concurrency: 4 }, () => {
  it('a commit changes, adds and deletes files and keeps the rest', async () => {
    await using at = await open({ 'a.txt': 'a\n', 'run.sh': '#!/bin/sh\n', 'old/x': 'x', 'dir/keep': 'k' });
    const sha = await commit(
      at.mirror,
      {
        'a.txt': 'b\n',
        'old/x': null,
        'absent.txt': null,
        'dir/"odd" \\ name\n.txt': 'odd',
        'new/deep/grün.bin': Buffer.from([0, 1, 255]),
      },
      'subject\n\nbody',
    );
    assert.ok(sha);
    assert.equal(at.server.git('demo', 'rev-parse', 'main'), sha);
    assert.equal(
      at.server.git('demo', 'log', '-1', '--format=%an|%ae|%cn|%s|%b|%P', 'main'),
      `Ann  Example|ann@example.com|Ann  Example|subject|body\n|${at.first}`,
    );
    const names = (await at.mirror.listFiles(sha, '', signal)).map((file) => file.path);
    assert.deepEqual(names, ['a.txt', 'dir/"odd" \\ name\n.txt', 'dir/keep', 'new/deep/grün.bin', 'run.sh']);
    assert.deepEqual(await at.mirror.readFile(sha, 'new/deep/grün.bin', signal), Buffer.from([0, 1, 255]));
    assert.equal(at.server.git('demo', 'fsck', '--strict'), '');
  });

  it('the mode of a file stays', async () => {
    await using at = await open({ 'run.sh': '1' });
    const sha = await commit(at.mirror, { 'run.sh': '2' });
    assert.ok(sha);
    assert.match(at.server.git('demo', 'ls-tree', sha, 'run.sh'), /^100755 /);
  });

  it('nothing to change makes no commit and no push', async () => {
    await using at = await open({ 'a.txt': 'a\n' });
    at.server.requests.length = 0;
    assert.equal(await commit(at.mirror, { 'a.txt': 'a\n', 'absent.txt': null }), undefined);
    assert.deepEqual(at.server.requests, ['POST /demo.git/git-upload-pack']);
  });

  it('a change is computed from the newest head, and again when another writer was first', async () => {
    await using at = await open({ 'values.yaml': 'tag: 1\n' });
    at.server.commit('demo', { 'values.yaml': 'tag: 2\n' });
    const heads: string[] = [];
    const request = {
      branch: 'main',
      message: 'tag 3',
      author,
      change: async (head: Parameters<GitMirror['readFile']>[0]) => {
        heads.push(String(await at.mirror.readFile(head, 'values.yaml', signal)));
        if (heads.length === 1) at.server.commit('demo', { other: 'x' }, 'meanwhile');
        return new Map([['values.yaml', 'tag: 3\n']]);
      },
    };
    await at.mirror.commit(request, signal);
    assert.deepEqual(heads, ['tag: 2\n', 'tag: 2\n']);
    assert.equal(at.server.git('demo', 'log', '--format=%s', 'main').split('\n').slice(0, 2).join(), 'tag 3,meanwhile');
  });

  it('a change may read, fetch and find damage while it has the turn', async () => {
    await using at = await open({ a: '1', b: '2' });
    const change = async (head: Parameters<GitMirror['readFile']>[0]) => {
      rmSync(at.objects, { recursive: true, force: true });
      await at.mirror.fetch(signal);
      return new Map([['a', `${await at.mirror.readFile(head, 'b', signal)}3`]]);
    };
    const sha = await at.mirror.commit({ branch: 'main', message: 'm', author, change }, signal);
    assert.ok(sha);
    assert.equal(at.server.git('demo', 'show', `${sha}:a`), '23');
  });

  it('our own commit is a move for the next fetch, once', async () => {
    await using at = await open({ a: '1' });
    const sha = await commit(at.mirror, { a: '2' });
    assert.equal(await at.mirror.resolve('main', signal), sha);
    assert.deepEqual(await at.mirror.fetch(signal), { changed: true });
    assert.deepEqual(await at.mirror.fetch(signal), { changed: false });
  });

  it('a push whose answer got lost is not made twice', async () => {
    await using at = await open({ a: '1' });
    let lost = 0;
    at.server.intercept = (request, response) => {
      if (lost === 0 && request.method === 'POST' && request.url?.endsWith('/git-receive-pack')) {
        lost += 1;
        // The server does its work; only what it says does not arrive.
        response.write = () => response.destroy() !== undefined;
      }
      return false;
    };
    const sha = await commit(at.mirror, { a: '2' }, 'once');
    assert.equal(lost, 1);
    assert.equal(at.server.git('demo', 'rev-parse', 'main'), sha);
    assert.equal(at.server.git('demo', 'log', '--format=%s', 'main'), 'once\nfirst');
  });

  it('refusals say what and why', async (t) => {
    await using at = await open({ 'dir/a': '1' });
    for (const path of ['../x', '/x', 'a//b', 'a/../b', '.git/config', 'a/.GIT/x', '', 'a\0b'])
      await t.test(`path ${JSON.stringify(path)}`, async () => {
        await assert.rejects(commit(at.mirror, { [path]: 'x' }), (error) => isAppError(error, 'bad-input'));
      });
    await t.test('a folder in the place of the file', async () => {
      await assert.rejects(commit(at.mirror, { dir: 'x' }), (error) => isAppError(error, 'bad-input'));
    });
    await t.test('a branch that is not there', async () => {
      const change = async () => new Map([['a', 'b']]);
      const made = at.mirror.commit({ branch: 'nope', message: 'm', author, change }, signal);
      await assert.rejects(made, (error) => isAppError(error, 'not-found') && error.hint === 'its branches: main');
    });
    await t.test('a hook of the server', async () => {
      const hook = join(at.server.path('demo'), 'hooks', 'pre-receive');
      writeFileSync(hook, '#!/bin/sh\necho branch is frozen >&2\nexit 1\n');
      chmodSync(hook, 0o755);
      await assert.rejects(
        commit(at.mirror, { new: 'x' }),
        (error) => isAppError(error, 'forbidden') && error.message.includes('branch is frozen'),
      );
    });
  });
});
