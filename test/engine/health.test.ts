import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Application } from '#model/argocd/application.ts';
import { applicationObject, configMap, EngineWorld } from './world.ts';

const server = 'https://kubernetes.default.svc';
const automated = { automated: { prune: true, selfHeal: false } };
const ended = (app: Application) => app.operation === undefined && app.status?.operationState?.phase === 'Succeeded';

let world: EngineWorld;
before(async () => {
  world = await EngineWorld.start();
  await world.startEngine();
});
after(async () => await world[Symbol.asyncDispose]());

function settings(data: Record<string, string>): Promise<void> {
  return world.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'argocd-cm', namespace: 'argocd' },
    data,
  });
}

async function deploy(name: string, files: Record<string, string>): Promise<void> {
  world.git.create(name);
  world.git.commit(name, files);
  await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const source = { repoURL: world.git.url(name), path: '.' };
  const destination = { server, namespace: name };
  await world.apply(applicationObject(name, { source, destination, syncPolicy: automated }));
}

const mark = (name: string, namespace: string, text: string) =>
  world.patch('v1', 'ConfigMap', name, namespace, { metadata: { annotations: { mark: text } } });

/** What a mark on a ConfigMap means: a team's own check of a kind that has none. */
const check = `
local marks = obj.metadata.annotations or {}
if obj.data == nil or obj.data.watched == nil then return nil end
if marks.mark == "ready" then return {status = "Healthy", message = "marked"} end
if marks.mark == "broken" then return {status = "Degraded", message = "broken mark"} end
return {status = "Progressing", message = "not marked"}
`;

test('a check of argocd-cm decides the health of an application, and holds a wave', async () => {
  await settings({ 'resource.customizations.health.ConfigMap': check });
  const wave = (text: string) => ({ 'argocd.argoproj.io/sync-wave': text });
  await deploy('waves', {
    'first.yaml': configMap('first', { watched: 'yes' }, wave('0')),
    'plain.yaml': configMap('plain', {}, wave('0')),
    'second.yaml': configMap('second', {}, wave('1')),
  });
  const first = () => world.get('v1', 'ConfigMap', 'first', 'waves');
  await world.until('the first wave', first, (object) => object !== undefined);
  const held = await world.untilApplication('waves', (app) => app.status?.health?.status === 'Progressing');
  assert.equal(held.status?.operationState?.phase, 'Running');
  assert.equal(await world.get('v1', 'ConfigMap', 'second', 'waves'), undefined, 'the second wave waits');
  await mark('first', 'waves', 'ready');
  await world.untilApplication('waves', (app) => ended(app) && app.status?.health?.status === 'Healthy');
  assert.ok(await world.get('v1', 'ConfigMap', 'second', 'waves'));
  await mark('first', 'waves', 'broken');
  const broken = await world.untilApplication('waves', (app) => app.status?.health?.status === 'Degraded');
  const entry = broken.status?.resources?.find(({ name }) => name === 'first');
  assert.deepEqual(entry?.health, { status: 'Degraded', message: 'broken mark' });
  assert.equal(broken.status?.resources?.find(({ name }) => name === 'plain')?.health, undefined);
});

test('a change of the checks is seen without a restart, a failing one says why', async () => {
  await settings({});
  await deploy('checks', { 'one.yaml': configMap('one', {}) });
  await world.untilApplication('checks', (app) => ended(app) && app.status?.health?.status === 'Healthy');
  await settings({ 'resource.customizations.health.ConfigMap': 'return {status = obj.none.here}' });
  const unknown = await world.untilApplication('checks', (app) => app.status?.health?.status === 'Unknown');
  assert.match(unknown.status?.resources?.[0]?.health?.message ?? '', /attempt to index a non-table object\(nil\)/);
  await settings({});
  await world.untilApplication('checks', (app) => app.status?.health?.status === 'Healthy');
});
