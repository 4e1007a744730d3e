import { getArray, getNumber, getPath, getString } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import type { NodeView } from './node-view.ts';
import { isDeleting } from './pod-state.ts';
import { type LabelSelector, matchesSelector, parseLabelSelector } from './selector.ts';

/** A pod that has its node. */
export interface PlacedPod {
  pod: ApiObject;
  node: string;
}

export interface PeerContext {
  nodes: ReadonlyMap<string, NodeView>;
  placed(): Iterable<PlacedPod>;
  /** Those that keep others away. */
  guarded(): Iterable<PlacedPod>;
  namespaceLabels(name: string): Record<string, string>;
  /** Whether the pod's own node selector and affinity allow the node. */
  allowed(node: NodeView): boolean;
}

/** Why a pod may not be on a node because of other pods; undefined when it may. */
export type PeerRule = (node: NodeView) => string | undefined;

/** The rules between pods that count for `pod`, each looked up once for all nodes. */
export function peerRules(pod: ApiObject, context: PeerContext): PeerRule[] {
  return [
    ...getArray(pod, 'spec', 'topologySpreadConstraints')
      .filter((constraint) => getString(constraint, 'whenUnsatisfiable') !== 'ScheduleAnyway')
      .map((constraint) => spreadRule(pod, constraint, context)),
    ...requiredTerms(pod, 'podAffinity').map((term) => affinityRule(pod, term, context)),
    ...requiredTerms(pod, 'podAntiAffinity').map((term) => antiAffinityRule(pod, term, context)),
    guardRule(pod, context),
  ];
}

export function keepsOthersAway(pod: ApiObject): boolean {
  return requiredTerms(pod, 'podAntiAffinity').length > 0;
}

function requiredTerms(pod: ApiObject, kind: 'podAffinity' | 'podAntiAffinity'): unknown[] {
  return getArray(pod, 'spec', 'affinity', kind, 'requiredDuringSchedulingIgnoredDuringExecution');
}

function affinityRule(pod: ApiObject, term: unknown, context: PeerContext): PeerRule {
  const key = getString(term, 'topologyKey') ?? '';
  const matches = termMatcher(pod, term, context);
  const domains = domainsOf(matches, key, context);
  // The first of a group that wants to be together may be anywhere.
  const first = domains.size === 0 && matches(pod);
  return (node) => {
    const domain = node.labels[key];
    const fits = domain !== undefined && (first || domains.has(domain));
    return fits ? undefined : "node(s) didn't match pod affinity rules";
  };
}

function antiAffinityRule(pod: ApiObject, term: unknown, context: PeerContext): PeerRule {
  const key = getString(term, 'topologyKey') ?? '';
  const domains = domainsOf(termMatcher(pod, term, context), key, context);
  return (node) => {
    const domain = node.labels[key];
    const meets = domain !== undefined && domains.has(domain);
    return meets ? "node(s) didn't match pod anti-affinity rules" : undefined;
  };
}

/** Pods that are there may keep this one away. */
function guardRule(pod: ApiObject, context: PeerContext): PeerRule {
  const closed = new Set<string>();
  for (const guard of context.guarded())
    for (const term of requiredTerms(guard.pod, 'podAntiAffinity')) {
      const key = getString(term, 'topologyKey') ?? '';
      const domain = context.nodes.get(guard.node)?.labels[key];
      if (domain !== undefined && termMatcher(guard.pod, term, context)(pod)) closed.add(`${key}=${domain}`);
    }
  if (closed.size === 0) return () => undefined;
  return (node) =>
    Object.entries(node.labels).some(([key, value]) => closed.has(`${key}=${value}`))
      ? "node(s) didn't satisfy existing pods anti-affinity rules"
      : undefined;
}

function spreadRule(pod: ApiObject, constraint: unknown, context: PeerContext): PeerRule {
  const key = getString(constraint, 'topologyKey') ?? '';
  const maxSkew = getNumber(constraint, 'maxSkew') ?? 1;
  const selector = withLabelKeys(pod, parseLabelSelector(getPath(constraint, 'labelSelector')), constraint);
  const counts = new Map<string, number>();
  for (const node of context.nodes.values()) {
    const domain = node.labels[key];
    if (domain !== undefined && context.allowed(node)) counts.set(domain, counts.get(domain) ?? 0);
  }
  for (const { pod: other, node } of context.placed()) {
    const domain = context.nodes.get(node)?.labels[key];
    if (domain === undefined || other.metadata.namespace !== pod.metadata.namespace || isDeleting(other)) continue;
    const count = counts.get(domain);
    if (count !== undefined && matchesSelector(selector, other.metadata.labels)) counts.set(domain, count + 1);
  }
  const enough = counts.size >= (getNumber(constraint, 'minDomains') ?? 1);
  const least = enough ? Math.min(...counts.values()) : 0;
  const itself = matchesSelector(selector, pod.metadata.labels) ? 1 : 0;
  const refusal = "node(s) didn't match pod topology spread constraints";
  return (node) => {
    const domain = node.labels[key];
    if (domain === undefined) return `${refusal} (missing required label)`;
    return (counts.get(domain) ?? 0) + itself - least > maxSkew ? refusal : undefined;
  };
}

function domainsOf(matches: (pod: ApiObject) => boolean, key: string, context: PeerContext): ReadonlySet<string> {
  const domains = new Set<string>();
  for (const { pod, node } of context.placed()) {
    const domain = context.nodes.get(node)?.labels[key];
    if (domain !== undefined && !domains.has(domain) && matches(pod)) domains.add(domain);
  }
  return domains;
}

/** Whether a pod is one that a term of `owner` is about. */
function termMatcher(owner: ApiObject, term: unknown, context: PeerContext): (pod: ApiObject) => boolean {
  const selector = withLabelKeys(owner, parseLabelSelector(getPath(term, 'labelSelector')), term);
  const named = getArray(term, 'namespaces');
  const byLabels = parseLabelSelector(getPath(term, 'namespaceSelector'));
  const own = named.length === 0 && byLabels === undefined;
  return (pod) => {
    const namespace = pod.metadata.namespace ?? '';
    const inside = own
      ? namespace === owner.metadata.namespace
      : named.includes(namespace) || matchesSelector(byLabels, context.namespaceLabels(namespace));
    return inside && matchesSelector(selector, pod.metadata.labels);
  };
}

/** `matchLabelKeys` and `mismatchLabelKeys` take the values of the pod's own labels. */
function withLabelKeys(pod: ApiObject, selector: LabelSelector | undefined, rule: unknown): LabelSelector | undefined {
  if (!selector) return undefined;
  const added = (field: string, operator: string) =>
    getArray(rule, field).flatMap((key) => {
      const value = typeof key === 'string' ? pod.metadata.labels?.[key] : undefined;
      return typeof key === 'string' && value !== undefined ? [{ key, operator, values: [value] }] : [];
    });
  const more = [...added('matchLabelKeys', 'In'), ...added('mismatchLabelKeys', 'NotIn')];
  return { ...selector, matchExpressions: [...selector.matchExpressions, ...more] };
}
