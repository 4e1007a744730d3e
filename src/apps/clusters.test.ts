import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import { createKubeClient } from '#kube/client.ts';
import { createInformerSet } from '#kube/informer.ts';
import type { Informer, InformerEvent, KubeClient, KubeObject } from '#kube/port.ts';
import { defaultSettings } from '#model/argocd/settings.ts';
import { testClock, testEntropy } from '../../test/clock.ts';
import { type ClusterChange, Clusters } from './clusters.ts';

/** Secrets that the test writes. */
class Secrets implements Informer {
  readonly resource = {
    group: '',
    version: 'v1',
    kind: 'Secret',
    plural: 'secrets',
    namespaced: true,
    verbs: [],
    subresources: [],
  };
  readonly synced = true;
  readonly #objects = new Map<string, KubeObject>();
  #listener: (event: InformerEvent) => void = () => {};
  async whenSynced(): Promise<void> {}
  get({ name }: { name: string }): KubeObject | undefined {
    return this.#objects.get(name);
  }
  list(): KubeObject[] {
    return [...this.#objects.values()];
  }
  subscribe(listener: (event: InformerEvent) => void): () => void {
    this.#listener = listener;
    return () => {};
  }
  write(secret: string, data: Record<string, string>, labels: Record<string, string> = {}): void {
    const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
    const object = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: secret,
        namespace: 'argocd',
        labels: { 'argocd.argoproj.io/secret-type': 'cluster', ...labels },
      },
      data: Object.fromEntries(encoded),
    };
    const previous = this.#objects.get(secret);
    this.#objects.set(secret, object);
    this.#listener({ type: 'upsert', object, previous });
  }
  remove(secret: string): void {
    const object = this.#objects.get(secret);
    this.#objects.delete(secret);
    if (object) this.#listener({ type: 'delete', object });
  }
}

/** A client whose server nobody listens at. */
function nobody(server: string): KubeClient {
  const access = async () => {
    throw new AppError('unauthorized', 'no credentials in this test');
  };
  return createKubeClient({ target: { server, access }, clock: testClock, logger: silentLogger });
}

