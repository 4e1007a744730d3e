import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { testClock, testEntropy } from '../../test/clock.ts';
import { toolPath } from '../../test/tools.ts';
import { TestingGitServer } from './testing-server.ts';

const signal = new AbortController().signal;
const tools = { gitPath: toolPath('git'), clock: testClock, entropy: testEntropy };

describe('a mirror', { concurrency: 4 }, () => {
  it('reads branches, trees, files and commits of a remote', async () => {
    await using server = await TestingGitServer.start(tools);
    server.create('demo');
    const first = server.commit('demo', { 'a.txt': 'one\n', 'dir/b.txt': 'b\n', 'dir/sub/c.txt': 'c\n' }, 'first');
    const second = server.commit('demo', { 'a.txt': 'two\n', 'dir.yaml': 'x\n' }, 'second\n\nWith a body.');
    await using mirrors = server.mirrors('m');
    const mirror = await mirrors.open(server.url('demo'), signal);
    const head = await mirror.resolve('', signal);
    assert.equal(head, second);
    assert.equal(await mirror.defaultBranch(signal), 'main');
    assert.equal(String(await mirror.readFile(head, 'a.txt', signal)), 'two\n');
    assert.equal(await mirror.readFile(head, 'dir', signal), undefined);
    assert.equal(await mirror.objectId(head, 'nothing/here', signal), undefined);
    const files = await mirror.listFiles(head, '', signal);
    assert.deepEqual(
      files.map((file) => file.path),
      server.git('demo', 'ls-tree', '-r', '--name-only', 'main').split('\n'),
    );
    assert.deepEqual(
      (await mirror.listFiles(head, 'dir', signal)).map((file) => file.path),
      ['dir/b.txt', 'dir/sub/c.txt'],
    );
    assert.equal(await mirror.objectId(head, 'dir', signal), server.git('demo', 'rev-parse', 'main:dir'));
    assert.equal(await mirror.objectId(head, '', signal), server.git('demo', 'rev-parse', 'main^{tree}'));
    const info = await mirror.commitInfo(head, signal);
    assert.equal(info.subject, 'second');
    assert.equal(info.body, 'With a body.');
    assert.deepEqual(info.parents, [first]);
    assert.deepEqual(info.author, { name: 'Dev', email: 'dev@example.com' });
    const log = await mirror.log({ from: head, limit: 10, paths: ['dir'] }, signal);
    assert.deepEqual(
      log.map((commit) => commit.sha),
      [first],
    );
    const before = await mirror.resolve(first.slice(0, 10), signal);
    assert.equal(before, first);
    assert.deepEqual(await mirror.changedPaths(before, head, signal), ['a.txt', 'dir.yaml']);
    await assert.rejects(mirror.listFiles(head, 'absent', signal), (error) => isAppError(error, 'not-found'));
  });

  it('fetch brings what was pushed, and costs one request when nothing was', async () => {
    await using server = await TestingGitServer.start(tools);
    server.create('demo');
    server.commit('demo', { a: '1' });
    await using mirrors = server.mirrors('m');
    const mirror = await mirrors.open(server.url('demo'), signal);
    server.requests.length = 0;
    assert.deepEqual(await mirror.fetch(signal), { changed: false });
    assert.deepEqual(server.requests, ['POST /demo.git/git-upload-pack']);
    const pushed = server.commit('demo', { a: '2' });
    assert.deepEqual(await mirror.fetch(signal), { changed: true });
    assert.equal(await mirror.resolve('main', signal), pushed);
  });

  it('what the short way cannot bring, git brings', async (t) => {
    await using server = await TestingGitServer.start(tools);
    server.create('demo');
    server.commit('demo', { a: '1' });
    const isQuick = (request: IncomingMessage) => request.headers['user-agent'] === 'git/slipway';
    await t.test('a server that does not know it is not asked forever', async () => {
      let asked = 0;
      server.intercept = (request, response) => {
        if (!isQuick(request)) return false;
        asked += 1;
        response.writeHead(400).end();
        return true;
      };
      await using mirrors = server.mirrors('old');
      const mirror = await mirrors.open(server.url('demo'), signal);
      for (const content of ['2', '3', '4', '5']) {
        const pushed = server.commit('demo', { a: content });
        await mirror.fetch(signal);
        assert.equal(await mirror.resolve('main', signal), pushed);
      }
      assert.equal(asked, 4);
    });
    await t.test('a pack that is damaged on the way', async () => {
      server.intercept = () => false;
      await using mirrors = server.mirrors('damaged');
      const mirror = await mirrors.open(server.url('demo'), signal);
      server.intercept = (request, response) => {
        const write = response.write.bind(response);
        if (isQuick(request))
          response.write = (chunk: Buffer) =>
            write(Buffer.from(chunk.toString('latin1').replace('PACK', 'KCAP'), 'latin1'));
        return false;
      };
      const pushed = server.commit('demo', { a: '6' });
      assert.deepEqual(await mirror.fetch(signal), { changed: true });
      assert.equal(String(await mirror.readFile(await mirror.resolve('main', signal), 'a', signal)), '6');
      assert.equal(await mirror.resolve('main', signal), pushed);
    });
    await t.test('more than a few objects', async () => {
      server.intercept = () => false;
      await using mirrors = server.mirrors('many');
      const mirror = await mirrors.open(server.url('demo'), signal);
      const files = Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`dir/${index}`, `${index}`]));
      server.commit('demo', files);
      await mirror.fetch(signal);
      assert.equal((await mirror.listFiles(await mirror.resolve('main', signal), 'dir', signal)).length, 600);
    });
  });

  it('20 commits of three writers at once all arrive', async () => {
    await using server = await TestingGitServer.start(tools);
    server.create('demo');
    server.commit('demo', { 'values.yaml': 'log:\n' });
    const writers = ['w0', 'w1', 'w2'].map((name) => server.mirrors(name));
    const author = { name: 'Bot', email: 'bot@example.com' };
    try {
      const mirrors = await Promise.all(writers.map((writer) => writer.open(server.url('demo'), signal)));
      const commits = Array.from({ length: 20 }, (_, index) => {
        const mirror = mirrors[index % mirrors.length];
        assert.ok(mirror);
        const change = async (head: Parameters<typeof mirror.readFile>[0]) => {
          const text = String(await mirror.readFile(head, 'values.yaml', signal));
          return new Map([['values.yaml', `${text}- ${index}\n`]]);
        };
        return mirror.commit({ branch: 'main', message: `entry ${index}`, author, change }, signal);
      });
      const shas = await Promise.all(commits);
      assert.equal(new Set(shas).size, 20);
      const lines = server.git('demo', 'show', 'main:values.yaml').split('\n').slice(1).sort();
      assert.deepEqual(lines, Array.from({ length: 20 }, (_, index) => `- ${index}`).sort());
      assert.equal(server.git('demo', 'rev-list', '--count', 'main'), '21');
    } finally {
      for (const writer of writers) await writer[Symbol.asyncDispose]();
    }
    assert.ok(readdirSync(server.folder('w0')).length > 0);
  });
});
