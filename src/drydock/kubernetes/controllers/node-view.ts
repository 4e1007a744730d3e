import { getArray, getObject, getPath, getString } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { type Amounts, readAmounts } from './pod-resources.ts';

/** On a node whose pods are plain processes: what they request is not counted. */
export const requestsAnnotation = 'node.drydock.dev/requests';

export interface Taint {
  key: string;
  value: string;
  effect: string;
  timeAdded: string | undefined;
}

/** A node as placement reads it. */
export interface NodeView {
  name: string;
  labels: Record<string, string>;
  unschedulable: boolean;
  taints: readonly Taint[];
  allocatable: Amounts;
  countsRequests: boolean;
}

const views = new WeakMap<ApiObject, NodeView>();

/** Stored objects never change, so each is read once. */
export function viewNode(node: ApiObject): NodeView {
  const known = views.get(node);
  if (known) return known;
  const view: NodeView = {
    name: node.metadata.name,
    labels: node.metadata.labels ?? {},
    unschedulable: getPath(node, 'spec', 'unschedulable') === true,
    taints: readTaints(node),
    allocatable: readAmounts(getObject(node, 'status', 'allocatable')),
    countsRequests: node.metadata.annotations?.[requestsAnnotation] !== 'ignored',
  };
  views.set(node, view);
  return view;
}

export function readTaints(node: ApiObject): Taint[] {
  return getArray(node, 'spec', 'taints').map((taint) => ({
    key: getString(taint, 'key') ?? '',
    value: getString(taint, 'value') ?? '',
    effect: getString(taint, 'effect') ?? '',
    timeAdded: getString(taint, 'timeAdded'),
  }));
}

/** Whether a toleration of the pod answers the taint. */
export function tolerates(toleration: unknown, taint: Pick<Taint, 'key' | 'value' | 'effect'>): boolean {
  const key = getString(toleration, 'key') ?? '';
  const effect = getString(toleration, 'effect') ?? '';
  const operator = getString(toleration, 'operator') ?? 'Equal';
  if (effect !== '' && effect !== taint.effect) return false;
  if (key === '') return operator === 'Exists';
  if (key !== taint.key) return false;
  return operator === 'Exists' || (getString(toleration, 'value') ?? '') === taint.value;
}

/** The first taint that keeps new pods with these tolerations away. */
export function untoleratedTaint(tolerations: readonly unknown[], taints: readonly Taint[]): Taint | undefined {
  return taints.find(
    (taint) =>
      (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') &&
      !tolerations.some((toleration) => tolerates(toleration, taint)),
  );
}
