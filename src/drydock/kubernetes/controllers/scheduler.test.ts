import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { emptyLoad, type NodeLoad } from './node-load.ts';
import { requestsAnnotation } from './node-view.ts';
import { podRequests } from './pod-resources.ts';
import { keepsOthersAway } from './scheduler-peers.ts';
import { type PlacementContext, planPlacement } from './scheduler-plan.ts';

function pod(spec: JsonObject): ApiObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec };
}

function asking(requests: Record<string, string>, rest: JsonObject = {}): ApiObject {
  return pod({ containers: [{ name: 'c', resources: { requests } }], ...rest });
}

function node(name: string, allocatable: Record<string, string> = {}, rest: Partial<ApiObject> = {}): ApiObject {
  const status = { allocatable: { cpu: '2', memory: '4Gi', pods: '10', ...allocatable } };
  return { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {}, ...rest, status };
}

function load(amounts: Record<string, number>, pods = 1, ports: string[] = []): NodeLoad {
  return { amounts: new Map(Object.entries(amounts)), pods, hostPorts: new Set(ports) };
}

const none = (count: number): string => `0/${count} nodes are available:`;
const cordoned = { spec: { unschedulable: true } };
const tainted = { spec: { taints: [{ key: 'team', value: 'blue', effect: 'NoSchedule' }] } };

const rows: { name: string; pod: ApiObject; nodes: ApiObject[]; loads?: Record<string, NodeLoad>; want: string }[] = [
  { name: 'the emptiest node', pod: asking({}), nodes: [node('a'), node('b')], loads: { a: load({}) }, want: 'b' },
  {
    name: 'the node with the smaller share taken',
    pod: asking({ cpu: '100m' }),
    nodes: [node('small'), node('big', { cpu: '64', memory: '256Gi' })],
    loads: { small: load({ cpu: 500 }), big: load({ cpu: 2000 }, 3) },
    want: 'big',
  },
  {
    name: 'what just fits',
    pod: asking({ cpu: '500m' }),
    nodes: [node('a')],
    loads: { a: load({ cpu: 1500 }) },
    want: 'a',
  },
  {
    name: 'what does not fit any more',
    pod: asking({ cpu: '501m' }),
    nodes: [node('a')],
    loads: { a: load({ cpu: 1500 }) },
    want: `${none(1)} 1 Insufficient cpu. preemption: ${none(1)} 1 No preemption victims found for incoming pod.`,
  },
  {
    name: 'what fits on no node at all',
    pod: asking({ cpu: '3', memory: '5Gi' }),
    nodes: [node('a')],
    want: `${none(1)} 1 Insufficient cpu, 1 Insufficient memory. preemption: ${none(1)} 1 Preemption is not helpful for scheduling.`,
  },
  {
    name: 'each node for its own reason',
    pod: asking({ cpu: '1' }),
    nodes: [node('a', {}, cordoned), node('b', {}, tainted), node('c', { pods: '1' })],
    loads: { c: load({}) },
    want: `${none(3)} 1 Too many pods, 1 node(s) had untolerated taint {team: blue}, 1 node(s) were unschedulable. preemption: ${none(3)} 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.`,
  },
  {
    name: 'a resource that no node has',
    pod: asking({ 'nvidia.com/gpu': '1' }),
    nodes: [node('a')],
    want: `${none(1)} 1 Insufficient nvidia.com/gpu. preemption: ${none(1)} 1 Preemption is not helpful for scheduling.`,
  },
  {
    name: 'a host port that is taken',
    pod: pod({ containers: [{ ports: [{ hostPort: 80, protocol: 'TCP' }] }] }),
    nodes: [node('a')],
    loads: { a: load({}, 1, ['TCP/80']) },
    want: `${none(1)} 1 node(s) didn't have free ports for the requested pod ports. preemption: ${none(1)} 1 No preemption victims found for incoming pod.`,
  },
  {
    name: 'a pod that must not evict others',
    pod: asking({ cpu: '2' }, { preemptionPolicy: 'Never' }),
    nodes: [node('a')],
    loads: { a: load({ cpu: 1 }) },
    want: `${none(1)} 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.`,
  },
  {
    name: 'a node that does not count requests',
    pod: asking({ cpu: '50' }),
    nodes: [node('a', {}, { metadata: { name: 'a', annotations: { [requestsAnnotation]: 'ignored' } } })],
    want: 'a',
  },
  { name: 'no node at all', pod: asking({}), nodes: [], want: 'no nodes available to schedule pods' },
];

