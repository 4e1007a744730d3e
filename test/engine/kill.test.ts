import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application } from '#model/argocd/application.ts';
import { applicationObject, configMap, EngineWorld } from './world.ts';

const server = 'https://kubernetes.default.svc';
const inSync = (app: Application) => app.status?.sync?.status === 'Synced' && app.operation === undefined;

const files = {
  'pre.yaml': configMap('migrate', {}, { 'argocd.argoproj.io/hook': 'PreSync' }),
  'a.yaml': configMap('first', {}, { 'argocd.argoproj.io/sync-wave': '-1' }),
  'b.yaml': configMap('second', {}),
};

/** What an outsider can see of a finished sync. */
async function outcome(world: EngineWorld, name: string): Promise<unknown> {
  const app = await world.untilApplication(name, inSync, 20_000);
  const hook = await world.get('v1', 'ConfigMap', 'migrate', name);
  return {
    history: app.status?.history?.map(({ id, revision }) => [id, revision]),
    phase: app.status?.operationState?.phase,
    results: app.status?.operationState?.syncResult?.resources?.map((result) => [
      result.name,
      result.status,
      result.hookPhase,
    ]),
    resources: app.status?.resources?.map((resource) => [resource.name, resource.status]),
    hookGeneration: hook?.metadata.uid === undefined ? 'absent' : 'there',
  };
}

test('killed before any write of a sync and started again, it ends as if nothing had happened', async () => {
  await using world = await EngineWorld.start();
  world.git.create('killed');
  world.git.commit('killed', files);
  const deploy = async (name: string) => {
    await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    const source = { repoURL: world.git.url('killed'), path: '.' };
    await world.apply(
      applicationObject(name, { source, destination: { server, namespace: name }, syncPolicy: { automated: {} } }),
    );
  };
  await world.startEngine();
  world.writes.length = 0;
  await deploy('whole');
  const expected = await outcome(world, 'whole');
  const total = world.writes.length;
  assert.ok(total >= 5, world.writes.join());
  for (let at = 0; at < total; at += 1) {
    const name = `killed-${at}`;
    let left = at;
    let dead = false;
    world.beforeWrite = () => {
      if (left === 0) dead = true;
      left -= 1;
      if (dead) throw new Error('the process is gone');
    };
    await deploy(name);
    await world.until(
      'the kill',
      () => dead,
      (is) => is,
    );
    await world.stopEngine();
    world.beforeWrite = () => {};
    world.writes.length = 0;
    await world.startEngine();
    assert.deepEqual(await outcome(world, name), expected, `killed before write ${at}`);
    const runs = world.writes.filter((write) => write === 'delete ConfigMap migrate');
    assert.deepEqual(runs, [], 'a hook that ran for this operation is not run again');
  }
});
