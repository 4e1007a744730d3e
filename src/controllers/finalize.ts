import type { Cluster } from '#apps/clusters.ts';
import { replaceConditions } from '#apps/conditions.ts';
import { type DeletionStep, needsHooks, planDeletion, stuckDeletion } from '#apps/deletion.ts';
import type { LiveState } from '#apps/live-state.ts';
import { kindsOf, type ObservationDeps, targetOf } from '#apps/observation.ts';
import { isDestinationPermitted, isKindPermitted } from '#apps/project.ts';
import { namedHook } from '#apps/sync-tasks.ts';
import type { Clock } from '#base/clock.ts';
import { AppError, isAppError } from '#base/errors.ts';
import type { Outcome } from '#base/outcome.ts';
import { assessHealth } from '#health/assess.ts';
import { type ApiResource, type KubeClient, type KubeObject, kindOf } from '#kube/port.ts';
import type { AppProject } from '#model/argocd/app-project.ts';
import type { Application } from '#model/argocd/application.ts';
import { fieldManager, qualifiedName } from '#model/argocd/names.ts';
import { type DeletionHook, deletionHooks } from '#sync/hooks.ts';
import { displayName, resourceKeyOf } from '#sync/identity.ts';
import { releaseHook } from '#sync/write-object.ts';
import { describeError } from './operate.ts';
import type { Runtime } from './runtime.ts';
import { writeApplication } from './status-writer.ts';

export interface FinalizeDeps {
  home: { kube: KubeClient; live: LiveState };
  observation: (cluster: Cluster) => ObservationDeps;
  clock: Clock;
  namespace: string;
}

export interface FinalizeInput {
  application: Application;
  runtime: Runtime;
  resource: ApiResource;
  /** Undefined when nobody knows the cluster any more: of it, nothing can be taken away. Else why it cannot be used. */
  cluster: Cluster | string | undefined;
  /** Its project, or why there is none. */
  project: AppProject | string[];
}

const recheckMs = 2_000;
const failedRecheckMs = 5_000;
const errorRecheckMs = 15_000;
const concurrency = 16;

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.slice();
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
}

class Deletion {
  readonly #deps: FinalizeDeps;
  readonly #input: FinalizeInput;
  readonly #cluster: Cluster | undefined;
  readonly #signal: AbortSignal;

  constructor(deps: FinalizeDeps, input: FinalizeInput, signal: AbortSignal) {
    this.#deps = deps;
    this.#input = input;
    this.#cluster = typeof input.cluster === 'string' ? undefined : input.cluster;
    this.#signal = signal;
  }

