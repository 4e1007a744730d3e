import { getArray, getObject, getPath, getString, isObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { findCondition, parseConditions } from './condition.ts';
import { stringMap } from './ownership.ts';
import { isDeleting } from './pod-state.ts';
import { matchesSelector } from './selector.ts';

export type Placement =
  | { kind: 'bind'; node: string }
  /** `soon`: what it waits for is being made right now. */
  | { kind: 'unschedulable'; message: string; soon: boolean };

/** Waits for a node, and is ours to place. */
export function needsPlacement(pod: ApiObject): boolean {
  const scheduler = getString(pod, 'spec', 'schedulerName') ?? 'default-scheduler';
  const gated = getArray(pod, 'spec', 'schedulingGates').length > 0;
  return !getString(pod, 'spec', 'nodeName') && scheduler === 'default-scheduler' && !isDeleting(pod) && !gated;
}

/**
 * The first node that the pod may run on. Labels, affinity and taints count; requested CPU and memory do not, because
 * pods are plain processes of this machine.
 */
export function planPlacement(
  pod: ApiObject,
  nodes: readonly ApiObject[],
  claimOf: (name: string) => ApiObject | undefined,
): Placement {
  const volumes = unboundVolume(pod, claimOf);
  if (volumes !== undefined) return { ...unschedulable(nodes.length, volumes), soon: true };
  const reasons = new Map<string, number>();
  for (const node of nodes) {
    const reason = refusal(pod, node);
    if (reason === undefined) return { kind: 'bind', node: node.metadata.name };
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  if (nodes.length === 0) return { kind: 'unschedulable', message: 'no nodes available to schedule pods', soon: true };
  return unschedulable(nodes.length, [...reasons].map(([reason, count]) => `${count} ${reason}`).join(', '));
}

function unschedulable(nodes: number, why: string): Placement & { kind: 'unschedulable' } {
  const none = `0/${nodes} nodes are available:`;
  return {
    kind: 'unschedulable',
    message: `${none} ${why}. preemption: ${none} ${nodes} Preemption is not helpful for scheduling.`,
    soon: false,
  };
}

function refusal(pod: ApiObject, node: ApiObject): string | undefined {
  if (getPath(node, 'spec', 'unschedulable') === true) return 'node(s) were unschedulable';
  if (findCondition(parseConditions(node['status']), 'Ready')?.status !== 'True') return 'node(s) were not ready';
  const selector = { matchLabels: stringMap(getObject(pod, 'spec', 'nodeSelector')), matchExpressions: [] };
  if (!matchesSelector(selector, node.metadata.labels) || !matchesAffinity(pod, node))
    return "node(s) didn't match Pod's node affinity/selector";
  const taint = getArray(node, 'spec', 'taints').find((item) => !isTolerated(pod, item));
  if (taint !== undefined)
    return `node(s) had untolerated taint {${getString(taint, 'key')}: ${getString(taint, 'value') ?? ''}}`;
  return undefined;
}

function matchesAffinity(pod: ApiObject, node: ApiObject): boolean {
  const required = getPath(pod, 'spec', 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution');
  if (!isObject(required)) return true;
  return getArray(required, 'nodeSelectorTerms').some((term) => {
    const labels = getArray(term, 'matchExpressions').map(readTerm);
    const fields = getArray(term, 'matchFields').map(readTerm);
    if (labels.length + fields.length === 0) return false;
    return (
      matchesSelector({ matchLabels: {}, matchExpressions: labels }, node.metadata.labels) &&
      matchesSelector({ matchLabels: {}, matchExpressions: fields }, { 'metadata.name': node.metadata.name })
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

function isTolerated(pod: ApiObject, taint: unknown): boolean {
  const effect = getString(taint, 'effect');
  if (effect !== 'NoSchedule' && effect !== 'NoExecute') return true;
  return getArray(pod, 'spec', 'tolerations').some((toleration) => {
    const key = getString(toleration, 'key');
    const wanted = getString(toleration, 'effect');
    if (wanted !== undefined && wanted !== '' && wanted !== effect) return false;
    if (key === undefined || key === '') return getString(toleration, 'operator') === 'Exists';
    if (key !== getString(taint, 'key')) return false;
    if (getString(toleration, 'operator') === 'Exists') return true;
    return (getString(toleration, 'value') ?? '') === (getString(taint, 'value') ?? '');
  });
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
