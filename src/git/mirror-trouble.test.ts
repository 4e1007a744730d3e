import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { testClock, testEntropy } from '../../test/clock.ts';
import { toolPath } from '../../test/tools.ts';
import { TestingGitServer } from './testing-server.ts';
import { mirrorName, parseGitUrl } from './url.ts';

const signal = new AbortController().signal;
const tools = { gitPath: toolPath('git'), clock: testClock, entropy: testEntropy };

async function start() {
  const server = await TestingGitServer.start(tools);
  server.create('demo');
  const first = server.commit('demo', { 'a.txt': 'one\n', 'dir/b.txt': 'two\n' });
  return Object.assign(server, {
    first,
    mirrorDir: (mirrors: string) => join(server.folder(mirrors), mirrorName(parseGitUrl(server.url('demo')))),
  });
}

describe('a mirror in trouble', { concurrency: 4 }, () => {
  it('a remote that cannot be read says why, and can be opened once it can', async (t) => {
    await using server = await start();
    await using mirrors = server.mirrors('m');
    await t.test('wrong credentials', async () => {
      server.intercept = (_request, response) => {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
        return true;
      };
      await assert.rejects(mirrors.open(server.url('demo'), signal), (error) => isAppError(error, 'unauthorized'));
    });
    await t.test('forbidden', async () => {
      server.intercept = (_request, response) => response.writeHead(403).end() !== undefined;
      await assert.rejects(mirrors.open(server.url('demo'), signal), (error) => isAppError(error, 'forbidden'));
    });
    await t.test('down', async () => {
      server.intercept = (_request, response) => response.writeHead(502).end() !== undefined;
      await assert.rejects(mirrors.open(server.url('demo'), signal), (error) => isAppError(error, 'unavailable'));
    });
    await t.test('no such repository', async () => {
      server.intercept = () => false;
      await assert.rejects(mirrors.open(server.url('absent'), signal), (error) => isAppError(error, 'not-found'));
    });
    await t.test('well again', async () => {
      const mirror = await mirrors.open(server.url('demo'), signal);
      assert.equal(await mirror.resolve('main', signal), server.first);
    });
  });

  it('a redirect is followed without credentials, and refused with them', async () => {
    await using server = await start();
    server.intercept = (request, response) => {
      if (!request.url?.startsWith('/old.git')) return false;
      response.writeHead(301, { location: request.url.replace('/old.git', '/demo.git') }).end();
      return true;
    };
    await using open = server.mirrors('open');
    const mirror = await open.open(server.url('old'), signal);
    assert.equal(await mirror.resolve('main', signal), server.first);
    server.credentials = { username: 'bot', password: 'password-of-the-bot' };
    await using secret = server.mirrors('secret');
    await assert.rejects(
      secret.open(server.url('old'), signal),
      (error) => isAppError(error, 'not-found') && /new address/.test(error.hint ?? ''),
    );
  });

  it('credentials are sent, and stand neither on disk nor in an address', async () => {
    await using server = await start();
    server.credentials = { username: 'bot', password: 'password-of-the-bot' };
    await using mirrors = server.mirrors('m');
    const mirror = await mirrors.open(server.url('demo'), signal);
    const change = async () => new Map([['a.txt', 'changed\n']]);
    await mirror.commit(
      { branch: 'main', message: 'm', author: { name: 'B', email: 'b@example.com' }, change },
      signal,
    );
    assert.equal(server.git('demo', 'show', 'main:a.txt'), 'changed');
    const files = readdirSync(server.folder('m'), { recursive: true, withFileTypes: true });
    for (const file of files.filter((entry) => entry.isFile()))
      assert.ok(!readFileSync(join(file.parentPath, file.name)).includes('password-of-the-bot'), file.name);
  });

  it('revisions that are not there', async (t) => {
    await using server = await start();
    await using mirrors = server.mirrors('m');
    const mirror = await mirrors.open(server.url('demo'), signal);
    await t.test('a name like another', async () => {
      await assert.rejects(
        mirror.resolve('mian', signal),
        (error) =>
          isAppError(error, 'not-found') && error.hint === 'did you mean main?' && error.message.includes('"mian"'),
      );
    });
    await t.test('a commit nobody has', async () => {
      await assert.rejects(mirror.resolve('1'.repeat(40), signal), (error) => isAppError(error, 'not-found'));
    });
    await t.test('a branch that was pushed just now is found without a fetch', async () => {
      const sha = server.commit('demo', { 'x.txt': 'x' }, 'on a branch', 'feature/x');
      assert.equal(await mirror.resolve('feature/x', signal), sha);
    });
    await t.test('the head of a pull request', async () => {
      const sha = server.commit('demo', { 'y.txt': 'y' }, 'for review', 'temporary');
      server.git('demo', 'update-ref', 'refs/pull/7/head', sha);
      server.git('demo', 'update-ref', '-d', 'refs/heads/temporary');
      assert.equal(await mirror.resolve('refs/pull/7/head', signal), sha);
      assert.equal(String(await mirror.readFile(await mirror.resolve(sha, signal), 'y.txt', signal)), 'y');
    });
    await t.test('an annotated tag is its commit', async () => {
      server.git('demo', 'tag', '-a', '-m', 'release', 'v1.0.0', server.first);
      assert.equal(await mirror.resolve('v1.0.0', signal), server.first);
      assert.equal(await mirror.resolve('^1.0', signal), server.first);
    });
    await t.test('an empty repository', async () => {
      server.create('empty');
      const empty = await mirrors.open(server.url('empty'), signal);
      await assert.rejects(
        empty.resolve('HEAD', signal),
        (error) => isAppError(error, 'not-found') && /push a commit first/.test(error.hint ?? ''),
      );
    });
  });

  it('a damaged mirror is cloned anew', async (t) => {
    const damages: { name: string; damage: (dir: string) => void }[] = [
      { name: 'HEAD is gone', damage: (dir) => rmSync(join(dir, 'HEAD')) },
      { name: 'HEAD is garbage', damage: (dir) => writeFileSync(join(dir, 'HEAD'), '\0\0\0') },
      { name: 'the objects are gone', damage: (dir) => rmSync(join(dir, 'objects'), { recursive: true }) },
      { name: 'every object is empty', damage: (dir) => eachObject(dir, (path) => writeFileSync(path, '')) },
      { name: 'every object is garbage', damage: (dir) => eachObject(dir, (path) => writeFileSync(path, 'garbage')) },
      { name: 'the config is garbage', damage: (dir) => writeFileSync(join(dir, 'config'), '[[[') },
      {
        name: 'a folder that is something else',
        damage: (dir) => {
          rmSync(dir, { recursive: true });
          writeFileSync(dir, 'a file');
        },
      },
    ];
    await using shared = await start();
    {
      await using mirrors = shared.mirrors('whole');
      await mirrors.open(shared.url('demo'), signal);
    }
    for (const { name, damage } of damages) {
      await t.test(`${name}, found when opened`, async () => {
        const server = shared;
        cpSync(server.folder('whole'), server.folder(name), { recursive: true });
        damage(server.mirrorDir(name));
        await using mirrors = server.mirrors(name);
        const mirror = await mirrors.open(server.url('demo'), signal);
        const head = await mirror.resolve('main', signal);
        assert.equal(String(await mirror.readFile(head, 'dir/b.txt', signal)), 'two\n');
        assert.ok(existsSync(`${server.mirrorDir(name)}.damaged`));
      });
    }
    await t.test('objects that break while it is open', async () => {
      await using server = await start();
      await using mirrors = server.mirrors('m');
      const mirror = await mirrors.open(server.url('demo'), signal);
      const head = await mirror.resolve('main', signal);
      rmSync(join(server.mirrorDir('m'), 'objects'), { recursive: true });
      const reads = ['a.txt', 'dir/b.txt'].map((path) => mirror.readFile(head, path, signal));
      assert.deepEqual((await Promise.all(reads)).map(String), ['one\n', 'two\n']);
      const pushed = server.commit('demo', { 'a.txt': 'three\n' });
      await mirror.fetch(signal);
      assert.equal(await mirror.resolve('main', signal), pushed);
    });
  });

  it('what a killed process left behind does not stop the next', async () => {
    await using server = await start();
    {
      await using mirrors = server.mirrors('m');
      await mirrors.open(server.url('demo'), signal);
    }
    const dir = server.mirrorDir('m');
    writeFileSync(join(dir, 'packed-refs.lock'), '');
    writeFileSync(join(dir, 'refs/heads/main.lock'), '');
    const pushed = server.commit('demo', { 'a.txt': 'two\n' });
    let elapsed = 0;
    const now = () => {
      elapsed += 1_000;
      return testClock.now() + elapsed;
    };
    await using mirrors = server.mirrors('m', { clock: { ...testClock, now } });
    const mirror = await mirrors.open(server.url('demo'), signal);
    await mirror.fetch(signal);
    assert.equal(await mirror.resolve('main', signal), pushed);
  });

  it('branches that go away, move back or swap file and folder are followed', async () => {
    await using server = await start();
    server.commit('demo', { 'b.txt': 'b' }, 'second');
    server.commit('demo', { 'c.txt': 'c' }, 'topic', 'topic');
    await using mirrors = server.mirrors('m');
    const mirror = await mirrors.open(server.url('demo'), signal);
    await mirror.resolve('topic', signal);
    server.git('demo', 'update-ref', 'refs/heads/main', server.first);
    server.git('demo', 'update-ref', '-d', 'refs/heads/topic');
    server.git('demo', 'update-ref', 'refs/heads/topic/sub', server.first);
    assert.deepEqual(await mirror.fetch(signal), { changed: true });
    assert.equal(await mirror.resolve('main', signal), server.first);
    assert.equal(await mirror.resolve('topic/sub', signal), server.first);
    await assert.rejects(mirror.resolve('refs/heads/topic', signal), (error) => isAppError(error, 'not-found'));
  });

  it('a proxy is used where the environment says so, and not where it says not', async () => {
    await using server = await start();
    const env = { http_proxy: 'http://127.0.0.1:9' };
    await using behind = server.mirrors('behind', { env });
    await assert.rejects(behind.open(server.url('demo'), signal), (error) => isAppError(error, 'unavailable'));
    assert.deepEqual(server.requests, []);
    await using beside = server.mirrors('beside', { env: { ...env, no_proxy: '127.0.0.1' } });
    const mirror = await beside.open(server.url('demo'), signal);
    server.requests.length = 0;
    await mirror.fetch(signal);
    assert.deepEqual(server.requests, ['POST /demo.git/git-upload-pack']);
  });

  it('concurrent fetches share a request', async () => {
    await using server = await start();
    await using mirrors = server.mirrors('m');
    const mirror = await mirrors.open(server.url('demo'), signal);
    server.requests.length = 0;
    await Promise.all(Array.from({ length: 10 }, () => mirror.fetch(signal)));
    assert.ok(server.requests.length <= 2, `${server.requests.length} requests`);
    assert.equal(await mirrors.open(server.url('demo').replace(/\.git$/, ''), signal), mirror);
  });

  it('closing ends what runs', async () => {
    await using server = await start();
    const mirrors = server.mirrors('m');
    const mirror = await mirrors.open(server.url('demo'), signal);
    server.intercept = () => true;
    const hanging = mirror.fetch(signal);
    const closed = mirrors[Symbol.asyncDispose]();
    await assert.rejects(hanging, (error) => isAppError(error, 'canceled'));
    await closed;
    await assert.rejects(mirrors.open(server.url('demo'), signal), (error) => isAppError(error, 'canceled'));
  });
});

function eachObject(dir: string, change: (path: string) => void): void {
  const files = readdirSync(join(dir, 'objects'), { recursive: true, withFileTypes: true });
  for (const file of files) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    rmSync(path, { force: true });
    change(path);
  }
}
