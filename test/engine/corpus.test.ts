import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Application } from '#model/argocd/application.ts';
import { corpus } from '../cluster/corpus.ts';
import { applicationObject, EngineWorld } from './world.ts';

const server = 'https://kubernetes.default.svc';
const inSync = (app: Application) => app.status?.sync?.status === 'Synced' && app.operation === undefined;
const cases = corpus();

let world: EngineWorld;
before(async () => {
  world = await EngineWorld.start();
  await world.startEngine();
  for (const { name, files, path, spec } of cases) {
    world.git.create(name);
    world.git.commit(name, files);
    await world.apply(
      applicationObject(name, {
        source: { repoURL: world.git.url(name), path },
        destination: { server, namespace: name },
        syncPolicy: { automated: {}, syncOptions: ['CreateNamespace=true'] },
        ...spec,
      }),
    );
  }
});
after(async () => await world[Symbol.asyncDispose]());

for (const { name } of cases)
  test(`corpus: ${name} is Synced after one sync`, async () => {
    const app = await world.untilApplication(name, inSync, 60_000);
    assert.deepEqual(
      app.status?.resources?.filter(({ status }) => status !== 'Synced'),
      [],
    );
    assert.ok((app.status?.resources?.length ?? 0) >= 2);
    assert.equal(app.status?.operationState?.retryCount, undefined, 'one try was enough');
    assert.equal(app.status?.history?.length, 1);
  });

async function settled(): Promise<number> {
  let resources = 0;
  for (const { name } of cases) {
    const app = await world.engine.whenSettled(name, AbortSignal.timeout(30_000));
    assert.deepEqual(
      app.status?.resources?.filter(({ status }) => status !== 'Synced'),
      [],
      name,
    );
    resources += app.status?.resources?.length ?? 0;
  }
  return resources;
}

test('corpus: a second look and a restart ask nothing and write nothing', async () => {
  await settled();
  world.writes.length = 0;
  world.dryRuns.length = 0;
  for (const { name } of cases) await world.engine.refresh(name, 'normal', AbortSignal.timeout(30_000));
  await settled();
  await world.stopEngine();
  await world.startEngine();
  await settled();
  // Taking the request to refresh off again is the one write of a look that was asked for.
  assert.deepEqual([world.writes.filter((write) => !/ Application /.test(write)), world.dryRuns], [[], []]);
});

test('corpus: when everything is forgotten, each object costs one question and no write', async () => {
  const forgotten = mkdtempSync(join(tmpdir(), 'engine-cache-'));
  await world.stopEngine();
  world.writes.length = 0;
  world.dryRuns.length = 0;
  await world.startEngine({ cacheDir: forgotten });
  const resources = await settled();
  assert.equal(world.dryRuns.length, resources);
  assert.deepEqual(world.writes, []);
  rmSync(forgotten, { recursive: true, force: true });
});

test('corpus: real drift shows, and what is nobody’s business does not', async () => {
  await world.patch('apps/v1', 'Deployment', 'web-app', 'web-app', {
    spec: { template: { spec: { terminationGracePeriodSeconds: 5 } } },
  });
  await world.patch('v1', 'Service', 'web-app', 'web-app', { metadata: { labels: { foreign: 'stays' } } });
  await world.patch('messaging.corpus.example.com/v1', 'Queue', 'orders', 'operator', { spec: { depth: 7 } });
  await world.patch('autoscaling/v2', 'HorizontalPodAutoscaler', 'web-app', 'web-app', { spec: { maxReplicas: 50 } });
  const differing = async (name: string) => {
    const app = await world.untilApplication(name, (found) => found.status?.sync?.status === 'OutOfSync', 20_000);
    return app.status?.resources?.filter(({ status }) => status !== 'Synced').map(({ kind }) => kind);
  };
  assert.deepEqual(await differing('web-app'), ['HorizontalPodAutoscaler']);
  assert.deepEqual(await differing('operator'), ['Queue']);
  const webhook = 'admissionregistration.k8s.io/v1';
  const patched = await world.get(webhook, 'ValidatingWebhookConfiguration', 'corpus-certificates');
  const webhooks = (patched?.['webhooks'] as { clientConfig: object }[]).map((each) => ({
    ...each,
    clientConfig: { ...each.clientConfig, caBundle: 'Y2E=' },
  }));
  await world.patch(webhook, 'ValidatingWebhookConfiguration', 'corpus-certificates', '', { webhooks });
  const app = await world.engine.whenSettled('certificates', AbortSignal.timeout(20_000));
  assert.equal(app.status?.sync?.status, 'Synced');
});