  async run(): Promise<Outcome> {
    try {
      return await this.#step();
    } catch (error) {
      if (this.#signal.aborted || !isAppError(error) || isAppError(error, 'conflict')) throw error;
      if (isAppError(error, 'unavailable')) this.#cluster?.suspect();
      await this.#report(describeError(error));
      return { kind: 'done', recheckAfterMs: errorRecheckMs };
    }
  }

  async #step(): Promise<Outcome> {
    const { application } = this.#input;
    const cluster = this.#cluster;
    if (typeof this.#input.cluster === 'string')
      throw new AppError('unavailable', `what the application manages is not deleted: ${this.#input.cluster}`, {
        hint: 'mend the Secret of the cluster; without the Secret, the application goes and leaves everything as it is',
      });
    const hooks = await this.#hooks();
    const tracked = cluster && (await this.#tracked(cluster, hooks));
    const healthOf = cluster ? this.#deps.observation(cluster).assess : assessHealth;
    const step = planDeletion({ application, tracked, hooks, healthOf });
    switch (step.kind) {
      case 'none':
        return { kind: 'done' };
      case 'wait':
        await this.#report(stuckDeletion(step.objects, this.#deps.clock.now()));
        if (cluster) await this.#letGo(cluster, step.objects);
        return { kind: 'done', recheckAfterMs: recheckMs };
      case 'failed-hooks':
        this.#input.runtime.hooksAgainAt = this.#deps.clock.now() + failedRecheckMs;
        await this.#report(step.message);
        if (cluster) await this.#delete(cluster, { ...step, propagation: 'Background' });
        return { kind: 'done', recheckAfterMs: failedRecheckMs };
      case 'create-hooks': {
        const waitMs = (this.#input.runtime.hooksAgainAt ?? 0) - this.#deps.clock.now();
        if (waitMs > 0) return { kind: 'done', recheckAfterMs: waitMs };
        if (cluster) await this.#create(cluster, step.objects);
        return { kind: 'done', recheckAfterMs: recheckMs };
      }
      case 'delete':
        if (cluster) await this.#delete(cluster, step);
        return { kind: 'done', recheckAfterMs: recheckMs };
      case 'release':
        await this.#write({ finalizers: step.finalizers });
        return { kind: 'done', recheckAfterMs: 1 };
    }
  }

  /** The hooks of the deletion as Git has them, read only while they can still be wanted. */
  async #hooks(): Promise<Record<DeletionHook, KubeObject[]>> {
    const { application, runtime } = this.#input;
    const cluster = this.#cluster;
    const none = { PreDelete: [], PostDelete: [] };
    if (!cluster || !needsHooks(application)) return none;
    await cluster.require(this.#signal);
    const parts = this.#deps.observation(cluster);
    const target = await targetOf(parts, application, { memory: runtime.memory }, this.#signal);
    const startedAtMs = Date.parse(application.metadata.deletionTimestamp ?? '');
    const run = { revision: target.revisions[0] ?? '', startedAtMs };
    const named = (type: DeletionHook) => target.deletionHooks[type].map((hook) => namedHook(hook, type, run));
    return { PreDelete: named('PreDelete'), PostDelete: named('PostDelete') };
  }

  /** What says it is the application's, of the kinds and places that its project permits. */
  async #tracked(cluster: Cluster, hooks: Record<DeletionHook, KubeObject[]>): Promise<KubeObject[]> {
    const { application, project } = this.#input;
    if (Array.isArray(project))
      throw new AppError('not-found', `what the application manages is not deleted: ${project.join('; ')}`, {
        hint: 'or remove its finalizers, which leaves everything as it is',
      });
    await cluster.require(this.#signal);
    const hookKinds = deletionHooks.flatMap((type) => hooks[type]).map(kindOf);
    await cluster.live.watch([...kindsOf(application, undefined), ...hookKinds], this.#signal);
    const out: KubeObject[] = [];
    for (const object of cluster.live.trackedBy(qualifiedName(application.metadata, this.#deps.namespace))) {
      const resource = await cluster.kube.discovery.find(kindOf(object), this.#signal);
      if (!resource) continue;
      const { group, kind } = resource;
      const { name, namespace = '' } = object.metadata;
      const permitted =
        isKindPermitted(project, { group, kind, name, namespaced: resource.namespaced }) &&
        (!resource.namespaced || isDestinationPermitted(project, cluster.declaration, namespace));
      if (permitted) out.push(object);
    }
    return out;
  }

  async #create(cluster: Cluster, objects: readonly KubeObject[]): Promise<void> {
    await inParallel(objects, async (object) => {
      const applied = await cluster.kube.apply(object, { fieldManager, force: true }, this.#signal);
      cluster.live.noteWritten(applied);
    });
  }

  /** A hook that a sync left behind holds nothing up. */
  async #letGo(cluster: Cluster, objects: readonly KubeObject[]): Promise<void> {
    const deps = { kube: cluster.kube, clock: this.#deps.clock };
    await inParallel(objects, async (object) => await releaseHook(deps, object, this.#signal));
  }

  async #delete(cluster: Cluster, step: Pick<Extract<DeletionStep, { kind: 'delete' }>, 'objects' | 'propagation'>) {
    await this.#letGo(cluster, step.objects);
    await inParallel(step.objects, async (object) => {
      const resource = await cluster.kube.discovery.find(kindOf(object), this.#signal);
      if (!resource) return;
      const { uid } = object.metadata;
      const options = { propagationPolicy: step.propagation, preconditions: uid ? { uid } : {} };
      try {
        await cluster.kube.delete(resource, object.metadata, options, this.#signal);
      } catch (error) {
        // Another object took its name: it is looked at with the next step.
        if (isAppError(error, 'conflict')) return;
        const what = displayName(resourceKeyOf(object));
        if (!isAppError(error)) throw error;
        throw new AppError(error.code, `${what} could not be deleted: ${error.message}`, { hint: error.hint });
      }
    });
  }

  /** Says what holds the deletion up, or that nothing does. */
  async #report(message: string | undefined): Promise<void> {
    const before = this.#input.application.status ?? {};
    const found = message === undefined ? [] : [{ type: 'DeletionError' as const, message }];
    const now = this.#deps.clock.now();
    const conditions = replaceConditions(before.conditions ?? [], ['DeletionError'], found, now);
    if (conditions.length === 0 && before.conditions === undefined) return;
    await this.#write({ status: { ...before, conditions } });
  }

  async #write(change: Parameters<typeof writeApplication>[2]['change']): Promise<void> {
    const { application, runtime, resource } = this.#input;
    const write = { application, change, last: runtime.lastWritten };
    const written = await writeApplication(this.#deps.home, resource, write, this.#signal);
    runtime.lastWritten = written?.last ?? runtime.lastWritten;
  }
}

/** Takes the deletion of an application one step on; what holds it up is a condition of it. Safe to repeat. */
export async function finalize(deps: FinalizeDeps, input: FinalizeInput, signal: AbortSignal): Promise<Outcome> {
  return await new Deletion(deps, input, signal).run();
}
