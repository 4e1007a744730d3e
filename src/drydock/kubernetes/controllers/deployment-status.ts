import type { JsonObject } from '#base/json.ts';
import { type Condition, findCondition, parseTime, withCondition, withoutCondition } from './condition.ts';
import { sumOf } from './deployment-scale.ts';
import type { DeploymentCounts, DeploymentView, ReplicaSetView } from './deployment-view.ts';

export interface StatusInput {
  deployment: DeploymentView;
  /** With the conditions of this tick, e.g. that the new set was created. */
  conditions: Condition[];
  newSet: ReplicaSetView | undefined;
  old: readonly ReplicaSetView[];
  collisionCount: number;
  now: number;
  /** False while paused or just resized: counts are refreshed, progress is not judged. */
  judgeProgress: boolean;
}

/** The whole status; counts of zero are absent. `deadlineInMs` is when progress has to be judged again. */
export function deploymentStatus(input: StatusInput): { status: JsonObject; deadlineInMs: number | undefined } {
  const { deployment, newSet, old, now } = input;
  const all = newSet ? [...old, newSet] : [...old];
  const counts: DeploymentCounts = {
    replicas: sumOf(all, 'actual'),
    updated: newSet?.actual ?? 0,
    ready: sumOf(all, 'ready'),
    available: sumOf(all, 'available'),
  };
  const enough = counts.available >= deployment.replicas - deployment.maxUnavailable;
  let conditions = withCondition(
    withPause(input),
    enough
      ? {
          type: 'Available',
          status: 'True',
          reason: 'MinimumReplicasAvailable',
          message: 'Deployment has minimum availability.',
        }
      : {
          type: 'Available',
          status: 'False',
          reason: 'MinimumReplicasUnavailable',
          message: 'Deployment does not have minimum availability.',
        },
    { now, updateTime: true },
  );
  if (input.judgeProgress) conditions = judgeProgress({ ...input, conditions }, counts);
  const unavailable = Math.max(0, sumOf(all, 'replicas') - counts.available);
  const status: JsonObject = {
    observedGeneration: deployment.generation,
    ...(counts.replicas > 0 ? { replicas: counts.replicas } : {}),
    ...(counts.updated > 0 ? { updatedReplicas: counts.updated } : {}),
    ...(counts.ready > 0 ? { readyReplicas: counts.ready } : {}),
    ...(counts.available > 0 ? { availableReplicas: counts.available } : {}),
    ...(unavailable > 0 ? { unavailableReplicas: unavailable } : {}),
    ...(conditions.length > 0 ? { conditions } : {}),
    ...(input.collisionCount > 0 ? { collisionCount: input.collisionCount } : {}),
  };
  return { status, deadlineInMs: input.judgeProgress ? deadlineInMs(deployment, conditions, now) : undefined };
}

/** A pause stops the clock of the deadline and says so; a verdict that was given stays. */
function withPause({ deployment, conditions, now }: StatusInput): Condition[] {
  const { reason } = findCondition(conditions, 'Progressing') ?? {};
  if (deployment.progressDeadlineSeconds === undefined || reason === 'ProgressDeadlineExceeded') return conditions;
  if (deployment.paused === (reason === 'DeploymentPaused')) return conditions;
  const [word, message] = deployment.paused
    ? (['DeploymentPaused', 'Deployment is paused'] as const)
    : (['DeploymentResumed', 'Deployment is resumed'] as const);
  const next = { type: 'Progressing', status: 'Unknown', reason: word, message } as const;
  return withCondition(conditions, next, { now, updateTime: true });
}

function judgeProgress(input: StatusInput, counts: DeploymentCounts): Condition[] {
  const { deployment, newSet, old, now } = input;
  let conditions = input.conditions;
  const subject = newSet ? `ReplicaSet "${newSet.name}"` : `Deployment "${deployment.name}"`;
  const current = findCondition(conditions, 'Progressing');
  const settled = counts.replicas === counts.updated && current?.reason === 'NewReplicaSetAvailable';
  if (deployment.progressDeadlineSeconds === undefined) conditions = withoutCondition(conditions, 'Progressing');
  else if (!settled) {
    if (isComplete(deployment, counts)) {
      const message = `${subject} has successfully progressed.`;
      const next = { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message } as const;
      conditions = withCondition(conditions, next, { now, updateTime: true });
    } else if (isProgressing(deployment.status, counts)) {
      const message = `${subject} is progressing.`;
      const next = { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', message } as const;
      const fresh = withCondition(withoutCondition(conditions, 'Progressing'), next, { now, updateTime: true });
      conditions = fresh.map((condition) =>
        condition.type === 'Progressing' && current?.status === 'True' && current.lastTransitionTime !== undefined
          ? { ...condition, lastTransitionTime: current.lastTransitionTime }
          : condition,
      );
    } else if (deadlineInMs(deployment, conditions, now) === 0) {
      const message = `${subject} has timed out progressing.`;
      const next = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message } as const;
      conditions = withCondition(conditions, next, { now, updateTime: true });
    }
  }
  const failure = findReplicaFailure(newSet, old);
  return failure
    ? withCondition(conditions, failure, { now, updateTime: true })
    : withoutCondition(conditions, 'ReplicaFailure');
}

export function isComplete(deployment: DeploymentView, counts: DeploymentCounts): boolean {
  return (
    counts.updated === deployment.replicas &&
    counts.replicas === deployment.replicas &&
    counts.available === deployment.replicas
  );
}

function isProgressing(before: DeploymentCounts, now: DeploymentCounts): boolean {
  return (
    now.updated > before.updated ||
    now.replicas - now.updated < before.replicas - before.updated ||
    now.ready > before.ready ||
    now.available > before.available
  );
}

/** Undefined when no deadline runs; 0 when it has passed. The extra second is for times kept in whole seconds. */
function deadlineInMs(deployment: DeploymentView, conditions: readonly Condition[], now: number): number | undefined {
  const current = findCondition(conditions, 'Progressing');
  if (!current || deployment.progressDeadlineSeconds === undefined) return undefined;
  if (current.reason === 'NewReplicaSetAvailable' || current.reason === 'ProgressDeadlineExceeded') return undefined;
  const from = parseTime(current.lastUpdateTime) ?? now;
  return Math.max(0, from + deployment.progressDeadlineSeconds * 1000 - now);
}

function findReplicaFailure(
  newSet: ReplicaSetView | undefined,
  old: readonly ReplicaSetView[],
): Pick<Condition, 'type' | 'status' | 'reason' | 'message'> | undefined {
  for (const set of newSet ? [newSet, ...old] : old) {
    const failure = findCondition(set.conditions, 'ReplicaFailure');
    if (failure)
      return {
        type: 'ReplicaFailure',
        status: failure.status,
        ...(failure.reason === undefined ? {} : { reason: failure.reason }),
        ...(failure.message === undefined ? {} : { message: failure.message }),
      };
  }
  return undefined;
}
