/**
 * `npm run bench:drydock`: how fast the Kubernetes API server is over TLS with durability on. Prints JSON. Arguments name
 * the legs to run (all by default); `--memory` keeps no data directory, `--profile` writes a CPU profile of the server.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Agent, request } from 'undici';
import { getString } from '#base/json.ts';
import { Child } from './child.ts';
import type { Order, Outcome, WatchOutcome } from './load.ts';
import { applyBody, configMap, deployment, endOfWatch, mergePatch } from './objects.ts';
import type { Measured, Started } from './server.ts';

const { values, positionals } = parseArgs({
  options: { memory: { type: 'boolean' }, profile: { type: 'string' } },
  allowPositionals: true,
});

interface Bench {
  server: Child;
  load: Child;
  started: Started;
}

const maps = '/api/v1/namespaces/default/configmaps';
const deployments = '/apis/apps/v1/namespaces/default/deployments';
const connections = 32;

const dataDir = values.memory ? '' : mkdtempSync(join(tmpdir(), 'drydock-bench-'));

async function startServer(extra: string[] = []): Promise<{ server: Child; started: Started; readyMs: number }> {
  const began = performance.now();
  const server = new Child('server.ts', [dataDir], ['--expose-gc', ...extra]);
  const started = await server.next<Started>();
  return { server, started, readyMs: performance.now() - began };
}

function startLoad(started: Started): Child {
  return new Child('load.ts', [started.url, started.token, started.ca]);
}

async function storm({ server, load }: Bench, order: Omit<Order, 'name' | 'connections'> & { connections?: number }) {
  await server.ask('mark');
  const outcome = await load.ask<Outcome>({ connections, ...order });
  const measured = await server.ask<Measured>('measure');
  const each = { serverCpuMsEach: measured.cpuMs / order.count, loopCpuMsEach: measured.loopCpuMs / order.count };
  return { ...outcome, ...each, ...steps(measured) };
}

function steps({ longestStepMs, longestStepCpuMs }: Measured) {
  return { longestStepMs, longestStepCpuMs };
}

type Leg = (bench: Bench) => Promise<unknown>;

const legs: Record<string, Leg> = {
  async warmUp(bench) {
    const body = configMap('warm-{n}');
    await storm(bench, { method: 'POST', path: maps, body, count: 3000 });
    await storm(bench, { method: 'GET', path: `${maps}/warm-{n}`, count: 3000 });
    return storm(bench, { method: 'DELETE', path: `${maps}/warm-{n}`, count: 3000 });
  },
  create: (bench) => storm(bench, { method: 'POST', path: maps, body: configMap('c-{n}'), count: 6000 }),
  createDeployment: (bench) =>
    storm(bench, { method: 'POST', path: deployments, body: deployment('d-{n}'), count: 3000 }),
  get: (bench) => storm(bench, { method: 'GET', path: `${maps}/c-{n}`, count: 6000 }),
  getDeployment: (bench) => storm(bench, { method: 'GET', path: `${deployments}/d-{n}`, count: 3000 }),
  mergePatch: (bench) =>
    storm(bench, {
      method: 'PATCH',
      path: `${maps}/c-{n}`,
      body: mergePatch,
      type: 'application/merge-patch+json',
      count: 5000,
    }),
  mergePatchDeployment: (bench) =>
    storm(bench, {
      method: 'PATCH',
      path: `${deployments}/d-{n}`,
      body: '{"spec":{"replicas":3}}',
      type: 'application/merge-patch+json',
      count: 3000,
    }),
  applyCreate: (bench) => storm(bench, { ...applied(), count: 2000 }),
  applyNoOp: (bench) => storm(bench, { ...applied(), count: 2000 }),
  list: (bench) => lists(bench),
  watch: (bench) => fanOut(bench),
  memory: (bench) => fill(bench),
};

function applied() {
  const path = `${deployments}/a-{n}?fieldManager=bench&force=false`;
  return { method: 'PATCH' as const, path, body: applyBody('a-{n}'), type: 'application/apply-patch+yaml' };
}

/** Lists of 3,000 ConfigMaps: at once, in pages, and as kubectl shows them. */
async function lists(bench: Bench) {
  const path = '/api/v1/namespaces/listed/configmaps';
  await storm(bench, { method: 'POST', path: '/api/v1/namespaces', body: namespace('listed'), count: 1 });
  await storm(bench, { method: 'POST', path, body: configMap('l-{n}'), count: 3000 });
  const get = { method: 'GET' as const, connections: 8 };
  const paged = `${path}?limit=500`;
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  return {
    whole: await storm(bench, { ...get, path, count: 200 }),
    paged: await storm(bench, { ...get, path: paged, paged: true, count: 100 }),
    table: await storm(bench, { ...get, path: paged, accept, paged: true, count: 50 }),
    selected: await storm(bench, { ...get, path: `${path}?labelSelector=slot%3D7`, count: 400 }),
  };
}

