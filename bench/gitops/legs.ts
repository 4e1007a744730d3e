import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { getString } from '#base/json.ts';
import { type Bench, cold, floor, isQuiet, lanes, whenAll } from './bench.ts';
import type { Sighting } from './observer.ts';
import { inLanes, round, summarize } from './statistics.ts';
import { filesOf, manifestsOf, placeAt } from './workload.ts';

/** What one named measurement does; `state` is what the cold start of the same run has measured. */
export type Leg = (bench: Bench, coldStart: Record<string, unknown>) => Promise<unknown>;

/** Times in the Service of an application are told apart by the `edition` annotation. */
function editionOf({ object }: Sighting, name: string): string | undefined {
  return object.kind === 'Service' && object.metadata.name === name
    ? object.metadata.annotations?.['edition']
    : undefined;
}

/** Counts the peer's own doing while something is measured. */
async function counting<T>(bench: Bench, work: () => Promise<T>): Promise<{ result: T; counts: object }> {
  const { peer, cluster } = bench;
  const before = { metrics: await peer.metrics(), cpu: peer.meter.cpuMs(), server: cluster.meter?.cpuMs() };
  const began = performance.now();
  const result = await work();
  const tookMs = performance.now() - began;
  const after = await peer.metrics();
  const grown = (name: string) => {
    const now = after.get(name);
    return now === undefined ? null : now - (before.metrics.get(name) ?? 0);
  };
  const spent = (now: number | undefined, then: number | undefined) =>
    now === undefined || then === undefined ? null : now - then;
  return {
    result,
    counts: {
      renders: grown('slipway_renders_total'),
      reconciles: grown('slipway_reconciles_total'),
      dryRuns: grown('slipway_dry_runs_total'),
      wallMs: Math.round(tookMs),
      peerCpuMs: spent(peer.meter.cpuMs(), before.cpu),
      serverCpuMs: spent(cluster.meter?.cpuMs(), before.server),
    },
  };
}

/** Changes of objects that have nothing to do with `touched`. */
function strangers(bench: Bench, touched: () => ReadonlySet<string>): { count: () => number } & Disposable {
  const { observer, workload } = bench;
  let seen = 0;
  const listening = observer.onSighting(({ object }) => {
    if (object.metadata.name.startsWith(workload.seed) && !touched().has(object.metadata.name)) seen += 1;
  });
  return { count: () => seen, [Symbol.dispose]: () => listening[Symbol.dispose]() };
}

const mttp: Leg = async (bench, coldStart) => {
  const limit = await floor(bench);
  const ratio = round(Number(coldStart['allAppliedMs']) / Number(limit['tookMs']));
  return { ...coldStart, floor: limit, appliedOverFloor: ratio };
};

const monoCommits = 100;

const mono: Leg = async (bench) => {
  const { observer, repository, peer, workload, patienceMs } = bench;
  const touched = new Set<string>();
  using others = strangers(bench, () => touched);
  const pushed: number[] = [];
  const untilApplied: number[] = [];
  const untilSynced: number[] = [];
  const { counts } = await counting(bench, async () => {
    for (let round = 0; round < monoCommits; round += 1) {
      const index = (round * 37) % workload.apps;
      const { name } = placeAt(workload, index);
      const edition = 1000 + round;
      touched.add(name);
      const commit = await repository.commit(filesOf(workload, index, edition));
      const seen = (sighting: Sighting) => editionOf(sighting, name) === String(edition);
      const appliedAt = observer.first(seen, patienceMs, `edition ${edition} of ${name}`);
      const revision = ({ object }: Sighting) =>
        getString(object, 'status', 'operationState', 'syncResult', 'revision');
      const quiet = (sighting: Sighting) =>
        sighting.object.metadata.name === name && isQuiet(sighting) && revision(sighting) === commit;
      const syncedAt = observer.first(quiet, patienceMs, `${name} Synced`);
      const began = performance.now();
      await repository.push();
      const t0 = performance.now();
      pushed.push(t0 - began);
      await peer.webhook(repository.url, repository.branch);
      untilApplied.push((await appliedAt) - t0);
      untilSynced.push((await syncedAt) - t0);
      await delay(20);
    }
  });
  return {
    commits: monoCommits,
    pushMs: summarize(pushed),
    commitToAppliedMs: summarize(untilApplied),
    commitToSyncedMs: summarize(untilSynced),
    writesForOthers: others.count(),
    ...counts,
  };
};

