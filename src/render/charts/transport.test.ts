import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import { clusterIdentity } from '#drydock/kubernetes/api/credential/certificates.ts';
import type { RepositoryAccess } from '#model/argocd/repository-access.ts';
import { ChartRepositoryServer } from '../../../test/chart-repository.ts';
import { testClock, testEntropy } from '../../../test/clock.ts';
import { Connections } from './connections.ts';
import { type Download, download } from './download.ts';
import { FileStore } from './file-store.ts';

const soon = () => AbortSignal.timeout(20_000);
const clock = { ...testClock, sleep: async () => {} };

async function fetchIndex(
  server: ChartRepositoryServer,
  access: Partial<RepositoryAccess>,
  more: Partial<Download> = {},
) {
  await using connections = new Connections({});
  const ask: Download = {
    url: `${server.url}/index.yaml`,
    what: 'the index',
    access: { url: server.url, type: 'helm', ...access },
    origin: new URL(server.url).origin,
    maxBytes: 10_000,
    timeoutMs: 5000,
    ...more,
  };
  return await download({ clock, connections }, ask, soon());
}

async function fails(work: Promise<unknown>, code: string, words: RegExp): Promise<void> {
  await assert.rejects(work, (error: unknown) => isAppError(error) && error.code === code && words.test(error.message));
}

test('a server is trusted by its authority, or by whoever says so, and may want to know who asks', async () => {
  const { authority, server: own, admin } = clusterIdentity({ clock: testClock, entropy: testEntropy }, undefined);
  const tls = { key: own.keyPem, cert: own.certificatePem };
  await using server = await ChartRepositoryServer.start(tls);
  server.writeIndex();
  await fails(fetchIndex(server, {}), 'unavailable', /certificate/);
  assert.equal((await fetchIndex(server, { caData: authority.certificatePem })).kind, 'content');
  assert.equal((await fetchIndex(server, { insecure: true })).kind, 'content');
  const asks = { ...tls, ca: authority.certificatePem, requestCert: true, rejectUnauthorized: true };
  await using strict = await ChartRepositoryServer.start(asks);
  strict.writeIndex();
  const caData = authority.certificatePem;
  await fails(fetchIndex(strict, { caData }), 'unavailable', /index/);
  const client = { tlsClientCertData: admin.certificatePem, tlsClientCertKey: admin.keyPem };
  assert.equal((await fetchIndex(strict, { caData, ...client })).kind, 'content');
});

test('what is slow, too large or cut off is given up with its address', async () => {
  await using server = await ChartRepositoryServer.start();
  server.answer = () => true;
  await fails(fetchIndex(server, {}, { timeoutMs: 50 }), 'timeout', /did not come within 50 ms: http.*index\.yaml/);
  server.answer = (_request, response) => {
    response.writeHead(200).end(Buffer.alloc(10_001));
    return true;
  };
  await fails(fetchIndex(server, {}), 'limit', /larger than 10000 bytes/);
  server.answer = (_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('half');
    setImmediate(() => response.destroy());
    return true;
  };
  server.taken();
  await fails(fetchIndex(server, {}), 'unavailable', /cannot be reached/);
  assert.equal(server.taken().length, 3, 'it is tried again');
  server.answer = (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip');
    return true;
  };
  await fails(fetchIndex(server, {}), 'unavailable', /damaged/);
});

test('an address never shows its password', async () => {
  await using server = await ChartRepositoryServer.start();
  const url = server.url.replace('http://', 'http://ann:hidden-word@');
  await assert.rejects(fetchIndex(server, {}, { url: `${url}/none` }), (error: unknown) => {
    assert.ok(isAppError(error, 'not-found'));
    assert.doesNotMatch(error.message, /hidden-word/);
    return true;
  });
});

test('files on disk are bounded, and one that is damaged is no file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'store-'));
  try {
    let now = 1_000_000;
    const aging = { ...clock, now: () => (now += 60_000) };
    const store = new FileStore({ folder, clock: aging, logger: silentLogger, maxBytes: 3000 });
    const first = await store.put(Buffer.alloc(1000, 1));
    for (let index = 2; index <= 63; index += 1) {
      await store.put(Buffer.alloc(1000, index));
      await store.get(first);
    }
    await store.put(Buffer.alloc(1000, 64));
    const files = readdirSync(join(folder, 'files'), { recursive: true }).filter((name) => String(name).length > 60);
    assert.ok(files.length <= 3, String(files.length));
    assert.ok(await store.get(first), 'what is used stays');
    writeFileSync(join(folder, 'files', first.slice(0, 2), first), 'other');
    assert.equal(await store.get(first), undefined);
    assert.equal(await store.has(first), false);
    await store.putRecord('a', { x: 1 });
    assert.equal((await store.getRecord('a'))?.['x'], 1);
    for (const name of readdirSync(join(folder, 'records'))) writeFileSync(join(folder, 'records', name), '{');
    assert.equal(await store.getRecord('a'), undefined);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
