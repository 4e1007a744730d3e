import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, beforeEach, describe, it } from 'node:test';
import { digestOf } from '#base/digest.ts';
import { isAppError } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import { testClock } from '../../test/clock.ts';
import { FaultyProxy } from '../../test/faulty-proxy.ts';
import { basic, indexType, manifestType, RegistryFixture } from '../../test/registry-fixture.ts';
import { mediaTypes } from './manifest.ts';
import type { Descriptor, ImageRef } from './port.ts';
import { parseReference } from './reference.ts';
import { createRegistryClient, type RegistryClientOptions } from './registry-client.ts';

let registry: RegistryFixture;
let proxy: FaultyProxy;
const { signal } = new AbortController();
const quickClock = { now: () => testClock.now(), sleep: () => Promise.resolve() };

before(async () => {
  registry = await RegistryFixture.start();
  proxy = await FaultyProxy.start(registry.url);
});
after(async () => {
  await proxy[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});
beforeEach(() => {
  proxy.fault = () => undefined;
  proxy.requests.length = 0;
});

function clientOf(options: Partial<RegistryClientOptions> = {}) {
  return createRegistryClient({
    clock: quickClock,
    logger: silentLogger,
    credentials: async () => ({ username: 'root', password: 'root-password' }),
    ...options,
  });
}

const refOf = (name: string): ImageRef => parseReference(`${proxy.host}/${name}`);

function blobOf(content: string | Buffer): {
  descriptor: Descriptor;
  digest: Descriptor['digest'];
  size: number;
  open: () => Readable;
} {
  const bytes = Buffer.from(content);
  const digest = digestOf(bytes);
  const descriptor = { mediaType: mediaTypes.ociLayer, digest, size: bytes.length };
  return { descriptor, digest, size: bytes.length, open: () => Readable.from([bytes]) };
}

async function read(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

describe('registry client', () => {
  it('pushes and reads blobs, with one token for all of them', async () => {
    await using client = clientOf();
    const ref = refOf('app/one:1');
    const blobs = ['first', 'second'].map(blobOf);
    for (const blob of blobs) await client.pushBlob(ref, blob, signal);
    for (const blob of blobs) assert.equal(await client.hasBlob(ref, blob.digest, signal), true);
    assert.equal(await read(await client.blob(ref, blobOf('first').descriptor, signal)), 'first');
    const tokens = proxy.requests.filter((line) => line.startsWith('GET /token'));
    assert.equal(tokens.length, 1);
  });

  it('does not send a blob again that is there', async () => {
    await using client = clientOf();
    const blob = blobOf('once');
    await client.pushBlob(refOf('app/once:1'), blob, signal);
    proxy.requests.length = 0;
    await client.pushBlob(refOf('app/once:1'), blob, signal);
    assert.deepEqual(proxy.requests, [`HEAD /v2/app/once/blobs/${blob.digest}`]);
  });

  it('mounts a blob of another repository', async () => {
    await using client = clientOf();
    const blob = blobOf('to be mounted');
    await client.pushBlob(refOf('app/from:1'), blob, signal);
    const open = () => assert.fail('the blob must not be read');
    await client.pushBlob(refOf('app/to:1'), { ...blob, open, mountFrom: 'app/from' }, signal);
    assert.equal(await client.hasBlob(refOf('app/to:1'), blob.digest, signal), true);
  });

  it('mounts from another registry only when that is another name for this one', async () => {
    await using client = clientOf({ mirrors: { 'docker.io': `http://${proxy.host}` } });
    const blob = blobOf('of a base');
    await client.pushBlob(refOf('library/base:1'), blob, signal);
    const from = { mountFrom: 'library/base' };
    await client.pushBlob(refOf('app/a:1'), { ...blob, ...from, mountRegistry: 'docker.io' }, signal);
    await client.pushBlob(refOf('app/b:1'), { ...blob, ...from, mountRegistry: 'ghcr.io' }, signal);
    const uploads = proxy.requests.filter((line) => /^POST .*app/.test(line)).map((line) => line.includes('mount='));
    assert.deepEqual(uploads, [true, false]);
  });

  it('goes on where a connection broke in the middle of a blob', async () => {
    await using client = clientOf();
    const blob = blobOf('0123456789'.repeat(100_000));
    await client.pushBlob(refOf('app/big:1'), blob, signal);
    proxy.once('GET', /blobs/, { kind: 'break-answer', afterBytes: 400_000 });
    const text = await read(await client.blob(refOf('app/big:1'), blob.descriptor, signal));
    assert.equal(digestOf(text), blob.digest);
    assert.equal(proxy.requests.filter((line) => line.startsWith('GET /v2/app/big/blobs')).length, 2);
  });

  it('gives up when it breaks again and again', async () => {
    await using client = clientOf({ attempts: 3 });
    const blob = blobOf('y'.repeat(100_000));
    await client.pushBlob(refOf('app/broken:1'), blob, signal);
    proxy.fault = (method) => (method === 'GET' ? { kind: 'break-answer', afterBytes: 10 } : undefined);
    const reading = client.blob(refOf('app/broken:1'), blob.descriptor, signal).then(read);
    await assert.rejects(reading, (error: unknown) => isAppError(error, 'unavailable'));
  });

  it('refuses content that has another digest', async () => {
    await using client = clientOf();
    const blob = blobOf('precious');
    await client.pushBlob(refOf('app/bad:1'), blob, signal);
    proxy.once('GET', /blobs/, { kind: 'corrupt' });
    const reading = client.blob(refOf('app/bad:1'), blob.descriptor, signal).then(read);
    await assert.rejects(reading, (error: unknown) => isAppError(error, 'corrupt-data'));
  });

  it('starts an upload again that broke off', async () => {
    await using client = clientOf();
    const blob = blobOf('z'.repeat(500_000));
    proxy.once('PUT', /uploads/, { kind: 'break-request', afterBytes: 100_000 });
    await client.pushBlob(refOf('app/again:1'), blob, signal);
    assert.equal(proxy.requests.filter((line) => line.startsWith('PUT')).length, 2);
    assert.equal(await read(await client.blob(refOf('app/again:1'), blob.descriptor, signal)), 'z'.repeat(500_000));
  });

  for (const status of [500, 503, 429])
    it(`tries again after a ${status}`, async () => {
      await using client = clientOf();
      proxy.once('GET', /tags/, { kind: 'status', status });
      await registry.pushManifest('app/tags', '1', await registry.imageOf('app/tags', 'x'));
      assert.deepEqual(await client.tags(refOf('app/tags'), signal), ['1']);
    });

  it('lists tags over all pages', async () => {
    await using client = clientOf();
    const image = await registry.imageOf('app/many', 'x');
    const tags = Array.from({ length: 12 }, (_, index) => `t${index + 10}`);
    for (const tag of tags) await registry.pushManifest('app/many', tag, image);
    const text = `http://${proxy.host}/v2/app/many/tags/list?n=5`;
    const first = await fetch(text, { headers: { authorization: basic('root', 'root-password') } });
    assert.ok(first.headers.get('link'), 'the registry pages');
    assert.deepEqual(await client.tags(refOf('app/many'), signal), tags);
  });

  it('tells apart what is missing, forbidden, unknown and down', async () => {
    const codes: unknown[] = [];
    const record = async (work: Promise<unknown>) =>
      codes.push(
        await work.then(
          (value) => value,
          (error: unknown) => (isAppError(error) ? error.code : error),
        ),
      );
    await using root = clientOf();
    await using nobody = clientOf({ credentials: async () => undefined });
    await using wrong = clientOf({ credentials: async () => ({ username: 'root', password: 'wrong' }) });
    await using reader = clientOf({ credentials: async () => ({ username: 'reader', password: 'reader-password' }) });
    const blob = blobOf('q');
    await record(root.manifest(refOf('app/none:1'), signal));
    await record(root.image(refOf('app/none:1'), signal));
    await record(nobody.pushBlob(refOf('team/app:1'), blob, signal));
    await record(wrong.pushBlob(refOf('team/app:1'), blob, signal));
    await record(reader.pushBlob(refOf('team/app:1'), blob, signal));
    await record(root.manifest(parseReference('127.0.0.1:1/app:1'), signal));
    await record(root.manifest(refOf('app/none:1'), AbortSignal.abort()));
    assert.deepEqual(codes, [
      undefined,
      'not-found',
      'unauthorized',
      'unauthorized',
      'forbidden',
      'unavailable',
      'canceled',
    ]);
  });

  it('asks a mirror first, and the registry itself for what the mirror lacks', async () => {
    await using client = clientOf({ mirrors: { 'docker.io': `http://${proxy.host}` } });
    const digest = (
      await registry.pushManifest('library/node', '24', await registry.imageOf('library/node', 'n'))
    ).headers.get('docker-content-digest');
    assert.equal((await client.manifest(parseReference('node:24'), signal))?.digest, digest);
    await using other = clientOf({ mirrors: { [proxy.host]: 'http://127.0.0.1:1' }, attempts: 1 });
    assert.equal((await other.manifest(refOf('library/node:24'), signal))?.digest, digest);
  });
});

describe('images', () => {
  it('follows an index to the platform', async () => {
    const manifests = [];
    for (const architecture of ['amd64', 'arm64']) {
      const config = JSON.stringify({
        architecture,
        os: 'linux',
        config: {},
        rootfs: { type: 'layers', diff_ids: [] },
      });
      const digest = await registry.pushBlob('multi', config);
      const descriptor = { mediaType: mediaTypes.ociConfig, digest, size: config.length };
      const image = { schemaVersion: 2, mediaType: manifestType, config: descriptor, layers: [] };
      const put = await registry.pushManifest('multi', digestOf(JSON.stringify(image)), image);
      assert.equal(put.status, 201);
      const size = JSON.stringify(image).length;
      const platform = { os: 'linux', architecture };
      manifests.push({ mediaType: manifestType, digest: digestOf(JSON.stringify(image)), size, platform });
    }
    const index = { schemaVersion: 2, mediaType: indexType, manifests };
    await registry.pushManifest('multi', '1', index);
    await using client = clientOf({ platform: { os: 'linux', architecture: 'arm64' } });
    const image = await client.image(refOf('multi:1'), signal);
    assert.deepEqual(
      [image.config.architecture, image.digest, image.manifestDigest],
      ['arm64', digestOf(JSON.stringify(index)), manifests[1]?.digest],
    );
    await using riscv = clientOf({ platform: { os: 'linux', architecture: 'riscv64' } });
    await assert.rejects(riscv.image(refOf('multi:1'), signal), /only linux\/amd64, linux\/arm64/);
  });

  it('refuses a manifest that is not the one asked for', async () => {
    await using client = clientOf();
    const put = await registry.pushManifest('app/m', '1', await registry.imageOf('app/m', 'x'));
    assert.equal((await client.manifest(refOf('app/m:1'), signal))?.digest, put.headers.get('docker-content-digest'));
    proxy.once('GET', /manifests/, { kind: 'corrupt' });
    await assert.rejects(client.manifest(refOf('app/m:1'), signal), (error: unknown) =>
      isAppError(error, 'corrupt-data'),
    );
  });
});
