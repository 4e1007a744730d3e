import { getArray, getNumber, getObject, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { type Revision, revisionHashLabel } from './controller-revision.ts';
import { resolveCount } from './int-or-percent.ts';
import { untoleratedTaint, viewNode } from './node-view.ts';
import { stringMap } from './ownership.ts';
import { isDeleting, isPodAvailable, isPodReady, podPhase } from './pod-state.ts';
import { podFromTemplate } from './pod-template.ts';
import { matchesAffinity } from './scheduler-plan.ts';
import { matchesSelector } from './selector.ts';

export interface DaemonSetObserved {
  set: ApiObject;
  pods: readonly ApiObject[];
  nodes: readonly ApiObject[];
  update: Revision;
  now: number;
}

export interface DaemonSetPlan {
  /** Names of nodes that get a pod. */
  create: string[];
  remove: ApiObject[];
}

const toleratedEverywhere = [
  'not-ready',
  'unreachable',
  'disk-pressure',
  'memory-pressure',
  'pid-pressure',
  'unschedulable',
];

/**
 * One pod per node that the template may run on; outdated ones go as far as maxUnavailable allows, or are joined by as
 * many new ones as maxSurge allows.
 */
export function planDaemonSet(observed: DaemonSetObserved): DaemonSetPlan {
  const { set, pods, update } = observed;
  const plan: DaemonSetPlan = { create: [], remove: [] };
  if (isDeleting(set)) return plan;
  const { run: nodes, stay } = eligibleNodes(observed);
  const byNode = podsByNode(pods);
  const surge = resolveCount(
    getPath(set, 'spec', 'updateStrategy', 'rollingUpdate', 'maxSurge') ?? 0,
    nodes.length,
    'up',
  );
  for (const [node, there] of byNode) {
    const alive = there.filter((pod) => !isDeleting(pod));
    if (!nodes.includes(node) && !stay.includes(node)) plan.remove.push(...alive);
    else {
      const over = (pod: ApiObject): boolean => podPhase(pod) === 'Failed' || podPhase(pod) === 'Succeeded';
      const running = alive.filter((pod) => !over(pod));
      plan.remove.push(...alive.filter(over));
      const isNew = (pod: ApiObject): boolean => pod.metadata.labels?.[revisionHashLabel] === update.hash;
      const pairs = surge > 0 ? [running.filter(isNew), running.filter((pod) => !isNew(pod))] : [running];
      for (const alike of pairs) plan.remove.push(...alike.slice(1));
    }
  }
  plan.create = nodes.filter((node) => (byNode.get(node) ?? []).length === 0);
  if (getString(set, 'spec', 'updateStrategy', 'type') === 'OnDelete') return plan;
  if (surge > 0) planSurge(observed, plan, { nodes, byNode, surge });
  else planReplacement(observed, plan, { nodes, byNode });
  return plan;
}

interface Fleet {
  nodes: readonly string[];
  byNode: ReadonlyMap<string, readonly ApiObject[]>;
}

/** New pods beside old ones, which go when the new one is available. */
function planSurge(observed: DaemonSetObserved, plan: DaemonSetPlan, fleet: Fleet & { surge: number }): void {
  const { set, update, now } = observed;
  const minReadySeconds = getNumber(set, 'spec', 'minReadySeconds') ?? 0;
  let surging = 0;
  const waiting: string[] = [];
  for (const node of fleet.nodes) {
    const alive = (fleet.byNode.get(node) ?? []).filter((pod) => !isDeleting(pod) && !plan.remove.includes(pod));
    const next = alive.find((pod) => pod.metadata.labels?.[revisionHashLabel] === update.hash);
    const old = alive.find((pod) => pod !== next);
    if (!old) continue;
    if (!next) waiting.push(node);
    else if (isPodAvailable(next, minReadySeconds, now)) plan.remove.push(old);
    else surging += 1;
  }
  plan.create.push(...waiting.slice(0, Math.max(0, fleet.surge - surging)));
}

function planReplacement({ set, update, now }: DaemonSetObserved, plan: DaemonSetPlan, { nodes, byNode }: Fleet): void {
  const minReadySeconds = getNumber(set, 'spec', 'minReadySeconds') ?? 0;
  const maxUnavailable = resolveCount(
    getPath(set, 'spec', 'updateStrategy', 'rollingUpdate', 'maxUnavailable') ?? 1,
    nodes.length,
    'up',
  );
  const onePerNode = nodes.map((node) => (byNode.get(node) ?? [])[0]);
  const available = (pod: ApiObject | undefined): boolean =>
    pod !== undefined && !isDeleting(pod) && !plan.remove.includes(pod) && isPodAvailable(pod, minReadySeconds, now);
  let allowed = Math.max(1, maxUnavailable) - onePerNode.filter((pod) => !available(pod)).length;
  for (const pod of onePerNode) {
    if (!pod || isDeleting(pod) || plan.remove.includes(pod)) continue;
    if (pod.metadata.labels?.[revisionHashLabel] === update.hash) continue;
    // An outdated pod that serves nobody is replaced whatever the limit says.
    if (available(pod)) {
      if (allowed <= 0) continue;
      allowed -= 1;
    }
    plan.remove.push(pod);
  }
}

export function daemonPod(set: ApiObject, update: Revision, naming: { name: string; node: string }): ApiObject {
  const pod = podFromTemplate(set, update.template, {
    name: naming.name,
    generateName: `${set.metadata.name}-`,
    labels: { [revisionHashLabel]: update.hash },
  });
  const spec = isObject(pod['spec']) ? pod['spec'] : {};
  const term = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [naming.node] }] };
  return {
    ...pod,
    spec: {
      ...spec,
      affinity: {
        ...getObject(spec, 'affinity'),
        nodeAffinity: {
          ...getObject(spec, 'affinity', 'nodeAffinity'),
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] },
        },
      },
      tolerations: [...getArray(spec, 'tolerations'), ...ownTolerations(spec)],
    },
  };
}

