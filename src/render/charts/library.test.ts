import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { isAppError } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import type { RepositoryAccess } from '#model/argocd/repository-access.ts';
import { ChartRepositoryServer, packChart, packEntries, smallChart } from '../../../test/chart-repository.ts';
import { testClock } from '../../../test/clock.ts';
import { readArchive } from './archive.ts';
import { createChartLibrary } from './library.ts';
import type { AskOptions, ChartAsk, ChartLibrary } from './port.ts';

const lazy: AskOptions = { maxAgeMs: 60_000 };
const now: AskOptions = { maxAgeMs: 0 };
const soon = () => AbortSignal.timeout(20_000);

describe('a chart library', () => {
  let server: ChartRepositoryServer;
  let folder: string;
  let declared: RepositoryAccess[];
  let open: ChartLibrary[];
  beforeEach(async () => {
    server = await ChartRepositoryServer.start();
    folder = mkdtempSync(join(tmpdir(), 'charts-'));
    declared = [];
    open = [];
  });
  afterEach(async () => {
    for (const library of open) await library[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });

  function library(env: Record<string, string> = {}): ChartLibrary {
    const access = {
      find: async (url: string) => declared.find((one) => one.url === url) ?? { url, type: 'git' as const },
      list: async () => declared,
    };
    const made = createChartLibrary({
      cacheDir: folder,
      access,
      clock: { ...testClock, sleep: async () => {} },
      logger: silentLogger,
      env,
    });
    open.push(made);
    return made;
  }

  const ask = (revision: string, chart = 'web'): ChartAsk => ({
    repoURL: server.url,
    chart,
    revision,
    project: 'default',
  });

  async function fails(work: Promise<unknown>, code: string, ...words: string[]): Promise<void> {
    await assert.rejects(work, (error: unknown) => {
      assert.ok(isAppError(error), String(error));
      assert.equal(error.code, code, error.message);
      for (const word of words) assert.ok(error.message.includes(word), `${error.message} has no ${word}`);
      return true;
    });
  }

  test('a chart is a tree of its files, at the version that a constraint allows', async () => {
    for (const version of ['1.0.0', '1.2.0', '2.0.0-rc.1']) await server.publish('web', version);
    const charts = library();
    const tree = await charts.open(ask('^1'), lazy, soon());
    assert.equal(tree.revision, '1.2.0');
    assert.deepEqual(
      (await tree.listFiles('', soon())).map(({ path }) => path),
      ['Chart.yaml', 'templates/cm.yaml', 'values.yaml'],
    );
    assert.equal((await tree.readFile('values.yaml', soon()))?.toString(), 'v: web-1.2.0\n');
    assert.equal(await tree.readFile('none', soon()), undefined);
    assert.equal(await tree.objectId('none', soon()), undefined);
    assert.ok(await tree.objectId('templates', soon()));
    assert.equal((await charts.open(ask('>=1.0.0-0'), lazy, soon())).revision, '2.0.0-rc.1');
    assert.equal((await charts.open(ask('v1.0.0'), lazy, soon())).revision, 'v1.0.0');
  });

  test('what is known is not asked for again, not by a new process either', async () => {
    for (const version of ['1.0.0', '1.1.0']) await server.publish('web', version);
    const first = library();
    await first.open(ask('1.0.0'), lazy, soon());
    await first.open(ask('1.x'), lazy, soon());
    await first.open(ask('1.x'), lazy, soon());
    assert.deepEqual(server.taken(), ['index.yaml 200', 'web-1.0.0.tgz 200', 'web-1.1.0.tgz 200']);
    const second = library();
    await second.open(ask('1.0.0'), now, soon());
    assert.deepEqual(server.taken(), []);
    const { revision } = await second.open(ask('1.x'), lazy, soon());
    assert.equal(revision, '1.1.0');
    assert.deepEqual(server.taken(), ['index.yaml 304']);
    assert.deepEqual(second.counts, { questions: 1, unchanged: 1, downloads: 0 });
  });

  test('a new version is found when asked now, and a version is looked for again before it is missing', async () => {
    await server.publish('web', '1.0.0');
    const charts = library();
    assert.equal((await charts.open(ask('1.x'), lazy, soon())).revision, '1.0.0');
    await server.publish('web', '1.1.0');
    assert.equal((await charts.open(ask('1.x'), lazy, soon())).revision, '1.0.0');
    assert.equal((await charts.open(ask('1.x'), now, soon())).revision, '1.1.0');
    await server.publish('web', '1.2.0');
    assert.equal((await charts.open(ask('1.2.0'), lazy, soon())).revision, '1.2.0');
  });

  test('equal files are an equal tree, however they were packed', async () => {
    await server.publish('web', '1.0.0');
    const charts = library();
    const before = await (await charts.open(ask('1.0.0'), lazy, soon())).objectId('', soon());
    const files = Object.entries(smallChart('web', '1.0.0')).reverse();
    const archive = await packEntries(
      files.map(([path, content]) => ({ name: `web/${path}`, content, mtime: new Date(5000) })),
    );
    server.published.splice(0);
    server.add({ chart: 'web', version: '1.0.0', archive });
    const again = await charts.open(ask('1.0.0'), { maxAgeMs: 0, again: true }, soon());
    assert.equal(await again.objectId('', soon()), before);
    assert.equal(charts.counts.downloads, 2);
  });

  test('credentials go to their own host only, unless they shall be passed on', async () => {
    await using other = await ChartRepositoryServer.start();
    await server.publish('web', '1.0.0');
    const archive = await packChart('web', smallChart('web', '2.0.0'));
    server.add({ chart: 'web', version: '2.0.0', archive, url: `${other.url}/web-2.0.0.tgz` });
    other.files.set('/charts/web-2.0.0.tgz', archive);
    const authorization = `Basic ${Buffer.from('ann:secret-word').toString('base64')}`;
    server.authorization = authorization;
    await fails(library().open(ask('1.0.0'), lazy, soon()), 'unauthorized', server.url, 'no credentials');
    declared = [{ url: server.url, type: 'helm', username: 'ann', password: 'wrong-word' }];
    await fails(library().open(ask('1.0.0'), lazy, soon()), 'unauthorized', 'the credentials that are declared');
    declared = [{ url: server.url, type: 'helm', username: 'ann', password: 'secret-word' }];
    await library().open(ask('1.0.0'), lazy, soon());
    await library().open(ask('2.0.0'), lazy, soon());
    assert.deepEqual(other.authorizations, [undefined]);
    rmSync(join(folder, 'charts'), { recursive: true });
    await library().open({ ...ask('2.0.0'), passCredentials: true }, lazy, soon());
    assert.deepEqual(other.authorizations, [undefined, authorization]);
    declared = [{ url: server.url, type: 'helm', bearerToken: 'token-of-mine' }];
    server.authorization = 'Bearer token-of-mine';
    await library().open(ask('1.x'), now, soon());
  });

  test('redirects are followed, and credentials stay behind', async () => {
    await using other = await ChartRepositoryServer.start();
    await other.publish('web', '1.0.0');
    declared = [{ url: server.url, type: 'helm', username: 'ann', password: 'secret-word' }];
    server.answer = (request, response) => {
      response.writeHead(302, { location: `${new URL(other.url).origin}${request.url}` }).end();
      return true;
    };
    assert.equal((await library().open(ask('1.0.0'), lazy, soon())).revision, '1.0.0');
    assert.ok(other.authorizations.every((header) => header === undefined));
    server.answer = (_request, response) => {
      response.writeHead(302, { location: '/charts/index.yaml' }).end();
      return true;
    };
    await fails(library().open(ask('9.0.0'), lazy, soon()), 'unavailable', 'again and again');
  });

  test('what a server refuses is told with its address and what can be done', async () => {
    await server.publish('web', '1.0.0');
    for (const [status, code] of [
      [403, 'forbidden'],
      [404, 'not-found'],
      [418, 'bad-input'],
      [503, 'unavailable'],
    ] as const) {
      server.answer = (_request, response) => {
        response.writeHead(status).end();
        return true;
      };
      await fails(library().open(ask('1.0.0'), lazy, soon()), code, `${server.url}/index.yaml`, String(status));
    }
    assert.equal(server.taken().filter((line) => line.endsWith('503')).length, 3, 'only what may pass is tried again');
    let failures = 2;
    server.answer = (_request, response) => {
      if (failures-- <= 0) return false;
      response.socket?.destroy();
      return true;
    };
    await library().open(ask('1.0.0'), lazy, soon());
    server.answer = undefined;
    await fails(library().open(ask('1.0.0', 'app'), lazy, soon()), 'not-found', 'lists no chart "app"');
    await fails(library().open(ask('3.0.0'), lazy, soon()), 'not-found', 'version 3.0.0', 'it has 1.0.0');
    await fails(library().open(ask('nightly'), lazy, soon()), 'not-found', '"nightly"');
    await fails(library().open({ ...ask('1.0.0'), repoURL: 'http://127.0.0.1:1/x' }, lazy, soon()), 'unavailable');
    await fails(library().open({ ...ask('1.0.0'), chart: '' }, lazy, soon()), 'bad-input', 'no chart is named');
  });

  test('an archive that is not what it should be is refused by name', async () => {
    const file = { name: 'web/Chart.yaml', content: 'name: web\n' };
    const archives: Record<string, { archive: Buffer; code: string; words: string[]; digest?: string }> = {
      '1.0.0': { archive: Buffer.from('<html>'), code: 'bad-input', words: ['web 1.0.0', 'no readable archive'] },
      '1.0.1': {
        archive: (await packChart('web', smallChart('web', '1.0.1'))).subarray(0, 150),
        code: 'bad-input',
        words: ['no readable archive'],
      },
      '1.0.2': {
        archive: await packEntries([file, { name: 'web/../../etc/x' }]),
        code: 'bad-input',
        words: ['leads out'],
      },
      '1.0.3': { archive: await packEntries([file, { name: '/etc/passwd' }]), code: 'bad-input', words: ['leads out'] },
      '1.0.4': {
        archive: await packEntries([file, { name: 'web/l', type: 'symlink', linkname: '../../x' }]),
        code: 'bad-input',
        words: ['web/l -> ../../x'],
      },
      '1.0.5': {
        archive: await packEntries([{ name: 'web/values.yaml' }]),
        code: 'bad-input',
        words: ['no web/Chart.yaml'],
      },
      '1.0.6': {
        archive: await packEntries([file, { name: 'web/fifo', type: 'fifo' }]),
        code: 'bad-input',
        words: ['fifo'],
      },
      '1.0.7': {
        archive: await packChart('web', smallChart('web', '1.0.7')),
        digest: 'b'.repeat(64),
        code: 'corrupt-data',
        words: ['the index says bbb'],
      },
    };
    for (const [version, { archive, digest }] of Object.entries(archives))
      server.add({ chart: 'web', version, archive, ...(digest === undefined ? {} : { digest }) });
    const charts = library();
    for (const [version, { code, words }] of Object.entries(archives))
      await fails(charts.open(ask(version), lazy, soon()), code, ...words);
  });

  test('a small archive that unpacks to very much is given up on the way', async () => {
    const limits = { maxEntries: 3, maxBytes: 10_000 };
    const read = (bytes: Buffer) => readArchive(bytes, 'the archive', { limits, signal: soon() });
    const file = (name: string, size = 1) => ({ name, content: Buffer.alloc(size) });
    await fails(
      read(await packEntries(['a', 'b', 'c', 'd'].map((name) => file(name)))),
      'limit',
      'more than 3 entries',
    );
    await fails(read(await packEntries([file('a', 6000), file('b', 6000)])), 'limit', 'unpacks to more than 10000');
    await fails(read(gzipSync(Buffer.alloc(100_000_000), { level: 1 })), 'limit', 'unpacks to more than 10000');
    assert.equal((await read(await packEntries([file('a', 9999)]))).length, 1);
  });

  test('a link inside a chart stays a link, and files that can be run stay so', async () => {
    const archive = await packEntries([
      { name: './web/', type: 'directory' },
      { name: './web/Chart.yaml', content: 'name: web\n' },
      { name: './web/run.sh', content: 'x', mode: 0o755 },
      { name: './web/files/link', type: 'symlink', linkname: '../Chart.yaml' },
      { name: './web/hard', type: 'link', linkname: 'web/Chart.yaml' },
    ]);
    server.add({ chart: 'web', version: '1.0.0', archive, digest: null });
    const tree = await library().open(ask('1.0.0'), lazy, soon());
    assert.deepEqual(
      (await tree.listFiles('', soon())).map(({ path, mode }) => `${mode} ${path}`),
      ['100644 Chart.yaml', '120000 files/link', '100644 hard', '100755 run.sh'],
    );
  });

  test('a value file by URL is kept, and asked for again only whether it changed', async () => {
    server.files.set('/charts/values.yaml', Buffer.from('a: 1\n'));
    const url = `${server.url}/values.yaml`;
    const charts = library();
    const first = await charts.readUrl(url, lazy, soon());
    await charts.readUrl(url, lazy, soon());
    assert.deepEqual(server.taken(), ['values.yaml 200']);
    assert.equal((await charts.readUrl(url, now, soon())).digest, first.digest);
    assert.equal((await library().readUrl(url, now, soon())).bytes.toString(), 'a: 1\n');
    assert.deepEqual(server.taken(), ['values.yaml 304', 'values.yaml 304']);
    server.files.set('/charts/values.yaml', Buffer.from('a: 2\n'));
    assert.notEqual((await charts.readUrl(url, now, soon())).digest, first.digest);
    server.files.set('/charts/large.yaml', gzipSync(Buffer.alloc(9 * 1024 * 1024)));
    server.answer = (_request, response) => {
      response.setHeader('content-encoding', 'gzip');
      return false;
    };
    await fails(charts.readUrl(`${server.url}/large.yaml`, now, soon()), 'limit', 'large.yaml', 'larger than');
    await fails(charts.readUrl('file:///etc/passwd', now, soon()), 'bad-input', 'file:///etc/passwd');
  });

  test('a proxy that is declared is used', async () => {
    await server.publish('web', '1.0.0');
    declared = [{ url: 'http://charts.example', type: 'helm', proxy: new URL(server.url).origin }];
    const asked: string[] = [];
    server.answer = (request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(403).end();
      return true;
    };
    const direct = { ...ask('1.0.0'), repoURL: 'http://charts.example' };
    await fails(library().open(direct, lazy, soon()), 'forbidden');
    assert.deepEqual(asked, ['http://charts.example/index.yaml']);
  });
});
