import type { DeploymentView, ReplicaSetView } from './deployment-view.ts';

/** New sizes of ReplicaSets by name; a name that is absent keeps its size. */
export type Sizes = Map<string, number>;

export function sumOf(sets: readonly ReplicaSetView[], field: 'replicas' | 'actual' | 'ready' | 'available'): number {
  return sets.reduce((sum, set) => sum + set[field], 0);
}

/** How large the new ReplicaSet may be now: never more than replicas + maxSurge pods in all. */
export function newSetSize(deployment: DeploymentView, newSize: number, all: readonly ReplicaSetView[]): number {
  if (deployment.strategy === 'Recreate') return deployment.replicas;
  const total = sumOf(all, 'replicas');
  const most = deployment.replicas + deployment.maxSurge;
  if (total >= most) return newSize;
  return newSize + Math.min(most - total, deployment.replicas - newSize);
}

/** One step down of the old ReplicaSets: unhealthy pods first, then as far as the available pods allow. */
export function planScaleDown(
  deployment: DeploymentView,
  newSet: ReplicaSetView,
  old: readonly ReplicaSetView[],
): Sizes {
  const sizes: Sizes = new Map();
  const all = [...old, newSet];
  if (sumOf(old, 'replicas') === 0) return sizes;
  const minAvailable = deployment.replicas - deployment.maxUnavailable;
  const newUnavailable = newSet.replicas - newSet.available;
  const most = sumOf(all, 'replicas') - minAvailable - newUnavailable;
  if (most <= 0) return sizes;
  const oldestFirst = [...old].sort((a, b) => a.createdAt - b.createdAt || (a.name < b.name ? -1 : 1));
  let cleaned = 0;
  for (const set of oldestFirst) {
    const unhealthy = set.replicas - set.available;
    const down = Math.min(most - cleaned, unhealthy);
    if (down <= 0) continue;
    sizes.set(set.name, set.replicas - down);
    cleaned += down;
  }
  let allowed = sumOf(all, 'available') - minAvailable;
  for (const set of oldestFirst) {
    const size = sizes.get(set.name) ?? set.replicas;
    const down = Math.min(size, allowed);
    if (down <= 0) continue;
    sizes.set(set.name, size - down);
    allowed -= down;
  }
  return sizes;
}

/** True when the Deployment's replicas changed since its ReplicaSets were sized last. */
export function isResized(deployment: DeploymentView, all: readonly ReplicaSetView[]): boolean {
  return all.some(
    (set) => set.replicas > 0 && set.desiredReplicas !== undefined && set.desiredReplicas !== deployment.replicas,
  );
}

/** Sizes after a change of replicas: all to the one active set, or shared out in proportion in mid-rollout. */
export function planResize(
  deployment: DeploymentView,
  newSet: ReplicaSetView | undefined,
  old: readonly ReplicaSetView[],
): Sizes {
  const all = newSet ? [...old, newSet] : [...old];
  const active = all.filter((set) => set.replicas > 0);
  if (active.length <= 1) {
    const only = active[0] ?? newSet ?? [...old].sort((a, b) => b.createdAt - a.createdAt)[0];
    return only && only.replicas !== deployment.replicas ? new Map([[only.name, deployment.replicas]]) : new Map();
  }
  if (newSet && isSaturated(deployment, newSet))
    return new Map(old.filter((set) => set.replicas > 0).map((set) => [set.name, 0]));
  return deployment.strategy === 'RollingUpdate' ? planProportional(deployment, active) : new Map();
}

function isSaturated(deployment: DeploymentView, newSet: ReplicaSetView): boolean {
  return (
    newSet.replicas === deployment.replicas &&
    newSet.desiredReplicas === deployment.replicas &&
    newSet.available === deployment.replicas
  );
}

function planProportional(deployment: DeploymentView, active: readonly ReplicaSetView[]): Sizes {
  const allowed = deployment.replicas > 0 ? deployment.replicas + deployment.maxSurge : 0;
  const toAdd = allowed - sumOf(active, 'replicas');
  // Largest first; among equals the newer one grows and the older one shrinks first.
  const ordered = [...active].sort(
    (a, b) => b.replicas - a.replicas || (toAdd > 0 ? b.createdAt - a.createdAt : a.createdAt - b.createdAt),
  );
  let added = 0;
  const sizes: Sizes = new Map();
  for (const set of ordered) {
    const rest = toAdd - added;
    const share = rest === 0 ? 0 : fairShare(deployment, set);
    const change = toAdd > 0 ? Math.min(share, rest) : Math.max(share, rest);
    sizes.set(set.name, set.replicas + change);
    added += change;
  }
  const largest = ordered[0];
  if (largest && toAdd !== added)
    sizes.set(largest.name, Math.max(0, (sizes.get(largest.name) ?? largest.replicas) + toAdd - added));
  return sizes;
}

function fairShare(deployment: DeploymentView, set: ReplicaSetView): number {
  if (deployment.replicas === 0) return -set.replicas;
  const before = set.maxReplicas || deployment.status.replicas || 1;
  return Math.round((set.replicas * (deployment.replicas + deployment.maxSurge)) / before) - set.replicas;
}