/** Breaks the Service of one application and gives the milliseconds from the server's answer to its being whole again. */
async function breakAndHeal(bench: Bench, index: number): Promise<number> {
  const { observer, workload, patienceMs } = bench;
  const service = manifestsOf(workload, index, 1).find(({ kind }) => kind === 'Service');
  if (!service) throw new Error('drift-heal needs at least two objects per application');
  let broken = false;
  const healedAt = observer.first(
    ({ object, type }) => {
      if (type !== 'upsert' || object.kind !== 'Service' || object.metadata.name !== service.metadata.name)
        return false;
      const byHand = JSON.stringify(object['spec']).includes('by-hand');
      if (byHand) broken = true;
      return broken && !byHand;
    },
    patienceMs,
    `${service.metadata.name} healed`,
  );
  await observer.patch(service, { spec: { ports: [{ name: 'by-hand', port: 9898, targetPort: 'http' }] } });
  const t0 = performance.now();
  return Math.max(0, (await healedAt) - t0);
}

const drift: Leg = async (bench) => {
  const { workload } = bench;
  const singles: number[] = [];
  const one = await counting(bench, async () => {
    for (let index = 0; index < Math.min(100, workload.apps); index += 1) {
      singles.push(await breakAndHeal(bench, index));
      await delay(20);
    }
  });
  const atOnce: number[] = [];
  const first = Math.min(100, workload.apps);
  const all = await counting(bench, async () => {
    const began = performance.now();
    await inLanes(workload.apps - first, workload.apps, async (index) => {
      atOnce.push(await breakAndHeal(bench, first + index));
    });
    return round(performance.now() - began);
  });
  return {
    singles: { editToHealedMs: summarize(singles), ...one.counts },
    atOnce: { editToHealedMs: summarize(atOnce), allHealedMs: all.result, ...all.counts },
  };
};

const restart: Leg = async (bench) => {
  const { peer, observer, workload, patienceMs } = bench;
  const before = peer.meter.memory();
  await peer.kill('SIGKILL');
  using writes = strangers(bench, () => new Set());
  const began = performance.now();
  const upMs = await peer.start();
  let readyMs: number | undefined;
  while (readyMs === undefined && performance.now() - began < patienceMs) {
    if ((await peer.metrics()).get('slipway_applications_unseen') === 0) readyMs = performance.now() - began;
    else await delay(20);
  }
  await delay(2000);
  const counted = writes.count();
  const metrics = await peer.metrics();
  const healed = await breakAndHeal(bench, workload.apps - 1);
  return {
    apps: workload.apps,
    apiUpMs: round(upMs),
    allComparedMs: readyMs === undefined ? null : round(readyMs),
    writes: counted,
    renders: metrics.get('slipway_renders_total') ?? null,
    dryRuns: metrics.get('slipway_dry_runs_total') ?? null,
    thenDriftHealedMs: round(healed),
    memoryBefore: before ?? null,
    memoryAfter: peer.meter.memory() ?? null,
    server: observer.kube.server,
  };
};

const churnPerSecond = 500;
const churnSeconds = 60;

const churn: Leg = async (bench) => {
  const { observer, workload } = bench;
  let updates = 0;
  let failed = 0;
  const { counts } = await counting(bench, async () => {
    const began = performance.now();
    const total = churnPerSecond * churnSeconds;
    await inLanes(total, lanes, async (turn) => {
      const wait = (turn / churnPerSecond) * 1000 - (performance.now() - began);
      if (wait > 0) await delay(wait);
      const service = manifestsOf(workload, turn % workload.apps, 1).find(({ kind }) => kind === 'Service');
      const condition = { type: 'Churn', status: 'True', reason: 'Bench', message: `turn ${turn}` };
      const at = new Date(Date.UTC(2026, 0, 1) + turn * 1000).toISOString().replace('.000Z', 'Z');
      const body = { status: { conditions: [{ ...condition, lastTransitionTime: at }] } };
      try {
        if (service) await observer.patch(service, body, 'status');
        updates += 1;
      } catch {
        failed += 1;
      }
    });
  });
  const { wallMs, peerCpuMs } = counts as { wallMs: number; peerCpuMs: number | null };
  const cores = peerCpuMs === null ? null : Math.round((peerCpuMs / wallMs) * 1000) / 1000;
  return { updates, failed, updatesPerSecond: Math.round((updates / wallMs) * 1000), peerCores: cores, ...counts };
};

const mem: Leg = async (bench) => {
  const { peer, workload } = bench;
  const samples: { rssMb: number; peakMb: number }[] = [];
  for (let turn = 0; turn < 10; turn += 1) {
    await delay(1000);
    const memory = peer.meter.memory();
    if (memory) samples.push(memory);
  }
  const steady = samples.map(({ rssMb }) => rssMb).toSorted((a, b) => a - b)[Math.floor(samples.length / 2)];
  return { objects: workload.apps * workload.objects, rssMb: steady ?? null, peakMb: samples.at(-1)?.peakMb ?? null };
};

export const legs: Record<string, Leg> = {
  'mttp-plain': mttp,
  'mono-1of1000': mono,
  'drift-heal': drift,
  'restart-1000': restart,
  'churn-quiet': churn,
  mem,
};

export { cold, whenAll };
