import type { Clock } from '#base/clock.ts';
import { getString } from '#base/json.ts';
import { assessHealth } from '#health/assess.ts';
import { type KubeClient, type KubeObject, kindOf } from '#kube/port.ts';
import type { AppProject } from '#model/argocd/app-project.ts';
import type { Application, OperationState, ResourceResult } from '#model/argocd/application.ts';
import { annotations, qualifiedName } from '#model/argocd/names.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import { type Comparer, desiredObject } from '#sync/comparer.ts';
import { executeStep } from '#sync/execute.ts';
import { displayName } from '#sync/identity.ts';
import { planSync, type SyncAction } from '#sync/plan.ts';
import { isPrune, resultId, resultOf, type SyncTask } from '#sync/task.ts';
import type { LiveState } from './live-state.ts';
import type { Observation } from './observation.ts';
import { endOperation, operationId } from './operation-state.ts';
import { isKindPermitted } from './project.ts';
import { appSyncOptions, buildSyncTasks } from './sync-tasks.ts';

export interface OperationDeps {
  kube: KubeClient;
  live: LiveState;
  comparer: Comparer;
  clock: Clock;
  settings: () => ArgoSettings;
  /** Of the instance: applications elsewhere have it in their names. */
  namespace: string;
  /** Forgets which kinds the cluster serves. */
  kindsChanged: () => void;
}

export interface OperationInput {
  application: Application;
  project: AppProject;
  state: OperationState;
  observation: Observation;
  /** Compares anew, with what has been applied so far. */
  observeAgain: () => Promise<Observation>;
}

export interface OperationProgress {
  state: OperationState;
  /** Undefined when a live change will tell. */
  recheckAfterMs: number | undefined;
}

const maxSteps = 200;
const crdWaitMs = 3000;
const recheckMs = 30_000;
const hookRecheckMs = 1000;

async function destinationNamespace(
  deps: OperationDeps,
  application: Application,
  state: OperationState,
  observation: Observation,
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const name = application.spec.destination.namespace;
  if (!name || !appSyncOptions(application, state.operation).includes('CreateNamespace=true')) return undefined;
  const inGit = observation.target.resources.some(
    ({ object }) => object.kind === 'Namespace' && object.apiVersion === 'v1' && object.metadata.name === name,
  );
  if (inGit) return undefined;
  const kind = { group: '', version: 'v1', kind: 'Namespace' };
  await deps.live.watch([kind], signal);
  const live = deps.live.get(kind, { name });
  const { labels, annotations: notes } = application.spec.syncPolicy?.managedNamespaceMetadata ?? {};
  const has = (wanted: Record<string, string> | undefined, is: Record<string, string> | undefined) =>
    Object.entries(wanted ?? {}).every(([key, value]) => is?.[key] === value);
  if (live && has(labels, live.metadata.labels) && has(notes, live.metadata.annotations)) return undefined;
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, ...(labels ? { labels } : {}), ...(notes ? { annotations: notes } : {}) },
  };
}

function servedBySync(tasks: readonly SyncTask[], task: SyncTask): boolean {
  return tasks.some(
    ({ target }) =>
      target?.kind === 'CustomResourceDefinition' &&
      getString(target, 'spec', 'group') === task.key.group &&
      getString(target, 'spec', 'names', 'kind') === task.key.kind,
  );
}

/** Tasks that cannot work: kinds the cluster does not serve, or the project does not permit. */
async function invalidTasks(
  deps: OperationDeps,
  project: AppProject,
  tasks: readonly SyncTask[],
  signal: AbortSignal,
): Promise<ResourceResult[]> {
  const out: ResourceResult[] = [];
  for (const task of tasks) {
    const object = task.target ?? task.live;
    if (!object) continue;
    const resource = await deps.kube.discovery.find(kindOf(object), signal);
    const { group, kind, name } = task.key;
    let message: string | undefined;
    if (!resource) {
      if (servedBySync(tasks, task)) continue;
      message = `The cluster does not serve ${kind} of ${object.apiVersion}, wanted for ${displayName(task.key)}. Install its CustomResourceDefinition, or correct apiVersion and kind in Git.`;
    } else if (!isKindPermitted(project, { group, kind, name, namespaced: resource.namespaced }))
      message = `Resource ${group}:${kind} is not permitted in project ${project.name}.`;
    if (message !== undefined) out.push(resultOf(task, { status: 'SyncFailed', message, hookPhase: 'Failed' }));
  }
  return out;
}

