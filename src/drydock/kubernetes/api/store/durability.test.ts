import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { getPath, getString } from '#base/json.ts';
import { configMap, configMaps, testCluster } from '../api-fixture.test.ts';

let dir: string;
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'drydock-durability-'));
});
after(() => rmSync(dir, { recursive: true, force: true }));

test('objects, versions and credentials survive a restart; watches from before are told to list again', async () => {
  const dataDir = join(dir, 'restart');
  const first = await testCluster({ dataDir });
  await first.send('POST', configMaps, { body: configMap('kept', { a: 'b' }) });
  await first.send('POST', configMaps, { body: configMap('gone') });
  await first.send('DELETE', `${configMaps}/gone`);
  const before = (await first.send('GET', configMaps)).body;
  const { port } = first.server.listening;
  const kubeconfig = first.server.kubeconfig();
  await first[Symbol.asyncDispose]();

  await using second = await testCluster({ dataDir, port });
  assert.equal(second.server.listening.port, port);
  assert.equal(second.server.kubeconfig(), kubeconfig);
  assert.deepEqual((await second.send('GET', configMaps)).body['items'], before['items']);
  const created = await second.send('POST', configMaps, { body: configMap('new') });
  const version = (value: unknown): number => Number(getString(value, 'metadata', 'resourceVersion'));
  assert.ok(version(created.body) > version(before));
  const events = await second.watch(`${configMaps}?watch=true&resourceVersion=2`, (all) => all.length > 0);
  assert.equal(getPath(events[0], 'object', 'code'), 410);
  assert.match(getString(events[0], 'object', 'message') ?? '', /^too old resource version: 2 \(\d+\)$/);
});

test('a taken port is named, with what to do', async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  const address = blocker.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  await assert.rejects(testCluster({ port }), (error: Error & { code?: string; hint?: string }) => {
    assert.equal(error.code, 'port-taken');
    assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}: the port is in use`));
    assert.match(error.hint ?? '', /choose another port/);
    return true;
  });
  blocker.close();
});

for (const file of ['objects.db', 'identity.json'])
  test(`a damaged ${file} is named, with what to do`, async () => {
    const dataDir = join(dir, `damaged-${file}`);
    const good = await testCluster({ dataDir });
    await good[Symbol.asyncDispose]();
    const path = join(dataDir, file);
    writeFileSync(path, Buffer.concat([Buffer.from('garbage'), readFileSync(path).subarray(7, 2000)]));
    await assert.rejects(testCluster({ dataDir }), (error: Error & { code?: string; hint?: string }) => {
      assert.equal(error.code, 'corrupt-data', error.message);
      assert.ok(error.message.includes(path), error.message);
      assert.ok(error.hint?.includes(path));
      return true;
    });
  });

test('a data directory serves one cluster at a time', async () => {
  const dataDir = join(dir, 'twice');
  await using _first = await testCluster({ dataDir });
  await assert.rejects(testCluster({ dataDir }), /objects\.db is in use by another process/);
});