async function fanOut(bench: Bench) {
  const watchers = 1000;
  const path = '/api/v1/namespaces/watched/configmaps';
  const write = { method: 'POST' as const, path };
  /** Watchers that begin now and were all opened. */
  const startWatchers = async (): Promise<Child> => {
    const child = startLoad(bench.started);
    const revision = await versionNow(bench);
    await child.ask({ watch: `${path}?watch=true&resourceVersion=${revision}`, watchers });
    return child;
  };
  const endOf = async (child: Child): Promise<WatchOutcome> => {
    const seen = child.next<WatchOutcome>();
    await bench.load.ask<Outcome>({ ...write, body: endOfWatch, count: 1, connections: 1 });
    const outcome = await seen;
    await bench.load.ask<Outcome>({ method: 'DELETE', path: `${path}/end`, count: 1, connections: 1 });
    await child[Symbol.asyncDispose]();
    return outcome;
  };
  await storm(bench, { method: 'POST', path: '/api/v1/namespaces', body: namespace('watched'), count: 1 });
  await storm(bench, { method: 'POST', path: '/api/v1/namespaces', body: namespace('elsewhere'), count: 1 });
  const elsewhere = { method: 'POST' as const, path: '/api/v1/namespaces/elsewhere/configmaps' };
  const result: Record<string, unknown> = {};
  result['writesWithout'] = await storm(bench, { ...elsewhere, body: configMap('w-{n}'), count: 3000 });
  const watching = await startWatchers();
  result['writesBeside'] = await storm(bench, { ...elsewhere, body: configMap('x-{n}'), count: 3000 });
  result['steadyWrites'] = await storm(bench, { ...write, body: configMap('s-{n}'), count: 200, perSecond: 20 });
  result['watchersOfSteady'] = await endOf(watching);
  const more = await startWatchers();
  result['stormOfWrites'] = await storm(bench, { ...write, body: configMap('t-{n}'), count: 1000 });
  result['watchersOfStorm'] = await endOf(more);
  return result;
}

async function versionNow({ started }: Bench): Promise<string> {
  const dispatcher = new Agent({ connect: { ca: started.ca } });
  const headers = { authorization: `Bearer ${started.token}` };
  const answer = await request(`${started.url}${maps}?limit=1`, { dispatcher, headers });
  const version = getString(await answer.body.json(), 'metadata', 'resourceVersion') ?? '0';
  await dispatcher.close();
  return version;
}

function namespace(name: string): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

async function fill(bench: Bench) {
  const count = 20_000;
  const path = '/api/v1/namespaces/many/configmaps';
  await storm(bench, { method: 'POST', path: '/api/v1/namespaces', body: namespace('many'), count: 1 });
  const before = await bench.server.ask<Measured>('measure');
  const filling = await storm(bench, { method: 'POST', path, body: configMap('m-{n}'), count });
  const filled = await bench.server.ask<Measured>('measure');
  const paged = await storm(bench, { method: 'GET', path: `${path}?limit=500`, paged: true, count: 8, connections: 2 });
  const whole = await storm(bench, { method: 'GET', path, count: 4, connections: 2 });
  const listed = await bench.server.ask<Measured>('measure');
  const used = (now: Measured): number =>
    (now.heapBytes + now.externalBytes - before.heapBytes - before.externalBytes) / count;
  const mixed = await mixedLoad(bench, path);
  return {
    objects: count,
    filling,
    bytesPerObject: used(filled),
    bytesPerObjectAfterLists: used(listed),
    rssMb: listed.rssBytes / 2 ** 20,
    paged,
    whole,
    mixed,
  };
}

/** Writes go on while somebody pages through everything. */
async function mixedLoad(bench: Bench, path: string) {
  const lister = startLoad(bench.started);
  await bench.server.ask('mark');
  const order = { method: 'GET', path: `${path}?limit=500`, paged: true, count: 10, connections: 2 };
  const lists = lister.ask<Outcome>(order);
  const writes = await bench.load.ask<Outcome>({
    method: 'PATCH',
    path: `${path}/m-{n}`,
    body: mergePatch,
    type: 'application/merge-patch+json',
    count: 2000,
    connections,
  });
  const outcome = await lists;
  const measured = await bench.server.ask<Measured>('measure');
  await lister[Symbol.asyncDispose]();
  return { writes, lists: outcome, ...steps(measured) };
}

function round(value: unknown): unknown {
  if (typeof value === 'number') return Math.round(value * 100) / 100;
  if (Array.isArray(value)) return value.map(round);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, round(member)]));
}

const wanted = positionals.length > 0 ? positionals : Object.keys(legs);
const results: Record<string, unknown> = {};
const profile = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];
try {
  const { server, started, readyMs } = await startServer(profile);
  const bench = { server, started, load: startLoad(started) };
  results['start'] = { startMs: started.startMs, processReadyMs: readyMs };
  for (const name of wanted) {
    const leg = legs[name];
    if (!leg) throw new Error(`no leg ${name}; there are: ${Object.keys(legs).join(', ')}`);
    results[name] = await leg(bench);
    process.stderr.write(`${name} ${JSON.stringify(round(results[name]))}\n`);
  }
  await bench.load[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  if (dataDir !== '') {
    const again = await startServer();
    results['restart'] = { startMs: again.started.startMs, processReadyMs: again.readyMs };
    await again.server[Symbol.asyncDispose]();
  }
} finally {
  if (dataDir !== '') rmSync(dataDir, { recursive: true, force: true });
}
const machine = { node: process.version, cpus: cpus().length, model: cpus()[0]?.model, durable: dataDir !== '' };
process.stdout.write(`${JSON.stringify(round({ machine, ...results }), null, 2)}\n`);
