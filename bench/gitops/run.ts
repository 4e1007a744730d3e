/**
 * `npm run bench -- NAME... [--kubeconfig FILE] [--git-url URL] [--apps N] [--objects N]`: starts Slipway for a cluster,
 * lets it deliver a generated repository from nothing, then measures what NAME says. Prints one JSON document. Without a
 * kubeconfig the cluster is Drydock's, without a URL the repository is on loopback. All times are of one observer.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Bench } from './bench.ts';
import { cold, prepare, settle } from './bench.ts';
import { openCluster } from './cluster.ts';
import { legs } from './legs.ts';
import { Observer } from './observer.ts';
import { Peer } from './peer.ts';
import { Repository } from './repository.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kubeconfig: { type: 'string' },
    'git-url': { type: 'string' },
    apps: { type: 'string', default: '1000' },
    objects: { type: 'string', default: '4' },
    seed: { type: 'string' },
    patience: { type: 'string', default: '180' },
    profile: { type: 'string' },
  },
});

function count(name: 'apps' | 'objects' | 'patience'): number {
  const number = Number(values[name]);
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} is "${values[name]}": give a number from 1`);
  return number;
}

const names = positionals.length > 0 ? positionals : Object.keys(legs);
const unknown = names.filter((name) => !Object.hasOwn(legs, name));
if (unknown.length > 0) {
  console.error(`no bench is named ${unknown.join(', ')}: give some of ${Object.keys(legs).join(', ')}`);
  process.exit(1);
}

const seed = values.seed ?? `b${Date.now().toString(36)}`;
const workload = { apps: count('apps'), objects: count('objects'), seed, instance: `${seed}-argocd` };

await using cluster = await openCluster(values.kubeconfig);
await using repository = await Repository.open(values['git-url'], `bench-${seed}`);
await using observer = await Observer.connect(cluster.kubeconfig);
await using peer = new Peer({ kubeconfig: cluster.kubeconfig, namespace: workload.instance, profile: values.profile });
const bench: Bench = { cluster, repository, observer, peer, workload, patienceMs: count('patience') * 1000 };

await prepare(bench);
const results: Record<string, unknown> = {};
const idle = peer.meter.memory() ?? null;
const coldStart = await cold(bench);
for (const name of names) {
  await settle(bench);
  results[name] = await legs[name]?.(bench, coldStart);
}
const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? '', node: process.version };
const setup = { cluster: values.kubeconfig === undefined ? 'drydock' : 'kubeconfig', ...workload, idleMemory: idle };
console.log(JSON.stringify({ bench: 'gitops', at: new Date().toISOString(), machine, setup, results }, undefined, 2));
