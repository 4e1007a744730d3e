import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AppError } from '#base/errors.ts';
import { statusError } from '#kube/status-error.ts';
import type { Application } from '#model/argocd/application.ts';
import { applicationObject, configMap, EngineWorld } from './world.ts';

/** With SLIPWAY_FAULTS=all every fault strikes at every write; else each write meets one of them. */
const everyFault = process.env['SLIPWAY_FAULTS'] === 'all';
const server = 'https://kubernetes.default.svc';
const inSync = (app: Application) => app.status?.sync?.status === 'Synced' && app.operation === undefined;
const broken = () => new AppError('unavailable', 'the connection broke');

interface Fault {
  name: string;
  /** The write is carried out, and only its answer is lost. */
  after: boolean;
  error: () => Error;
  /** The process is gone from then on, and another one starts. */
  kill?: boolean;
}
const status = (code: number) => () => statusError('write', code, '');
const faults: Fault[] = [
  { name: 'the connection breaks before', after: false, error: broken },
  { name: 'the connection breaks after', after: true, error: broken },
  { name: '409', after: false, error: status(409) },
  { name: '410', after: false, error: status(410) },
  { name: '429', after: false, error: status(429) },
  { name: '500', after: false, error: status(500) },
  { name: '503 after', after: true, error: status(503) },
  { name: 'killed before', after: false, error: () => new Error('the process is gone'), kill: true },
  { name: 'killed after', after: true, error: () => new Error('the process is gone'), kill: true },
];

const note = (name: string, value: string) => ({ [`argocd.argoproj.io/${name}`]: value });
const frozen = (value: string) =>
  JSON.stringify({
    ...(JSON.parse(configMap('frozen', { value }, note('sync-options', 'Force=true'))) as object),
    immutable: true,
  });

function definition(group: string): string {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const versions = [{ name: 'v1', served: true, storage: true, schema }];
  const names = { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' };
  return JSON.stringify({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: { group, names, scope: 'Namespaced', versions },
  });
}

/** Both states of a run: the one it is brought to in peace, and the one whose sync meets the fault. */
function files(run: string): [Record<string, string>, Record<string, string | null>] {
  const group = `${run}.example.com`;
  const hook = (type: string, policy: string) => ({ ...note('hook', type), ...note('hook-delete-policy', policy) });
  const first = {
    'pre.yaml': configMap('pre', { at: '1' }, hook('PreSync', 'BeforeHookCreation')),
    'post.yaml': configMap('post', { at: '1' }, hook('PostSync', 'HookSucceeded')),
    'early.yaml': configMap('early', { at: '1' }, note('sync-wave', '-1')),
    'plain.yaml': configMap('plain', { at: '1' }),
    'replaced.yaml': configMap('replaced', { at: '1', old: 'x' }, note('sync-options', 'Replace=true')),
    'frozen.yaml': frozen('1'),
    'gone.yaml': configMap('gone', {}, note('sync-wave', '1')),
    'last.yaml': configMap('last', {}, note('sync-options', 'PruneLast=true')),
  };
  const widget = { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'w' }, spec: { at: '2' } };
  const second = {
    'pre.yaml': configMap('pre', { at: '2' }, hook('PreSync', 'BeforeHookCreation')),
    'post.yaml': configMap('post', { at: '2' }, hook('PostSync', 'HookSucceeded')),
    'early.yaml': configMap('early', { at: '2' }, note('sync-wave', '-1')),
    'plain.yaml': configMap('plain', { at: '2' }),
    'replaced.yaml': configMap('replaced', { at: '2' }, note('sync-options', 'Replace=true')),
    'frozen.yaml': frozen('2'),
    'gone.yaml': null,
    'last.yaml': null,
    'crd.yaml': definition(group),
    'widget.yaml': JSON.stringify(widget),
  };
  const under = <T>(all: Record<string, T>) =>
    Object.fromEntries(Object.entries(all).map(([path, text]) => [`${run}/${path}`, text]));
  return [under(first), under(second)];
}

let world: EngineWorld;
before(async () => {
  world = await EngineWorld.start();
  await world.startEngine();
  world.git.create('faults');
});
after(async () => await world[Symbol.asyncDispose]());

