import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gitAccess } from '#apps/git-access.ts';
import { followInstance } from '#apps/instance.ts';
import { repositoryAccess } from '#apps/repository-access.ts';
import { silentLogger } from '#base/log.ts';
import { createGitMirrors } from '#git/mirrors.ts';
import type { KubeObject } from '#kube/port.ts';
import type { Application } from '#model/argocd/application.ts';
import { testClock, testEntropy } from '../clock.ts';
import { toolPath } from '../tools.ts';
import { applicationObject, configMap, EngineWorld } from './world.ts';

const common = { clock: testClock, entropy: testEntropy, logger: silentLogger };
const tokens = { get: async () => 'unused' };

/** A world whose repositories want the bot's password, and whose engine knows what Secrets declare. */
async function privateWorld(): Promise<EngineWorld & { stop(): Promise<void> }> {
  const world = await EngineWorld.start();
  const stack = new AsyncDisposableStack();
  const instance = stack.use(followInstance({ kube: world.kube, namespace: 'argocd', ...common }));
  const access = repositoryAccess({ instance, logger: silentLogger });
  const git = stack.use(
    createGitMirrors({
      dir: world.git.folder('private-mirrors'),
      gitPath: toolPath('git'),
      ...common,
      credentials: async (url, scope, signal) => gitAccess({ tokens }, await access.find(url, scope, signal), signal),
    }),
  );
  world.git.create('manifests');
  world.git.commit('manifests', { 'one/cm.yaml': configMap('one', { a: 'b' }) });
  world.git.credentials = { username: 'bot', password: 'password-of-the-bot' };
  await world.startEngine({ instance, git });
  const stop = async () => {
    await world.stopEngine();
    await stack.disposeAsync();
    await world[Symbol.asyncDispose]();
  };
  return Object.assign(world, { stop });
}

function secret(name: string, type: string, data: Record<string, string>): KubeObject {
  const labels = { 'argocd.argoproj.io/secret-type': type };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'argocd', labels },
    stringData: { username: 'bot', password: 'password-of-the-bot', ...data },
  };
}

const synced = (application: Application) => application.status?.sync?.status === 'Synced';
const failed = (application: Application) => application.status?.conditions?.[0]?.type === 'ComparisonError';

function application(world: EngineWorld, name: string, project = 'default'): KubeObject {
  const source = { repoURL: world.git.url('manifests'), targetRevision: 'main', path: 'one' };
  const syncPolicy = { automated: {}, syncOptions: ['CreateNamespace=true'] };
  return applicationObject(name, { project, source, destination: { name: 'in-cluster', namespace: name }, syncPolicy });
}

test('a private repository is read as soon as a Secret says how', async () => {
  const world = await privateWorld();
  try {
    await world.apply(application(world, 'web'));
    const refused = await world.untilApplication('web', failed);
    assert.match(refused.status?.conditions?.[0]?.message ?? '', /could not read Username|Authentication failed/i);
    const { origin } = new URL(world.git.url('manifests'));
    await world.apply(secret('creds', 'repo-creds', { url: origin }));
    await world.untilApplication('web', synced);
    assert.doesNotMatch(JSON.stringify(world.engine.list()), /password-of-the-bot/);
  } finally {
    await world.stop();
  }
});

test('a Secret of one project opens its repository to no other project', async () => {
  const world = await privateWorld();
  try {
    const spec = {
      sourceRepos: ['*'],
      destinations: [{ server: '*', namespace: '*' }],
      clusterResourceWhitelist: [{ group: '*', kind: '*' }],
    };
    for (const name of ['red', 'blue'])
      await world.apply({
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'AppProject',
        metadata: { name, namespace: 'argocd' },
        spec,
      });
    await world.apply(secret('red-repo', 'repository', { url: world.git.url('manifests'), project: 'red' }));
    await world.apply(application(world, 'mine', 'red'));
    await world.untilApplication('mine', synced);
    await world.apply(application(world, 'other', 'blue'));
    const refused = await world.untilApplication('other', failed);
    assert.equal(refused.status?.sync?.status, 'Unknown');
    assert.ok(synced(world.engine.get('mine')));
  } finally {
    await world.stop();
  }
});
