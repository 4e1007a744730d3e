import { isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { type Condition, findCondition, withCondition } from './condition.ts';
import { isResized, newSetSize, planResize, planScaleDown, type Sizes } from './deployment-scale.ts';
import { deploymentStatus, isComplete } from './deployment-status.ts';
import {
  type DeploymentView,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  type ReplicaSetView,
  readReplicaSet,
  revisionAnnotation,
  revisionHistoryAnnotation,
} from './deployment-view.ts';
import { ownerReferenceTo } from './ownership.ts';
import { podPhase } from './pod-state.ts';
import { podTemplateHashLabel, sameTemplate, templateHash, templateWithLabels } from './template-hash.ts';

export interface DeploymentObserved {
  deployment: DeploymentView;
  /** Those the deployment controls. */
  replicaSets: ReplicaSetView[];
  /** All pods of those sets; read only by the Recreate strategy. */
  pods: ApiObject[];
  /** Names of ReplicaSets in the namespace that belong to somebody else. */
  takenNames: ReadonlySet<string>;
  now: number;
}

export type ReplicaSetWrite =
  | { kind: 'create'; object: ApiObject }
  | { kind: 'update'; object: ApiObject; from: number; to: number }
  | { kind: 'delete'; object: ApiObject };

export interface DeploymentPlan {
  writes: ReplicaSetWrite[];
  /** Of the deployment itself, when it must change. */
  revision: string | undefined;
  status: JsonObject;
  recheckAfterMs: number | undefined;
}

/** Everything one step of a rollout does; the sets' next change leads to the next step. */
export function planDeployment(observed: DeploymentObserved): DeploymentPlan {
  const draft = new Draft(observed);
  const { deployment } = observed;
  if (deployment.deleting) return draft.finish(false);
  draft.findNewSet();
  if (deployment.paused || isResized(deployment, draft.all())) {
    if (draft.newSet) draft.annotateNewSet();
    draft.resize(planResize(deployment, draft.newSet, draft.old));
    if (deployment.paused) draft.cleanUp();
    return draft.finish(false);
  }
  if (deployment.strategy === 'Recreate') planRecreate(draft, observed);
  else planRollingUpdate(draft, deployment);
  return draft.finish(true);
}

function planRollingUpdate(draft: Draft, deployment: DeploymentView): void {
  const newSet = draft.ensureNewSet(newSetSize(deployment, 0, draft.all()));
  const size =
    newSet.replicas > deployment.replicas ? deployment.replicas : newSetSize(deployment, newSet.replicas, draft.all());
  const sizes =
    size === newSet.replicas ? planScaleDown(deployment, newSet, draft.old) : new Map([[newSet.name, size]]);
  if (sizes.size > 0) draft.resize(sizes);
  else draft.cleanUp();
}

function planRecreate(draft: Draft, observed: DeploymentObserved): void {
  const active = draft.old.filter((set) => set.replicas > 0);
  if (draft.newSet) draft.annotateNewSet();
  if (active.length > 0) {
    draft.resize(new Map(active.map((set) => [set.name, 0])));
    return;
  }
  const oldUids = new Set(draft.old.map((set) => set.object.metadata.uid));
  const running = observed.pods.some(
    (pod) =>
      pod.metadata.ownerReferences?.some((owner) => oldUids.has(owner.uid)) &&
      podPhase(pod) !== 'Succeeded' &&
      podPhase(pod) !== 'Failed',
  );
  if (running) return;
  const { replicas } = observed.deployment;
  const newSet = draft.ensureNewSet(replicas);
  if (newSet.replicas !== replicas) draft.resize(new Map([[newSet.name, replicas]]));
  else draft.cleanUp();
}

/** The sets as they will be after the writes decided so far. */
class Draft {
  readonly #observed: DeploymentObserved;
  readonly #writes: ReplicaSetWrite[] = [];
  #conditions: Condition[];
  #collisionCount: number;
  newSet: ReplicaSetView | undefined;
  old: ReplicaSetView[];

  constructor(observed: DeploymentObserved) {
    this.#observed = observed;
    this.#conditions = observed.deployment.conditions;
    this.#collisionCount = observed.deployment.collisionCount;
    this.old = observed.replicaSets;
  }

  all(): ReplicaSetView[] {
    return this.newSet ? [...this.old, this.newSet] : this.old;
  }

  findNewSet(): void {
    const { deployment, replicaSets } = this.#observed;
    const oldestFirst = [...replicaSets].sort((a, b) => a.createdAt - b.createdAt || (a.name < b.name ? -1 : 1));
    this.newSet = oldestFirst.find((set) => !set.deleting && sameTemplate(set.template, deployment.template));
    this.old = oldestFirst.filter((set) => set !== this.newSet);
  }

  ensureNewSet(initialSize: number): ReplicaSetView {
    if (this.newSet) return this.annotateNewSet() ?? this.newSet;
    const object = this.#newReplicaSet(initialSize);
    this.#writes.push({ kind: 'create', object });
    const created = { ...readReplicaSet(object), createdAt: this.#observed.now };
    this.newSet = created;
    this.#progress('NewReplicaSetCreated', `Created new replica set "${object.metadata.name}"`);
    return created;
  }

  /** Brings revision and copied annotations of the new set up to date, e.g. after a rollback to an earlier template. */
  annotateNewSet(): ReplicaSetView | undefined {
    const { deployment } = this.#observed;
    const set = this.newSet;
    if (!set) return undefined;
    if (!findCondition(this.#conditions, 'Progressing'))
      this.#progress('FoundNewReplicaSet', `Found new replica set "${set.name}"`);
    const annotations = { ...set.object.metadata.annotations, ...copiedAnnotations(deployment) };
    const revision = Math.max(0, ...this.old.map((other) => other.revision)) + 1;
    if (set.revision < revision) {
      const before = set.object.metadata.annotations?.[revisionAnnotation];
      const history = set.object.metadata.annotations?.[revisionHistoryAnnotation];
      if (before !== undefined)
        annotations[revisionHistoryAnnotation] = history === undefined ? before : `${history},${before}`;
      annotations[revisionAnnotation] = String(revision);
    }
    this.#change(set, { annotations, replicas: set.replicas });
    return this.newSet;
  }

  /** Sizes sets, and marks every active one with what was asked for, by which a later change is noticed. */
  resize(sizes: Sizes): void {
    for (const set of this.all()) {
      const replicas = sizes.get(set.name) ?? set.replicas;
      if (replicas === set.replicas && replicas === 0) continue;
      if (replicas === set.replicas && set.desiredReplicas === this.#observed.deployment.replicas) continue;
      this.#change(set, { annotations: { ...set.object.metadata.annotations, ...this.#sizeAnnotations() }, replicas });
    }
  }

  /** Deletes old empty sets beyond the history limit, once the rollout is complete. */
  cleanUp(): void {
    const { deployment } = this.#observed;
    const counts = { ...deployment.status };
    if (!deployment.paused && !isComplete(deployment, counts)) return;
    const empty = this.old.filter((set) => set.replicas === 0 && set.actual === 0 && set.observed && !set.deleting);
    const excess = empty.length - deployment.revisionHistoryLimit;
    const byRevision = [...empty].sort((a, b) => a.revision - b.revision || a.createdAt - b.createdAt);
    for (const set of byRevision.slice(0, Math.max(0, excess))) {
      this.#writes.push({ kind: 'delete', object: set.object });
      this.old = this.old.filter((other) => other !== set);
    }
  }

  finish(judgeProgress: boolean): DeploymentPlan {
    const { deployment, now } = this.#observed;
    const { status, deadlineInMs } = deploymentStatus({
      deployment,
      conditions: this.#conditions,
      newSet: this.newSet,
      old: this.old,
      collisionCount: this.#collisionCount,
      now,
      judgeProgress,
    });
    const revision = this.newSet?.object.metadata.annotations?.[revisionAnnotation];
    return {
      writes: this.#writes,
      revision:
        revision !== undefined && deployment.object.metadata.annotations?.[revisionAnnotation] !== revision
          ? revision
          : undefined,
      status,
      recheckAfterMs: deadlineInMs,
    };
  }

  #progress(reason: string, message: string): void {
    if (this.#observed.deployment.progressDeadlineSeconds === undefined) return;
    const next = { type: 'Progressing', status: 'True', reason, message } as const;
    this.#conditions = withCondition(this.#conditions, next, { now: this.#observed.now, updateTime: true });
  }

  #sizeAnnotations(): Record<string, string> {
    const { replicas, maxSurge } = this.#observed.deployment;
    return { [desiredReplicasAnnotation]: String(replicas), [maxReplicasAnnotation]: String(replicas + maxSurge) };
  }

  /** Adds to an earlier write of the same set, so that each set is written at most once. */
  #change(set: ReplicaSetView, next: { annotations: Record<string, string>; replicas: number }): void {
    const { deployment } = this.#observed;
    const spec = isObject(set.object['spec']) ? set.object['spec'] : {};
    const minReady = deployment.minReadySeconds;
    const sameMinReady = (spec['minReadySeconds'] ?? 0) === minReady || set !== this.newSet;
    const before = set.object.metadata.annotations ?? {};
    const sameAnnotations = Object.entries(next.annotations).every(([key, value]) => before[key] === value);
    if (sameAnnotations && sameMinReady && next.replicas === set.replicas) return;
    const { minReadySeconds: oldMinReady, ...rest } = spec;
    const object: ApiObject = {
      ...set.object,
      metadata: { ...set.object.metadata, annotations: next.annotations },
      spec: {
        ...rest,
        ...(set === this.newSet ? (minReady > 0 ? { minReadySeconds: minReady } : {}) : keep(oldMinReady)),
        replicas: next.replicas,
      },
    };
    const changed: ReplicaSetView = { ...readReplicaSet(object), createdAt: set.createdAt };
    const earlier = this.#writes.findIndex((write) => write.object.metadata.name === set.name);
    const write = this.#writes[earlier];
    if (write?.kind === 'create') this.#writes[earlier] = { kind: 'create', object };
    else if (write?.kind === 'update') this.#writes[earlier] = { ...write, object, to: next.replicas };
    else this.#writes.push({ kind: 'update', object, from: set.replicas, to: next.replicas });
    if (set === this.newSet) this.newSet = changed;
    else this.old = this.old.map((other) => (other === set ? changed : other));
  }

  #newReplicaSet(replicas: number): ApiObject {
    const { deployment, takenNames } = this.#observed;
    let hash = templateHash(deployment.template, this.#collisionCount);
    while (takenNames.has(`${deployment.name}-${hash}`)) {
      this.#collisionCount += 1;
      hash = templateHash(deployment.template, this.#collisionCount);
    }
    const labels = { [podTemplateHashLabel]: hash };
    const template = templateWithLabels(deployment.template, labels);
    const metadata = isObject(template['metadata']) ? template['metadata'] : {};
    const selector = isObject(deployment.object['spec']) ? deployment.object['spec']['selector'] : undefined;
    const matchLabels = isObject(selector) && isObject(selector['matchLabels']) ? selector['matchLabels'] : {};
    const revision = Math.max(0, ...this.old.map((set) => set.revision)) + 1;
    return {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `${deployment.name}-${hash}`,
        ...(deployment.object.metadata.namespace === undefined
          ? {}
          : { namespace: deployment.object.metadata.namespace }),
        labels: labelsOf(metadata),
        annotations: {
          ...copiedAnnotations(deployment),
          ...this.#sizeAnnotations(),
          [revisionAnnotation]: String(revision),
        },
        ownerReferences: [ownerReferenceTo(deployment.object)],
      },
      spec: {
        replicas,
        ...(deployment.minReadySeconds > 0 ? { minReadySeconds: deployment.minReadySeconds } : {}),
        selector: { ...(isObject(selector) ? selector : {}), matchLabels: { ...matchLabels, ...labels } },
        template,
      },
    };
  }
}

function keep(minReadySeconds: unknown): JsonObject {
  return minReadySeconds === undefined ? {} : { minReadySeconds };
}

function labelsOf(metadata: JsonObject): Record<string, string> {
  const labels = isObject(metadata['labels']) ? metadata['labels'] : {};
  return Object.fromEntries(
    Object.entries(labels).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
]);

function copiedAnnotations(deployment: DeploymentView): Record<string, string> {
  const annotations = deployment.object.metadata.annotations ?? {};
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !notCopied.has(key)));
}