const alone: PlacementContext = {
  claimOf: () => undefined,
  loadOf: () => emptyLoad,
  placed: () => [],
  guarded: () => [],
  namespaceLabels: () => ({}),
};

for (const { name, pod: asked, nodes, loads = {}, want } of rows)
  test(`placement: ${name}`, () => {
    const context = { ...alone, loadOf: (at: string) => loads[at] ?? emptyLoad };
    const found = planPlacement(asked, nodes, context);
    assert.equal(found.kind === 'bind' ? found.node : found.message, want);
  });

test('a pod asks for its containers and sidecars, or for its greediest init container', () => {
  const resources = (cpu: string) => ({ resources: { requests: { cpu } } });
  const asked = (initContainers: JsonObject[]): number | undefined =>
    podRequests(pod({ containers: [resources('1'), resources('500m')], initContainers, overhead: { cpu: '10m' } })).get(
      'cpu',
    );
  assert.equal(asked([]), 1510);
  assert.equal(asked([resources('1')]), 1510);
  assert.equal(asked([resources('3')]), 3010);
  assert.equal(asked([{ ...resources('200m'), restartPolicy: 'Always' }, resources('2')]), 2210);
});

const zones = ['z1', 'z1', 'z2'].map((zone, index) =>
  node(`n${index + 1}`, {}, { metadata: { name: `n${index + 1}`, labels: { zone } } }),
);
const app = (name: string) => ({ matchLabels: { app: name } });
const labelled = (labels: Record<string, string>, spec: JsonObject = {}): ApiObject => ({
  ...pod({ containers: [], ...spec }),
  metadata: { name: 'p', namespace: 'default', labels },
});
const required = (kind: string, ...terms: JsonObject[]): JsonObject => ({
  affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: terms } },
});
const apart = required('podAntiAffinity', { labelSelector: app('db'), topologyKey: 'zone' });
const together = required('podAffinity', { labelSelector: app('db'), topologyKey: 'zone' });
const spread = (more: JsonObject = {}): JsonObject => ({
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: app('db'), ...more },
  ],
});
const db = { app: 'db' };

const peers: { name: string; pod: ApiObject; placed: [ApiObject, string][]; want: string }[] = [
  { name: 'apart from those in the zone', pod: labelled(db, apart), placed: [[labelled(db), 'n1']], want: 'n3' },
  {
    name: 'apart from all, and no zone is left',
    pod: labelled(db, apart),
    placed: [
      [labelled(db), 'n1'],
      [labelled(db), 'n3'],
    ],
    want: "3 node(s) didn't match pod anti-affinity rules",
  },
  {
    name: 'those of other namespaces do not count',
    pod: labelled(db, apart),
    placed: [[{ ...labelled(db), metadata: { name: 'q', namespace: 'x', labels: db } }, 'n1']],
    want: 'n1',
  },
  { name: 'those that are there keep away', pod: labelled(db), placed: [[labelled(db, apart), 'n1']], want: 'n3' },
  {
    name: 'together with those in the zone',
    pod: labelled({ app: 'web' }, together),
    placed: [[labelled(db), 'n3']],
    want: 'n3',
  },
  { name: 'the first of those that want to be together', pod: labelled(db, together), placed: [], want: 'n1' },
  {
    name: 'nobody there to be with',
    pod: labelled({ app: 'web' }, together),
    placed: [],
    want: "3 node(s) didn't match pod affinity rules",
  },
  { name: 'spread over zones', pod: labelled(db, spread()), placed: [[labelled(db), 'n1']], want: 'n3' },
  {
    name: 'spread with a skew of two',
    pod: labelled(db, spread({ maxSkew: 2 })),
    placed: [[labelled(db), 'n1']],
    want: 'n1',
  },
  {
    name: 'a wish only',
    pod: labelled(db, spread({ whenUnsatisfiable: 'ScheduleAnyway' })),
    placed: [[labelled(db), 'n1']],
    want: 'n1',
  },
  {
    name: 'spread over what no node has',
    pod: labelled(db, spread({ topologyKey: 'rack' })),
    placed: [],
    want: "3 node(s) didn't match pod topology spread constraints (missing required label)",
  },
];

for (const { name, pod: asked, placed, want } of peers)
  test(`between pods: ${name}`, () => {
    const there = placed.map(([other, at]) => ({ pod: other, node: at }));
    const context = { ...alone, placed: () => there, guarded: () => there.filter(({ pod: p }) => keepsOthersAway(p)) };
    const found = planPlacement(asked, zones, context);
    assert.equal(found.kind === 'bind' ? found.node : found.message.split(': ')[1]?.split('. preemption')[0], want);
  });
