import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadKubeTarget } from '#kube/kubeconfig.ts';
import { toolPath } from '../../tools.ts';
import type { Area, Case, Difference, LeftOut } from './case.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { startDrydock } from './drydock.ts';
import { Http } from './http.ts';
import { lookForNeeds } from './needs.ts';
import { Programs } from './programs.ts';

const caseMs = 60_000;

/** Most of the time is spent waiting for controllers. */
const areasAtOnce = 4;

export interface SuiteOptions {
  /** A file; Drydock is started where there is none. */
  kubeconfig: string | undefined;
  areas: readonly Area[];
  leftOut: readonly LeftOut[];
  /** By `area/id`. */
  differences: Readonly<Record<string, Difference>>;
}

/** Registers every case as a test on one cluster. Which cluster it is, and what it lacks, is found out when they start. */
export function runSuite({ kubeconfig, areas, leftOut, differences }: SuiteOptions): void {
  describe(`kubernetes suite on ${kubeconfig ?? 'Drydock'}`, { concurrency: areasAtOnce }, () => {
    const stack = new AsyncDisposableStack();
    let found: ClusterOptions;

    before(async () => {
      found = await open(kubeconfig, stack);
      const needs = [...new Set(areas.flatMap((area) => area.cases.flatMap((item) => item.needs ?? [])))];
      const missing = needs.filter((need) => !found.has.has(need));
      if (missing.length > 0) process.stderr.write(`suite: not on this cluster: ${missing.join(', ')}\n`);
    });
    after(() => stack.disposeAsync());

    for (const area of areas) {
      describe(area.name, { concurrency: 1 }, () => {
        let cluster: Cluster;
        before(async () => {
          cluster = await enter(area.name, found);
        });
        after(() => cluster[Symbol.asyncDispose]());
        for (const item of area.cases) {
          const id = `${area.name}/${item.id}`;
          test(`${id}: ${item.title}`, { timeout: caseMs }, async (t) => {
            const missing = (item.needs ?? []).filter((need) => !cluster.has.has(need));
            if (missing.length > 0) return t.skip(`needs ${missing.join(', ')}`);
            await (differences[id] && cluster.has.has('drydock') ? stillDiffers(item, cluster) : item.run(cluster));
          });
        }
      });
    }

    describe('left-out', { concurrency: 1 }, () => {
      let cluster: Cluster;
      before(async () => {
        cluster = await enter('left-out', found);
      });
      after(() => cluster[Symbol.asyncDispose]());
      for (const item of leftOut) {
        test(`left-out/${item.id}: ${item.what}`, { timeout: caseMs }, async (t) => {
          if (!cluster.has.has('drydock')) return t.skip('is about Drydock');
          await item.run(cluster);
        });
      }
    });
  });
}

async function enter(area: string, found: ClusterOptions): Promise<Cluster> {
  const cluster = new Cluster({ ...found, run: `${found.run}-${area}` });
  await cluster.enter();
  return cluster;
}

async function stillDiffers(item: Case, cluster: Cluster): Promise<void> {
  const outcome = await item.run(cluster).then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(outcome !== undefined, `${item.id} no longer differs from the real server: remove its mark`);
}

async function open(given: string | undefined, stack: AsyncDisposableStack): Promise<ClusterOptions> {
  const kubeconfig = given === undefined ? stack.use(await startDrydock()).kubeconfig : resolve(given);
  const http = stack.use(new Http(await loadKubeTarget({ path: kubeconfig })));
  const run = randomBytes(3).toString('hex');
  const paths = { kubectl: found('kubectl'), helm: found('helm') };
  const has = await lookForNeeds(http, run);
  for (const name of ['kubectl', 'helm'] as const) if (paths[name] !== undefined) has.add(name);
  const programs = stack.use(new Programs({ ...paths, kubeconfig }));
  return { http, programs, has, run };
}

function found(name: 'kubectl' | 'helm'): string | undefined {
  try {
    return toolPath(name);
  } catch {
    // Cases that need it are skipped and counted.
    return undefined;
  }
}
