import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { getArray } from '#base/json.ts';
import { configMap, configMaps, type TestCluster, testCluster } from '../api-fixture.test.ts';
import { type Pick, seeded, seeds } from '../seeds-fixture.test.ts';
import { seen, WatchMirror } from './watch-mirror-fixture.test.ts';

const partial =
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
const views = [
  { path: `${configMaps}?` },
  { path: `/api/v1/configmaps?labelSelector=x%3D1&` },
  { path: `${configMaps}?labelSelector=x%20notin%20(1)&fieldSelector=metadata.name!%3Dkube-root-ca.crt&` },
  { path: `${configMaps}?fieldSelector=metadata.name%3Do3&` },
  { path: `${configMaps}?labelSelector=x%3D0&`, accept: partial },
];

/** Random writes; those that the server refuses, or cannot answer while it starts again, are none. */
async function write(cluster: () => TestCluster, pick: Pick, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const name = `o${pick(12)}`;
    const labels = { x: String(pick(2)) };
    const body = configMap(name, { n: String(pick(1000)), fill: 'x'.repeat(15_000) }, labels);
    const sent = (): Promise<unknown> => {
      switch (pick(6)) {
        case 5: {
          // Versions move on by other kinds, too.
          const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { generateName: 's-' } };
          return cluster().send('POST', '/api/v1/namespaces/default/secrets', { body: secret });
        }
        case 0:
          return cluster().send('DELETE', `${configMaps}/${name}`);
        case 1:
          return cluster().send('PUT', `${configMaps}/${name}`, { body });
        case 2: {
          const patch = { metadata: { labels }, data: { n: String(pick(1000)) } };
          return cluster().send('PATCH', `${configMaps}/${name}`, {
            body: patch,
            type: 'application/merge-patch+json',
          });
        }
        default:
          return cluster().send('POST', configMaps, { body });
      }
    };
    await sent().catch(() => delay(10));
  }
}

for (const seed of seeds(1))
  test(`a list and a watch from its version equal a later list: load, drops, restarts, selectors, pages; seed ${seed}`, async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'drydock-mirror-'));
    const pick = seeded(seed);
    let cluster = await testCluster({ dataDir });
    const { url, port } = cluster.server.listening;
    const { caPem: ca, adminToken: token } = cluster.server;
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rmSync(dataDir, { recursive: true, force: true }));
    stack.defer(() => cluster[Symbol.asyncDispose]());
    const mirrors = views.map((view, n) => {
      const mirror = new WatchMirror({ url, ca, token, ...view, pick: seeded(seed * 100 + n) });
      return stack.use(mirror);
    });
    for (let restart = 0; restart <= 2; restart += 1) {
      if (restart > 0) {
        const writing = write(() => cluster, pick, 10);
        await cluster[Symbol.asyncDispose]();
        await writing;
        cluster = await testCluster({ dataDir, port });
      }
      await Promise.all(
        [1, 2, 3, 4].map((lane) => write(() => cluster, seeded(seed * 10 + lane + restart * 1000), 60)),
      );
    }
    for (const [n, view] of views.entries()) {
      const accept = view.accept === undefined ? {} : { accept: view.accept };
      const list = await cluster.send('GET', view.path.slice(0, -1), accept);
      const want = getArray(list.body, 'items').map(seen).sort();
      const mirror = mirrors[n];
      assert.ok(mirror);
      for (let tries = 0; tries < 300 && !same(mirror.state, want) && !mirror.failure; tries += 1) await delay(10);
      assert.equal(mirror.failure, undefined, view.path);
      assert.deepEqual(mirror.state, want, view.path);
      assert.ok(mirror.lists >= 1 && mirror.resumed > mirror.lists, `${mirror.lists} lists, ${mirror.resumed} watches`);
    }
    assert.ok((mirrors[0]?.events ?? 0) > 100);
  });

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