async function world() {
  const stack = new AsyncDisposableStack();
  const cacheDir = mkdtempSync(join(tmpdir(), 'clusters-'));
  stack.defer(() => rmSync(cacheDir, { recursive: true, force: true }));
  const secrets = new Secrets();
  const kube = stack.use(nobody('https://10.0.0.1:6443'));
  const common = { clock: testClock, entropy: testEntropy, logger: silentLogger };
  const informers = stack.use(createInformerSet({ client: kube, ...common }));
  const settings = { ...defaultSettings };
  const opened: string[] = [];
  const clusters = stack.use(
    new Clusters({
      home: { kube, informers },
      instance: { namespace: 'argocd', configMaps: new Secrets(), secrets },
      settings: () => settings,
      ...common,
      cacheDir,
      connect: async ({ name, server, config }) => {
        if (config === 'broken') throw new AppError('bad-input', `the config of cluster "${name}" is not JSON`);
        opened.push(name);
        return nobody(server);
      },
    }),
  );
  await clusters.start();
  const changes: ClusterChange[] = [];
  clusters.subscribe((change) => changes.push(change));
  const named = (destination: { server?: string; name?: string }) => {
    const found = clusters.resolve(destination);
    return 'problem' in found ? found.problem : found.declaration.name;
  };
  const settled = async () => {
    // Opening a cluster reads files: what is under way has settled when nothing moves for a while.
    for (
      let seen = -1, turns = 0;
      turns < 100 && seen !== clusters.list().length + opened.length + changes.length;
      turns += 1
    ) {
      seen = clusters.list().length + opened.length + changes.length;
      await delay(40);
    }
  };
  return {
    clusters,
    secrets,
    settings,
    named,
    opened,
    changes,
    settled,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test('a destination names a cluster by server or by name, never by both', async () => {
  await using parts = await world();
  const { secrets, named, settled, settings } = parts;
  secrets.write('b', { name: 'prod', server: 'https://prod/' });
  secrets.write('c', { name: 'twin', server: 'https://twin' });
  secrets.write('a', { name: 'twin', server: 'https://other' });
  secrets.write('d', { name: 'prod-eu', server: 'https://prod' });
  secrets.write('e', { name: 'bad', server: 'https://bad', config: 'broken' });
  await settled();
  assert.equal(named({ name: 'in-cluster' }), 'in-cluster');
  assert.equal(named({ server: 'https://kubernetes.default.svc' }), 'in-cluster');
  assert.equal(named({ server: 'https://10.0.0.1:6443/' }), 'in-cluster');
  assert.equal(named({ name: 'prod-eu' }), 'prod-eu', 'two of one server are told apart by name');
  assert.equal(named({ server: 'https://prod' }), 'prod', 'by server it is the first');
  assert.equal(named({ name: 'twin' }), 'there are 2 clusters with the same name: [https://other https://twin]');
  assert.match(named({ name: 'nowhere' }), /^there are no clusters with this name: nowhere; known are: in-cluster \(/);
  assert.match(
    named({ server: 'https://no' }),
    /^error getting cluster by server "https:\/\/no": cluster "https:\/\/no" not found/,
  );
  assert.equal(named({ name: 'bad' }), 'cluster "bad" cannot be used: the config of cluster "bad" is not JSON');
  assert.match(named({ name: 'a', server: 'b' }), /can't have both name and server defined: a b/);
  assert.match(named({}), /^Destination server missing from app spec/);
  settings.inClusterEnabled = false;
  assert.equal(
    named({ server: 'https://kubernetes.default.svc' }),
    'cluster "https://kubernetes.default.svc" is disabled',
  );
  assert.match(named({ name: 'in-cluster' }), /^there are no clusters with this name: in-cluster/);
});

test('a Secret for the own cluster gives it a name, labels and a project', async () => {
  await using parts = await world();
  const { secrets, named, settled, clusters } = parts;
  secrets.write('own', { name: 'hub', server: 'https://kubernetes.default.svc', project: 'red' }, { tier: 'one' });
  await settled();
  assert.equal(named({ name: 'hub' }), 'hub');
  assert.equal(named({ name: 'in-cluster' }), 'hub', 'its usual name stays good');
  assert.deepEqual(clusters.home.declaration.labels, { tier: 'one' });
  assert.deepEqual(
    clusters.ofProject('red').map(({ name }) => name),
    ['hub'],
  );
  secrets.remove('own');
  await settled();
  assert.equal(named({ name: 'in-cluster' }), 'in-cluster');
});

test('only what changes the way to a cluster connects anew; every change is told to those that go there', async () => {
  await using parts = await world();
  const { secrets, settled, opened, changes, clusters } = parts;
  const fields = { name: 'prod', server: 'https://prod', config: '{"bearerToken":"one"}' };
  secrets.write('prod', fields);
  await settled();
  assert.deepEqual(changes[0]?.names, ['https://prod', 'prod']);
  const [, first] = clusters.list();
  secrets.write('prod', { ...fields, project: 'red' }, { tier: 'one' });
  await settled();
  assert.equal(clusters.list()[1], first, 'a label and a project need no connection');
  assert.equal(first?.declaration.project, 'red');
  assert.deepEqual(opened, ['prod']);
  secrets.write('prod', { ...fields, config: '{"bearerToken":"two"}' });
  await settled();
  assert.deepEqual(opened, ['prod', 'prod']);
  assert.notEqual(clusters.list()[1], first);
  secrets.remove('prod');
  await settled();
  assert.equal(clusters.list().length, 1);
  assert.deepEqual(changes.at(-1)?.names, ['https://prod', 'prod']);
});

test('a cluster that cannot be used says so by name, to those that need it', async () => {
  await using parts = await world();
  const { secrets, settled, clusters } = parts;
  secrets.write('prod', { name: 'prod', server: 'https://prod' });
  await settled();
  const cluster = clusters.resolve({ name: 'prod' });
  assert.ok(!('problem' in cluster));
  await assert.rejects(cluster.require(AbortSignal.timeout(5000)), {
    message: 'cluster "prod" (https://prod) cannot be used: no credentials in this test',
  });
  assert.equal(cluster.state.status, 'Failed');
  assert.equal(cluster.state.message, 'no credentials in this test');
  await clusters.home.require(AbortSignal.timeout(1000));
});
