import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { getString } from '#base/json.ts';
import type { BenchCluster } from './cluster.ts';
import type { Observer, Sighting } from './observer.ts';
import type { Peer } from './peer.ts';
import type { Repository } from './repository.ts';
import { inLanes, round } from './statistics.ts';
import { applicationAt, filesOf, manifestsOf, namespacesOf, placeAt, type Workload } from './workload.ts';

export interface Bench {
  cluster: BenchCluster;
  observer: Observer;
  repository: Repository;
  peer: Peer;
  workload: Workload;
  /** Milliseconds that anything may take before the run is given up. */
  patienceMs: number;
}

export const lanes = 32;

const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

export const isSynced = ({ object }: Sighting): boolean =>
  object.kind === 'Application' && getString(object, 'status', 'sync', 'status') === 'Synced';

export const isHealthy = ({ object }: Sighting): boolean =>
  object.kind === 'Application' && getString(object, 'status', 'health', 'status') === 'Healthy';

/** Nothing is under way: the last operation has ended and no other is asked for. */
export const isQuiet = ({ object }: Sighting): boolean =>
  isSynced({ at: 0, type: 'upsert', object }) &&
  object['operation'] === undefined &&
  getString(object, 'status', 'operationState', 'phase') === 'Succeeded';

/** Resolves with the time at which the last of `count` distinct names was seen, or undefined when patience ends. */
export function whenAll(
  observer: Observer,
  count: number,
  nameOf: (sighting: Sighting) => string | undefined,
  patienceMs: number,
): Promise<number | undefined> {
  const seen = new Set<string>();
  return new Promise((resolve) => {
    const timer = setTimeout(() => end(undefined), patienceMs);
    const listening = observer.onSighting((sighting) => {
      const name = nameOf(sighting);
      if (name === undefined) return;
      seen.add(name);
      if (seen.size === count) end(sighting.at);
    });
    const end = (at: number | undefined): void => {
      clearTimeout(timer);
      listening[Symbol.dispose]();
      resolve(at);
    };
  });
}

/** The repository's first commit, the namespaces, and the CRDs that Slipway brings; then it runs, with nothing to do. */
export async function prepare(bench: Bench): Promise<void> {
  const { observer, repository, peer, workload } = bench;
  const all = function* () {
    for (let index = 0; index < workload.apps; index += 1) yield* filesOf(workload, index);
  };
  await repository.commit(all());
  await repository.push();
  const names = [workload.instance, ...namespacesOf(workload)];
  await inLanes(names.length, lanes, (index) => observer.ensure(namespace(names[index] ?? '')));
  await peer.start();
  observer.kube.discovery.invalidate();
  await observer.watch();
}

/** All applications at once on an empty cluster: until everything is applied, Synced, Healthy. */
export async function cold(bench: Bench): Promise<Record<string, unknown>> {
  const { observer, repository, peer, cluster, workload, patienceMs } = bench;
  const spaces = new Set(namespacesOf(workload));
  const ours = ({ object }: Sighting) =>
    spaces.has(object.metadata.namespace ?? '') && object.metadata.name.startsWith(workload.seed);
  const application = (sighting: Sighting, accept: (sighting: Sighting) => boolean) =>
    accept(sighting) ? sighting.object.metadata.name : undefined;
  const objects = workload.apps * workload.objects;
  const applied = whenAll(
    observer,
    objects,
    (sighting) => (ours(sighting) ? `${sighting.object.kind}/${sighting.object.metadata.name}` : undefined),
    patienceMs,
  );
  const synced = whenAll(observer, workload.apps, (sighting) => application(sighting, isQuiet), patienceMs);
  const healthy = whenAll(observer, workload.apps, (sighting) => application(sighting, isHealthy), patienceMs);
  const cpu = { peer: peer.meter.cpuMs(), server: cluster.meter?.cpuMs() };
  const began = performance.now();
  await inLanes(workload.apps, lanes, (index) =>
    observer.ensure(applicationAt(workload, index, { url: repository.url, branch: repository.branch })),
  );
  const created = performance.now();
  const [appliedAt, syncedAt] = await Promise.all([applied, synced]);
  if (appliedAt === undefined || syncedAt === undefined)
    throw new Error(`not all of ${workload.apps} applications were Synced in ${patienceMs} ms`);
  const healthyAt = await Promise.race([healthy, delay(10_000).then(() => undefined)]);
  const since = (at: number | undefined) => (at === undefined ? null : round(at - began));
  const spent = (now: number | undefined, before: number | undefined) =>
    now === undefined || before === undefined ? null : now - before;
  return {
    apps: workload.apps,
    objects,
    applicationsCreatedMs: since(created),
    allAppliedMs: since(appliedAt),
    allSyncedMs: since(syncedAt),
    allHealthyMs: since(healthyAt),
    peerCpuMs: spent(peer.meter.cpuMs(), cpu.peer),
    serverCpuMs: spent(cluster.meter?.cpuMs(), cpu.server),
    peerMemory: peer.meter.memory() ?? null,
    gitRequests: repository.requests ?? null,
  };
}

/** Resolves when nothing of the workload has changed for a second. */
export async function settle({ observer, patienceMs }: Bench): Promise<void> {
  let last = performance.now();
  const began = last;
  using _listening = observer.onSighting(({ at }) => {
    last = at;
  });
  while (performance.now() - last < 1000) {
    if (performance.now() - began > patienceMs) throw new Error(`the cluster was not at rest after ${patienceMs} ms`);
    await delay(50);
  }
}

/** The API server's own limit: the same objects by the same requests, from the observer, with nothing else going on. */
export async function floor(bench: Bench): Promise<Record<string, unknown>> {
  const { observer, workload } = bench;
  const again: Workload = { ...workload, seed: `${workload.seed}f` };
  const names = namespacesOf(again);
  await inLanes(names.length, lanes, (index) => observer.ensure(namespace(names[index] ?? '')));
  const objects = Array.from({ length: again.apps }, (_, index) => manifestsOf(again, index, 1)).flat();
  const began = performance.now();
  await inLanes(objects.length, lanes, async (index) => {
    const object = objects[index];
    if (object) await observer.ensure(object);
  });
  const tookMs = performance.now() - began;
  return { objects: objects.length, tookMs: round(tookMs), perSecond: Math.round((objects.length / tookMs) * 1000) };
}

export function folderName(workload: Workload, index: number): string {
  return placeAt(workload, index).name;
}