async function waitForCrds(deps: OperationDeps, actions: readonly SyncAction[], signal: AbortSignal): Promise<void> {
  const crds = actions.filter(({ task, kind }) => kind === 'apply' && task.key.kind === 'CustomResourceDefinition');
  if (crds.length === 0) return;
  const deadline = deps.clock.now() + crdWaitMs;
  for (const { task } of crds) {
    const resource = task.target && (await deps.kube.discovery.find(kindOf(task.target), signal));
    while (resource && task.target && deps.clock.now() < deadline) {
      const live = await deps.kube.get(resource, task.target.metadata, signal);
      if (live && assessHealth(live)?.status === 'Healthy') break;
      await deps.clock.sleep(20, signal);
    }
  }
  deps.kindsChanged();
}

function withResults(state: OperationState, results: Iterable<ResourceResult>): OperationState {
  return { ...state, syncResult: { ...state.syncResult, resources: [...results] } };
}

class Run {
  readonly #deps: OperationDeps;
  readonly #input: OperationInput;
  readonly #signal: AbortSignal;
  readonly #results: Map<string, ResourceResult>;
  #state: OperationState;
  #observation: Observation;

  constructor(deps: OperationDeps, input: OperationInput, signal: AbortSignal) {
    this.#deps = deps;
    this.#input = input;
    this.#signal = signal;
    this.#state = input.state;
    this.#observation = input.observation;
    this.#results = new Map((input.state.syncResult?.resources ?? []).map((result) => [resultId(result), result]));
  }