/** Trouble of its node is no reason for a daemon to go, and cordoning none to stay away. */
function ownTolerations(spec: JsonObject): JsonObject[] {
  const names = spec['hostNetwork'] === true ? [...toleratedEverywhere, 'network-unavailable'] : toleratedEverywhere;
  return names.map((name, index) => ({
    key: `node.kubernetes.io/${name}`,
    operator: 'Exists',
    effect: index < 2 ? 'NoExecute' : 'NoSchedule',
  }));
}

/** Nodes that are to run a pod, and those with a taint that only keeps new pods away. */
function eligibleNodes({ set, nodes }: Pick<DaemonSetObserved, 'set' | 'nodes'>): { run: string[]; stay: string[] } {
  const template = getObject(set, 'spec', 'template');
  const spec = getObject(template, 'spec');
  const selector = { matchLabels: stringMap(spec['nodeSelector']), matchExpressions: [] };
  const tolerations = [...getArray(spec, 'tolerations'), ...ownTolerations(spec)];
  const found: { run: string[]; stay: string[] } = { run: [], stay: [] };
  for (const node of nodes.map(viewNode)) {
    const named = getString(spec, 'nodeName') ?? node.name;
    if (named !== node.name || !matchesSelector(selector, node.labels) || !matchesAffinity(template, node)) continue;
    const driven = node.taints.filter((taint) => taint.effect === 'NoExecute');
    if (!untoleratedTaint(tolerations, node.taints)) found.run.push(node.name);
    else if (!untoleratedTaint(tolerations, driven)) found.stay.push(node.name);
  }
  return found;
}

/** By the node a pod runs on, or is meant for while it waits. */
function podsByNode(pods: readonly ApiObject[]): Map<string, ApiObject[]> {
  const found = new Map<string, ApiObject[]>();
  for (const pod of pods) {
    const terms = getArray(
      pod,
      'spec',
      'affinity',
      'nodeAffinity',
      'requiredDuringSchedulingIgnoredDuringExecution',
      'nodeSelectorTerms',
    );
    const node = getString(pod, 'spec', 'nodeName') ?? getString(terms[0], 'matchFields', 0, 'values', 0) ?? '';
    found.set(node, [...(found.get(node) ?? []), pod]);
  }
  return found;
}

export function daemonSetStatus(observed: DaemonSetObserved): JsonObject {
  const { set, pods, update, now } = observed;
  const { run: nodes, stay } = eligibleNodes(observed);
  const minReadySeconds = getNumber(set, 'spec', 'minReadySeconds') ?? 0;
  const alive = [...podsByNode(pods)].map(([node, there]) => ({
    node,
    pod: there.find((pod) => !isDeleting(pod)),
  }));
  const wanted = alive.flatMap(({ node, pod }) => (pod && nodes.includes(node) ? [pod] : []));
  const available = wanted.filter((pod) => isPodAvailable(pod, minReadySeconds, now)).length;
  const updated = wanted.filter((pod) => pod.metadata.labels?.[revisionHashLabel] === update.hash).length;
  const unavailable = nodes.length - available;
  return {
    currentNumberScheduled: wanted.length,
    numberMisscheduled: alive.filter(({ node, pod }) => pod && !nodes.includes(node) && !stay.includes(node)).length,
    desiredNumberScheduled: nodes.length,
    numberReady: wanted.filter(isPodReady).length,
    observedGeneration: set.metadata.generation ?? 0,
    ...(updated > 0 ? { updatedNumberScheduled: updated } : {}),
    ...(available > 0 ? { numberAvailable: available } : {}),
    ...(unavailable > 0 ? { numberUnavailable: unavailable } : {}),
  };
}