async function prepare(runs: readonly string[]): Promise<void> {
  world.git.commit('faults', Object.assign({}, ...runs.map((run) => files(run)[0])));
  world.engine.repositoryChanged(world.git.url('faults'), 'webhook');
  const source = { repoURL: world.git.url('faults') };
  const syncPolicy = { automated: { prune: true } };
  for (const run of runs) {
    await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: run } });
    const spec = { source: { ...source, path: run }, destination: { server, namespace: run }, syncPolicy };
    await world.apply(applicationObject(run, spec));
  }
  for (const run of runs) await world.untilApplication(run, inSync, 30_000);
  for (const run of runs) await world.engine.whenSettled(run, AbortSignal.timeout(10_000));
}

const shows = (app: Application, name: string) => app.status?.resources?.some((resource) => resource.name === name);

/** What an outsider can see in the end: what is live, and what is on record. */
async function outcome(run: string): Promise<unknown> {
  const app = await world.untilApplication(
    run,
    (found) => inSync(found) && found.status?.history?.length === 2 && !shows(found, 'post'),
    40_000,
  );
  await world.engine.whenSettled(run, AbortSignal.timeout(10_000));
  const data = async (name: string) => (await world.get('v1', 'ConfigMap', name, run))?.['data'];
  const live: Record<string, unknown> = {};
  for (const name of ['pre', 'post', 'early', 'plain', 'replaced', 'frozen', 'gone', 'last'])
    live[name] = await data(name);
  world.kube.discovery.invalidate();
  const widget = await world.get(`${run}.example.com/v1`, 'Widget', 'w', run);
  const { operationState, history } = app.status ?? {};
  const plain = (text: string | undefined) => text?.replaceAll(run, 'RUN');
  return {
    live,
    widget: widget?.['spec'],
    history: history?.map(({ id, initiatedBy }) => [id, initiatedBy?.automated]),
    synced: history?.at(-1)?.revision === operationState?.syncResult?.revision,
    phase: operationState?.phase,
    message: operationState?.message,
    retries: operationState?.retryCount,
    results: operationState?.syncResult?.resources
      ?.map((result) => [result.kind, plain(result.name), result.syncPhase, result.status, result.hookPhase].join(' '))
      .sort(),
    resources: app.status?.resources?.map((resource) =>
      [resource.kind, plain(resource.name), resource.status].join(' '),
    ),
    syncs: world.audit.kinds(run).filter((kind) => kind.startsWith('sync-')),
  };
}

/** Syncs the second state with a fault at one of the writes; tells what was written. */
async function strike(run: string, fault: Fault | undefined, at: number): Promise<string[]> {
  let left = at;
  let struck = false;
  let dead = false;
  world.writes.length = 0;
  world.aroundWrite = async (_what, send) => {
    if (dead) throw new Error('the process is gone');
    if (!fault || struck || left > 0) {
      left -= 1;
      return await send();
    }
    struck = true;
    dead = fault.kill === true;
    if (fault.after) await send();
    throw fault.error();
  };
  world.git.commit('faults', files(run)[1]);
  world.engine.repositoryChanged(world.git.url('faults'), 'webhook');
  if (fault) await world.until('the fault', () => struck, Boolean, 20_000);
  if (fault?.kill) {
    await world.stopEngine();
    dead = false;
    await world.startEngine();
  }
  return world.writes;
}

test('a fault at any write of a sync changes neither where it ends nor what is on record', async () => {
  await prepare(['whole']);
  await strike('whole', undefined, 0);
  const expected = await outcome('whole');
  const writes = world.writes.slice();
  assert.ok(writes.length >= 15, writes.join('\n'));
  const runs = writes.flatMap((what, at) =>
    faults
      .filter((_fault, index) => everyFault || index === at % faults.length)
      .map((fault, index) => ({ name: `run-${at}-${index}`, what, at, fault })),
  );
  await prepare(runs.map(({ name }) => name));
  for (const { name, what, at, fault } of runs) {
    await strike(name, fault, at);
    assert.deepEqual(await outcome(name), expected, `${fault.name} at write ${at} (${what})`);
    world.aroundWrite = async (_what, send) => await send();
  }
});
