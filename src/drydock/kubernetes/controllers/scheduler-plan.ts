import { getArray, getObject, getPath, getString, isObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import type { NodeLoad } from './node-load.ts';
import { type NodeView, untoleratedTaint, viewNode } from './node-view.ts';
import { stringMap } from './ownership.ts';
import { type Amounts, hostPorts, podRequests } from './pod-resources.ts';
import { isDeleting } from './pod-state.ts';
import { type PeerRule, type PlacedPod, peerRules } from './scheduler-peers.ts';
import { matchesSelector } from './selector.ts';

export type Placement =
  | { kind: 'bind'; node: string }
  /** `soon`: what it waits for is being made right now. */
  | { kind: 'unschedulable'; message: string; soon: boolean };

export interface PlacementContext {
  claimOf(name: string): ApiObject | undefined;
  loadOf(node: string): NodeLoad;
  placed(): Iterable<PlacedPod>;
  guarded(): Iterable<PlacedPod>;
  namespaceLabels(name: string): Record<string, string>;
}

/** `evicting`: whether a pod of lower priority that went would help. */
interface Refusal {
  reason: string;
  evicting: boolean;
}

interface PodView {
  pod: ApiObject;
  selector: Record<string, string>;
  tolerations: readonly unknown[];
  requests: Amounts;
  ports: readonly string[];
  rules: readonly PeerRule[];
}

/** Waits for a node, and is ours to place. */
export function needsPlacement(pod: ApiObject): boolean {
  const scheduler = getString(pod, 'spec', 'schedulerName') ?? 'default-scheduler';
  const gated = getArray(pod, 'spec', 'schedulingGates').length > 0;
  return !getString(pod, 'spec', 'nodeName') && scheduler === 'default-scheduler' && !isDeleting(pod) && !gated;
}

/**
 * The least loaded node of those that the pod may run on, by labels, affinity, taints, host ports, requests and the
 * rules between pods; and the real scheduler's words when there is none. Preferences do not count, and pods are never
 * evicted to make room.
 */
export function planPlacement(pod: ApiObject, nodes: readonly ApiObject[], context: PlacementContext): Placement {
  const volumes = unboundVolume(pod, context.claimOf);
  if (volumes !== undefined)
    return { ...unschedulable(pod, nodes.length, { listed: [volumes], helped: 0 }), soon: true };
  if (nodes.length === 0) return { kind: 'unschedulable', message: 'no nodes available to schedule pods', soon: true };
  const views = nodes.map(viewNode);
  const selector = stringMap(getObject(pod, 'spec', 'nodeSelector'));
  const view: PodView = {
    pod,
    selector,
    rules: peerRules(pod, {
      ...context,
      nodes: new Map(views.map((node) => [node.name, node])),
      allowed: (node) => matchesNode(pod, selector, node),
    }),
    tolerations: getArray(pod, 'spec', 'tolerations'),
    requests: podRequests(pod),
    ports: hostPorts(pod),
  };
  const reasons = new Map<string, number>();
  let helped = 0;
  let best: { node: string; score: number } | undefined;
  for (const node of views) {
    const load = context.loadOf(node.name);
    const refusals = refusalsOf(view, node, load);
    if (refusals.length === 0) {
      const score = scoreOf(node, load);
      if (!best || score < best.score) best = { node: node.name, score };
      continue;
    }
    if (refusals.every(({ evicting }) => evicting)) helped += 1;
    for (const { reason } of refusals) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  if (best) return { kind: 'bind', node: best.node };
  const listed = [...reasons].map(([reason, count]) => `${count} ${reason}`).toSorted();
  return unschedulable(pod, nodes.length, { listed, helped });
}

function unschedulable(
  pod: ApiObject,
  nodes: number,
  { listed, helped }: { listed: readonly string[]; helped: number },
): Placement & { kind: 'unschedulable' } {
  const none = `0/${nodes} nodes are available:`;
  const evictions = [
    ...(helped > 0 ? [`${helped} No preemption victims found for incoming pod`] : []),
    ...(helped < nodes ? [`${nodes - helped} Preemption is not helpful for scheduling`] : []),
  ];
  const preemption =
    getString(pod, 'spec', 'preemptionPolicy') === 'Never'
      ? 'not eligible due to preemptionPolicy=Never.'
      : `${none} ${evictions.join(', ')}.`;
  const message = `${none} ${listed.join(', ')}. preemption: ${preemption}`;
  return { kind: 'unschedulable', message, soon: false };
}

function refusalsOf(view: PodView, node: NodeView, load: NodeLoad): Refusal[] {
  const hard = (reason: string): Refusal[] => [{ reason, evicting: false }];
  const { pod, tolerations } = view;
  const cordon = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule', timeAdded: undefined };
  if (node.unschedulable && untoleratedTaint(tolerations, [cordon])) return hard('node(s) were unschedulable');
  const taint = untoleratedTaint(tolerations, node.taints);
  if (taint) return hard(`node(s) had untolerated taint {${taint.key}: ${taint.value}}`);
  if (!matchesNode(pod, view.selector, node)) return hard("node(s) didn't match Pod's node affinity/selector");
  if (view.ports.some((port) => load.hostPorts.has(port)))
    return [{ reason: "node(s) didn't have free ports for the requested pod ports", evicting: true }];
  const short = node.countsRequests ? shortages(view, node, load) : [];
  if (short.length > 0) return short;
  for (const rule of view.rules) {
    const reason = rule(node);
    if (reason !== undefined) return hard(reason);
  }
  return [];
}

function matchesNode(pod: ApiObject, selector: Record<string, string>, node: NodeView): boolean {
  return matchesSelector({ matchLabels: selector, matchExpressions: [] }, node.labels) && matchesAffinity(pod, node);
}

function shortages({ requests }: PodView, { allocatable }: NodeView, load: NodeLoad): Refusal[] {
  const short: Refusal[] = [];
  if (load.pods + 1 > (allocatable.get('pods') ?? 0)) short.push({ reason: 'Too many pods', evicting: true });
  for (const [name, asked] of requests) {
    const there = allocatable.get(name) ?? 0;
    if (asked > 0 && asked > there - (load.amounts.get(name) ?? 0))
      short.push({ reason: `Insufficient ${name}`, evicting: asked <= there });
  }
  return short;
}

/** A pod that asks for nothing counts for a little, as for the real scheduler. */
const littleCpu = 100;
const littleMemory = 200 * 1024 * 1024;

/** The higher the more of the node is taken. */
function scoreOf({ allocatable }: NodeView, load: NodeLoad): number {
  const taken = (name: string, little: number): number =>
    ((load.amounts.get(name) ?? 0) + load.pods * little) / (allocatable.get(name) || Number.MAX_SAFE_INTEGER);
  return taken('cpu', littleCpu) + taken('memory', littleMemory);
}

/** Whether the node affinity that a pod, or the template of pods, requires admits the node. */
export function matchesAffinity(pod: unknown, node: NodeView): boolean {
  const required = getPath(pod, 'spec', 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution');
  if (!isObject(required)) return true;
  return getArray(required, 'nodeSelectorTerms').some((term) => {
    const labels = getArray(term, 'matchExpressions').map(readTerm);
    const fields = getArray(term, 'matchFields').map(readTerm);
    if (labels.length + fields.length === 0) return false;
    return (
      matchesSelector({ matchLabels: {}, matchExpressions: labels }, node.labels) &&
      matchesSelector({ matchLabels: {}, matchExpressions: fields }, { 'metadata.name': node.name })
    );
  });
}

function readTerm(term: unknown): { key: string; operator: string; values: string[] } {
  return {
    key: getString(term, 'key') ?? '',
    operator: getString(term, 'operator') ?? '',
    values: getArray(term, 'values').filter((item): item is string => typeof item === 'string'),
  };
}

function unboundVolume(pod: ApiObject, claimOf: (name: string) => ApiObject | undefined): string | undefined {
  for (const volume of getArray(pod, 'spec', 'volumes')) {
    const name = getString(volume, 'persistentVolumeClaim', 'claimName');
    if (name === undefined) continue;
    const claim = claimOf(name);
    if (!claim) return `persistentvolumeclaim "${name}" not found`;
    if (getString(claim, 'status', 'phase') !== 'Bound') return 'pod has unbound immediate PersistentVolumeClaims';
  }
  return undefined;
}
