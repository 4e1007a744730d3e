import { getNumber, getObject, getPath, getString, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { type Condition, parseConditions, parseTime } from './condition.ts';
import { resolveCount } from './int-or-percent.ts';
import { type LabelSelector, parseLabelSelector } from './selector.ts';

export const revisionAnnotation = 'deployment.kubernetes.io/revision';
export const revisionHistoryAnnotation = 'deployment.kubernetes.io/revision-history';
export const desiredReplicasAnnotation = 'deployment.kubernetes.io/desired-replicas';
export const maxReplicasAnnotation = 'deployment.kubernetes.io/max-replicas';

/** A Deployment as its controller reads it. */
export interface DeploymentView {
  object: ApiObject;
  name: string;
  generation: number;
  deleting: boolean;
  replicas: number;
  selector: LabelSelector | undefined;
  template: JsonObject;
  strategy: 'RollingUpdate' | 'Recreate';
  /** 0 for Recreate. */
  maxSurge: number;
  maxUnavailable: number;
  minReadySeconds: number;
  /** Undefined: no deadline. */
  progressDeadlineSeconds: number | undefined;
  revisionHistoryLimit: number;
  paused: boolean;
  status: DeploymentCounts;
  collisionCount: number;
  conditions: Condition[];
}

export interface DeploymentCounts {
  replicas: number;
  updated: number;
  ready: number;
  available: number;
}

/** A ReplicaSet as the Deployment controller reads it; `replicas` is what the spec asks for. */
export interface ReplicaSetView {
  object: ApiObject;
  name: string;
  replicas: number;
  template: JsonObject;
  revision: number;
  maxReplicas: number | undefined;
  desiredReplicas: number | undefined;
  actual: number;
  ready: number;
  available: number;
  observed: boolean;
  deleting: boolean;
  createdAt: number;
  conditions: Condition[];
}

const noDeadline = 2 ** 31 - 1;

export function readDeployment(object: ApiObject): DeploymentView {
  const replicas = getNumber(object, 'spec', 'replicas') ?? 1;
  const strategy = getString(object, 'spec', 'strategy', 'type') === 'Recreate' ? 'Recreate' : 'RollingUpdate';
  const rolling = strategy === 'RollingUpdate';
  const surge = rolling ? getPath(object, 'spec', 'strategy', 'rollingUpdate', 'maxSurge') : 0;
  const unavailable = rolling ? getPath(object, 'spec', 'strategy', 'rollingUpdate', 'maxUnavailable') : 0;
  const maxSurge = resolveCount(surge ?? '25%', replicas, 'up');
  const maxUnavailable = Math.min(replicas, resolveCount(unavailable ?? '25%', replicas, 'down'));
  const deadline = getNumber(object, 'spec', 'progressDeadlineSeconds') ?? 600;
  return {
    object,
    name: object.metadata.name,
    generation: object.metadata.generation ?? 0,
    deleting: object.metadata.deletionTimestamp !== undefined,
    replicas,
    selector: parseLabelSelector(getPath(object, 'spec', 'selector')),
    template: getObject(object, 'spec', 'template'),
    strategy,
    maxSurge,
    maxUnavailable: rolling && maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable,
    minReadySeconds: getNumber(object, 'spec', 'minReadySeconds') ?? 0,
    progressDeadlineSeconds: deadline === noDeadline ? undefined : deadline,
    revisionHistoryLimit: getNumber(object, 'spec', 'revisionHistoryLimit') ?? 10,
    paused: getPath(object, 'spec', 'paused') === true,
    status: {
      replicas: getNumber(object, 'status', 'replicas') ?? 0,
      updated: getNumber(object, 'status', 'updatedReplicas') ?? 0,
      ready: getNumber(object, 'status', 'readyReplicas') ?? 0,
      available: getNumber(object, 'status', 'availableReplicas') ?? 0,
    },
    collisionCount: getNumber(object, 'status', 'collisionCount') ?? 0,
    conditions: parseConditions(object['status']),
  };
}

export function readReplicaSet(object: ApiObject): ReplicaSetView {
  const annotation = (name: string): number | undefined => {
    const value = Number(object.metadata.annotations?.[name] ?? Number.NaN);
    return Number.isInteger(value) ? value : undefined;
  };
  return {
    object,
    name: object.metadata.name,
    replicas: getNumber(object, 'spec', 'replicas') ?? 1,
    template: getObject(object, 'spec', 'template'),
    revision: annotation(revisionAnnotation) ?? 0,
    maxReplicas: annotation(maxReplicasAnnotation),
    desiredReplicas: annotation(desiredReplicasAnnotation),
    actual: getNumber(object, 'status', 'replicas') ?? 0,
    ready: getNumber(object, 'status', 'readyReplicas') ?? 0,
    available: getNumber(object, 'status', 'availableReplicas') ?? 0,
    observed: (getNumber(object, 'status', 'observedGeneration') ?? 0) >= (object.metadata.generation ?? 0),
    deleting: object.metadata.deletionTimestamp !== undefined,
    createdAt: parseTime(object.metadata.creationTimestamp) ?? 0,
    conditions: parseConditions(object['status']),
  };
}
