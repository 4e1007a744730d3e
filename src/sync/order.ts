import type { SyncTask } from './task.ts';
import { isPrune, phaseOrder } from './task.ts';

/** Kinds in the order in which they are applied within a wave; all others come last. */
const kindRanks = [
  'Namespace',
  'NetworkPolicy',
  'ResourceQuota',
  'LimitRange',
  'PodSecurityPolicy',
  'PodDisruptionBudget',
  'ServiceAccount',
  'Secret',
  'SecretList',
  'ConfigMap',
  'StorageClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'CustomResourceDefinition',
  'ClusterRole',
  'ClusterRoleList',
  'ClusterRoleBinding',
  'ClusterRoleBindingList',
  'Role',
  'RoleList',
  'RoleBinding',
  'RoleBindingList',
  'Service',
  'DaemonSet',
  'Pod',
  'ReplicationController',
  'ReplicaSet',
  'Deployment',
  'HorizontalPodAutoscaler',
  'StatefulSet',
  'Job',
  'CronJob',
  'IngressClass',
  'Ingress',
  'APIService',
];
const rankOf = new Map(kindRanks.map((kind, rank) => [kind, rank]));

function rank(kind: string): number {
  return rankOf.get(kind) ?? kindRanks.length;
}

/**
 * Waves of the prune tasks, mirrored: the distinct waves among them are swapped lowest with highest, so that removal goes
 * the other way round than creation. PruneLast puts a task behind every wave of the Sync phase.
 */
export function withPruneWaves(tasks: readonly SyncTask[], pruneLastForAll: boolean): SyncTask[] {
  const waves = [...new Set(tasks.filter(isPrune).map((task) => task.wave))].sort((a, b) => a - b);
  const mirrored = new Map(waves.map((wave, index) => [wave, waves[waves.length - 1 - index] ?? wave]));
  const afterMirror = tasks.map((task) =>
    isPrune(task) ? { ...task, wave: mirrored.get(task.wave) ?? task.wave } : task,
  );
  const last = afterMirror.reduce((most, task) => (task.phase === 'Sync' ? Math.max(most, task.wave) : most), 0) + 1;
  return afterMirror.map((task) =>
    isPrune(task) && (pruneLastForAll || task.options.pruneLast) ? { ...task, wave: last } : task,
  );
}

function compareTasks(a: SyncTask, b: SyncTask): number {
  return (
    phaseOrder[a.phase] - phaseOrder[b.phase] ||
    a.wave - b.wave ||
    rank(a.key.kind) - rank(b.key.kind) ||
    (a.key.kind < b.key.kind ? -1 : a.key.kind > b.key.kind ? 1 : 0) ||
    (a.key.name < b.key.name ? -1 : a.key.name > b.key.name ? 1 : 0) ||
    ((a.key.namespace ?? '') < (b.key.namespace ?? '') ? -1 : 1)
  );
}

/** Moves a task that others need in front of the first of them, into the same phase and wave. */
function hoist(
  tasks: SyncTask[],
  provides: (task: SyncTask) => ((other: SyncTask) => boolean) | undefined,
): SyncTask[] {
  const out = tasks.slice();
  for (const task of tasks) {
    if (isPrune(task)) continue;
    const needsIt = provides(task);
    if (!needsIt) continue;
    const from = out.indexOf(task);
    const before = out.findIndex((other) => other !== task && !isPrune(other) && needsIt(other));
    const first = out[before];
    if (!first || before > from) continue;
    out.splice(from, 1);
    out.splice(before, 0, { ...task, phase: first.phase, wave: first.wave });
  }
  return out;
}

function crdServes(task: SyncTask): ((other: SyncTask) => boolean) | undefined {
  if (task.key.kind !== 'CustomResourceDefinition' || task.key.group !== 'apiextensions.k8s.io') return undefined;
  const spec = task.target?.['spec'] as { group?: unknown; names?: { kind?: unknown } } | undefined;
  return (other) => other.key.group === spec?.group && other.key.kind === spec?.names?.kind;
}

function namespaceHolds(task: SyncTask): ((other: SyncTask) => boolean) | undefined {
  if (task.key.kind !== 'Namespace' || task.key.group !== '') return undefined;
  return (other) => other.key.namespace === task.key.name;
}

/** The order of a sync: phase, wave, kind, name; a Namespace or CRD never after the first object that needs it. */
export function orderTasks(tasks: readonly SyncTask[]): SyncTask[] {
  const sorted = tasks.slice().sort(compareTasks);
  return hoist(hoist(sorted, namespaceHolds), crdServes);
}
