import { getArray, getNumber, getObject, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { type Revision, revisionHashLabel } from './controller-revision.ts';
import { resolveCount } from './int-or-percent.ts';
import { untoleratedTaint, viewNode } from './node-view.ts';
import { stringMap } from './ownership.ts';
import { isDeleting, isPodAvailable, isPodReady, podPhase } from './pod-state.ts';
import { podFromTemplate } from './pod-template.ts';
import { matchesNode } from './scheduler-plan.ts';

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

const daemonTolerations = [
  ['not-ready', 'NoExecute'],
  ['unreachable', 'NoExecute'],
  ['disk-pressure', 'NoSchedule'],
  ['memory-pressure', 'NoSchedule'],
  ['pid-pressure', 'NoSchedule'],
  ['unschedulable', 'NoSchedule'],
].map(([name, effect]) => ({ key: `node.kubernetes.io/${name}`, operator: 'Exists', effect }));

/** One pod per node that the template allows; outdated ones go as far as maxUnavailable allows. */
export function planDaemonSet(observed: DaemonSetObserved): DaemonSetPlan {
  const { set, pods, update, now } = observed;
  const plan: DaemonSetPlan = { create: [], remove: [] };
  if (isDeleting(set)) return plan;
  const nodes = eligibleNodes(observed, ['NoSchedule', 'NoExecute']);
  const mayStay = eligibleNodes(observed, ['NoExecute']);
  const byNode = podsByNode(pods);
  for (const [node, there] of byNode) {
    const alive = there.filter((pod) => !isDeleting(pod));
    if (!mayStay.includes(node)) plan.remove.push(...alive);
    else {
      plan.remove.push(...alive.filter((pod) => podPhase(pod) === 'Failed' || podPhase(pod) === 'Succeeded'));
      plan.remove.push(...alive.filter((pod) => podPhase(pod) !== 'Failed' && podPhase(pod) !== 'Succeeded').slice(1));
    }
  }
  plan.create = nodes.filter((node) => (byNode.get(node) ?? []).length === 0);
  if (getString(set, 'spec', 'updateStrategy', 'type') === 'OnDelete') return plan;
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
  return plan;
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
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } },
      },
      tolerations: [...getArray(spec, 'tolerations'), ...daemonTolerations],
    },
  };
}

/** Nodes that the template's selector and affinity allow, and of whose taints none of `effects` keeps the pods away. */
function eligibleNodes(observed: Pick<DaemonSetObserved, 'set' | 'nodes'>, effects: readonly string[]): string[] {
  const spec = getObject(observed.set, 'spec', 'template', 'spec');
  const selector = stringMap(spec['nodeSelector']);
  const tolerations = [...getArray(spec, 'tolerations'), ...daemonTolerations];
  return observed.nodes
    .map(viewNode)
    .filter((node) => {
      const taints = node.taints.filter(({ effect }) => effects.includes(effect));
      return matchesNode(spec, selector, node) && !untoleratedTaint(tolerations, taints);
    })
    .map(({ name }) => name);
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
  const nodes = eligibleNodes(observed, ['NoSchedule', 'NoExecute']);
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
    numberMisscheduled: alive.filter(({ node, pod }) => pod && !nodes.includes(node)).length,
    desiredNumberScheduled: nodes.length,
    numberReady: wanted.filter(isPodReady).length,
    observedGeneration: set.metadata.generation ?? 0,
    ...(updated > 0 ? { updatedNumberScheduled: updated } : {}),
    ...(available > 0 ? { numberAvailable: available } : {}),
    ...(unavailable > 0 ? { numberUnavailable: unavailable } : {}),
  };
}