  async go(): Promise<OperationProgress> {
    const { application, project } = this.#input;
    if (this.#state.phase === 'Terminating') return await this.#terminate();
    const shared = this.#observation.comparison.shared;
    if (shared.length > 0 && appSyncOptions(application, this.#state.operation).includes('FailOnSharedResource=true'))
      return this.#end(
        'Failed',
        `Shared resource found: ${shared.map(({ key, other }) => `${key} is part of application ${other}`).join(', ')}`,
      );
    for (let step = 0; step < maxSteps; step += 1) {
      const tasks = await this.#tasks();
      if (this.#results.size === 0) {
        const invalid = await invalidTasks(this.#deps, project, tasks, this.#signal);
        if (invalid.length > 0) {
          for (const result of invalid) this.#results.set(resultId(result), result);
          return this.#end(
            'Failed',
            `one or more synchronization tasks are not valid: ${invalid.map(({ message }) => message).join(' ')}`,
          );
        }
      }
      const progress = this.#state.operation.sync?.dryRun ? await this.#dryRun(tasks) : await this.#step(tasks);
      if (progress) return progress;
      this.#observation = await this.#input.observeAgain();
    }
    return this.#progress('the sync goes on', 100);
  }

  async #tasks(): Promise<SyncTask[]> {
    const { application } = this.#input;
    return buildSyncTasks({
      application,
      operation: this.#state.operation,
      resources: this.#observation.comparison.resources,
      hooks: this.#observation.target.hooks,
      live: this.#deps.live,
      revision: this.#observation.target.revisions[0] ?? '',
      startedAtMs: Date.parse(this.#state.startedAt),
      namespace: await destinationNamespace(this.#deps, application, this.#state, this.#observation, this.#signal),
    });
  }

  /** Undefined when the next step can follow at once. */
  async #step(tasks: SyncTask[]): Promise<OperationProgress | undefined> {
    const { application } = this.#input;
    const plan = planSync({
      tasks,
      results: this.#results,
      operationId: operationId(this.#state),
      prune: this.#state.operation.sync?.prune ?? false,
      applyOutOfSyncOnly: appSyncOptions(application, this.#state.operation).includes('ApplyOutOfSyncOnly=true'),
      pruneApproved: this.#pruneApproved(),
    });
    for (const [id, result] of plan.results) this.#results.set(id, result);
    const { step } = plan;
    if (step.kind === 'wait') return this.#progress(step.message, recheckMs);
    if (step.kind === 'finish') {
      await this.#execute([step.cleanup]);
      return this.#end(step.phase, step.message);
    }
    const done = await this.#execute(step.groups);
    const failed = done.some((result) => result.status === 'SyncFailed');
    if (step.finishWhenDone && !failed) {
      await this.#execute([step.cleanup]);
      for (const [id, result] of this.#results)
        if (result.hookPhase === 'Running') this.#results.set(id, { ...result, hookPhase: 'Succeeded' });
      return this.#end('Succeeded', 'successfully synced (all tasks run)');
    }
    const waitsForDeletion = step.groups.flat().some(({ kind }) => kind === 'delete-hook');
    return waitsForDeletion ? this.#progress(step.message, hookRecheckMs) : undefined;
  }

  async #dryRun(tasks: SyncTask[]): Promise<OperationProgress> {
    const actions = tasks.map((task): SyncAction => {
      if (!isPrune(task)) return { kind: 'apply', task };
      return this.#state.operation.sync?.prune
        ? { kind: 'prune', task }
        : { kind: 'skip-prune', task, message: 'ignored (requires pruning)' };
    });
    const done = await this.#execute([actions]);
    const failed = done.filter((result) => result.status === 'SyncFailed');
    if (failed.length > 0)
      return this.#end(
        'Failed',
        `one or more objects failed to apply (dry run), reason: ${failed.map(({ message }) => message).join('; ')}`,
      );
    return this.#end('Succeeded', 'successfully synced (dry run)');
  }

  async #terminate(): Promise<OperationProgress> {
    const tasks = await this.#tasks();
    const running = tasks.filter(
      (task) =>
        task.hook &&
        task.live &&
        [...this.#results.values()].some(
          (result) =>
            result.hookPhase === 'Running' && result.name === task.key.name && result.syncPhase === task.phase,
        ),
    );
    const done = await this.#execute([running.map((task) => ({ kind: 'delete-hook', task }))]);
    if (done.some((result) => result.status === 'SyncFailed'))
      return this.#end('Error', 'Operation termination had errors');
    return this.#end('Failed', 'Operation terminated');
  }

  async #execute(groups: SyncAction[][]): Promise<ResourceResult[]> {
    const { application } = this.#input;
    const options = {
      operationId: operationId(this.#state),
      dryRun: this.#state.operation.sync?.dryRun ?? false,
    };
    const written = (task: SyncTask, object: KubeObject) => {
      this.#deps.live.noteWritten(object, qualifiedName(application.metadata, this.#deps.namespace));
      if (task.target && !task.hook)
        this.#deps.comparer.noteApplied(desiredObject(task.target), object, application.spec.ignoreDifferences ?? []);
    };
    const between = (done: readonly SyncAction[]) => waitForCrds(this.#deps, done, this.#signal);
    const results = await executeStep({ kube: this.#deps.kube, written, between }, groups, options, this.#signal);
    for (const result of results) this.#results.set(resultId(result), result);
    return results;
  }

  #pruneApproved(): boolean {
    const approvedAt = Date.parse(this.#input.application.metadata.annotations?.[annotations.deletionApproved] ?? '');
    return !Number.isNaN(approvedAt) && approvedAt >= Date.parse(this.#state.startedAt);
  }

  #progress(message: string, recheckAfterMs: number): OperationProgress {
    return { state: withResults({ ...this.#state, message }, this.#results.values()), recheckAfterMs };
  }

  #end(phase: 'Succeeded' | 'Failed' | 'Error' | 'Running' | 'Terminating', message: string): OperationProgress {
    const state = endOperation(
      withResults(this.#state, this.#results.values()),
      phase,
      message,
      this.#deps.clock.now(),
    );
    return { state, recheckAfterMs: undefined };
  }
}

/**
 * Takes an operation as far as it can go now: wave after wave until it ends or has to wait for the cluster. Safe to repeat
 * from any point: what was applied is applied again without effect, and hooks are known by the operation that made them.
 */
export async function runOperation(
  deps: OperationDeps,
  input: OperationInput,
  signal: AbortSignal,
): Promise<OperationProgress> {
  return await new Run(deps, input, signal).go();
}
