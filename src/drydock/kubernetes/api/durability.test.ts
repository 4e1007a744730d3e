import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { getArray, getPath, getString } from '#base/json.ts';
import { configMap, configMaps, testCluster } from './api-fixture.test.ts';

/** A process that creates objects for ever and prints the name of each that was acknowledged. */
const endlessWriter = `
  import { Journal } from '${import.meta.dirname}/journal.ts';
  import { Store } from '${import.meta.dirname}/store.ts';
  const store = new Store(new Journal(process.argv[1]));
  const lane = async (lane) => {
    for (let n = 0; ; n += 1) {
      const name = 'o' + lane + '-' + n;
      const metadata = { name, namespace: 'default', uid: name, labels: {} };
      const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata, data: { text: 'x'.repeat(500) } };
      await store.put({ storage: 'configmaps', key: 'default/' + name }, object, undefined);
      process.stdout.write(name + '\\n');
    }
  };
  for (const n of [0, 1, 2, 3]) void lane(n);
`;

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

test('SIGKILL during writes loses none that was acknowledged', async () => {
  const dataDir = join(dir, 'killed');
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', endlessWriter, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let acknowledged: string[] = [];
  let text = '';
  for await (const chunk of child.stdout) {
    text += String(chunk);
    acknowledged = text.split('\n').slice(0, -1);
    if (acknowledged.length >= 200 && !child.killed) child.kill('SIGKILL');
  }
  await using cluster = await testCluster({ dataDir });
  const list = await cluster.send('GET', configMaps);
  const found = new Set(getArray(list.body, 'items').map((item) => getString(item, 'metadata', 'name')));
  assert.deepEqual(
    acknowledged.filter((name) => !found.has(name)),
    [],
  );
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
