import type { Clock } from '#base/clock.ts';
import { assessor } from '#health/assess.ts';
import { type KubeClient, type KubeObject, kindOf } from '#kube/port.ts';
import type { AppProject } from '#model/argocd/app-project.ts';
import type {
  Application,
  OperationPhase,
  OperationState,
  ResourceResult,
  ResourceStatus,
} from '#model/argocd/application.ts';
import { annotations, qualifiedName } from '#model/argocd/names.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import { type Comparer, desiredObject } from '#sync/comparer.ts';
import { type AcceptedShapes, dryRunTasks } from '#sync/dry-run.ts';
import { executeStep } from '#sync/execute.ts';
import { keyText } from '#sync/identity.ts';
import { pendingTasks, planSync, planTermination, type SyncAction } from '#sync/plan.ts';
import { isPrune, resultId, type SyncTask, taskId } from '#sync/task.ts';
import type { TypeKnowledge } from '#sync/type-knowledge.ts';
import { pauseAfterWave } from '#sync/wave-pause.ts';
import { wantedNamespace } from './destination-namespace.ts';
import type { LiveState } from './live-state.ts';
import type { Observation } from './observation.ts';
import { checkTasks, waitForDefinitions } from './operation-checks.ts';
import { endOperation, operationId } from './operation-state.ts';
import type { Destination } from './project.ts';
import { appSyncOptions, buildSyncTasks, isSelected } from './sync-tasks.ts';

export interface OperationDeps {
  kube: KubeClient;
  live: LiveState;
  comparer: Comparer;
  clock: Clock;
  settings: () => ArgoSettings;
  /** Of the instance. */
  namespace: string;
  /** What the cluster's schemas are known to accept. */
  accepted: AcceptedShapes;
  types: TypeKnowledge | undefined;
  /** Forgets which kinds the cluster serves. */
  kindsChanged: () => void;
}

/** What this process remembers of a running operation; without it, it only waits a little longer or shorter. */
export interface OperationMemory {
  id: string;
  /** Objects (by uid) whose deletion was asked for. */
  deleted: Set<string>;
  /** The next wave begins then. */
  pausedUntil: number;
}

export interface OperationInput {
  application: Application;
  project: AppProject;
  destination: Destination;
  state: OperationState;
  observation: Observation;
  /** Compares anew, with what has been applied so far. */
  observeAgain: () => Promise<Observation>;
  memory: OperationMemory;
  /** Why nothing may be done now, e.g. a closed sync window. */
  blocked?: string | undefined;
  /** Why it is being terminated, when nobody asked for it. */
  terminatedBy?: string | undefined;
  /** The pause after every wave, where the instance sets one. */
  waveDelayMs?: number | undefined;
}

export interface OperationProgress {
  state: OperationState;
  /** Undefined when a live change will tell. */
  recheckAfterMs: number | undefined;
  /** What the operation waits for, while it waits. */
  waitingFor?: readonly SyncTask[] | undefined;
}

const maxSteps = 200;
const recheckMs = 30_000;
const deletionRecheckMs = 1000;

export function newOperationMemory(state: OperationState): OperationMemory {
  return { id: operationId(state), deleted: new Set(), pausedUntil: 0 };
}

function isNew({ task, object }: { task: SyncTask; object: KubeObject }): boolean {
  return task.live?.metadata.resourceVersion !== object.metadata.resourceVersion;
}

function isFailed(result: ResourceResult): boolean {
  return result.status === 'SyncFailed' || result.hookPhase === 'Error';
}

class Run {
  readonly #deps: OperationDeps;
  readonly #input: OperationInput;
  readonly #signal: AbortSignal;
  readonly #memory: OperationMemory;
  readonly #results: Map<string, ResourceResult>;
  readonly #state: OperationState;
  readonly #syncOptions: readonly string[];
  /** What was to be pruned, as the status had it when this turn began. */
  readonly #before: readonly ResourceStatus[];
  #written: { task: SyncTask; object: KubeObject }[] = [];
  #touched = false;
  #observation: Observation;

  constructor(deps: OperationDeps, input: OperationInput, signal: AbortSignal) {
    this.#deps = deps;
    this.#input = input;
    this.#signal = signal;
    this.#state = input.state;
    this.#memory = input.memory;
    this.#observation = input.observation;
    this.#before = (input.application.status?.resources ?? []).filter(({ requiresPruning }) => requiresPruning);
    this.#syncOptions = appSyncOptions(input.application, input.state.operation);
    this.#results = new Map((input.state.syncResult?.resources ?? []).map((result) => [resultId(result), result]));
  }

  async go(): Promise<OperationProgress> {
    if (this.#state.operation.sync === undefined)
      return this.#end('Error', 'Invalid operation request: no operation specified');
    if (this.#state.phase === 'Terminating') return await this.#terminate();
    if (this.#input.blocked !== undefined) return this.#progress(this.#input.blocked, recheckMs);
    const { shared } = this.#observation.comparison;
    if (shared.length > 0 && this.#syncOptions.includes('FailOnSharedResource=true')) {
      const own = qualifiedName(this.#input.application.metadata, this.#deps.namespace);
      const parts = shared.map(({ key, other }) => `${key} is part of applications ${own} and ${other}`);
      return this.#end('Failed', `Shared resource found: ${parts.join(', ')}`);
    }
    const isNew = this.#results.size === 0;
    this.#recallPrunes();
    const pauseMs = this.#memory.pausedUntil - this.#deps.clock.now();
    if (pauseMs > 0) return this.#progress('one or more tasks are running', pauseMs);
    for (let step = 0; step < maxSteps; step += 1) {
      const progress = isNew && step === 0 ? await this.#start() : await this.#step(await this.#tasks());
      if (progress) return progress;
      // A step in which everything agreed has changed nothing.
      if (this.#touched) this.#observation = await this.#input.observeAgain();
      this.#touched = false;
      this.#recallPrunes();
    }
    return this.#progress('the sync goes on', 100);
  }

  async #tasks(): Promise<SyncTask[]> {
    const { application } = this.#input;
    const { target, comparison } = this.#observation;
    const { live, settings, clock } = this.#deps;
    return buildSyncTasks({
      application,
      operation: this.#state.operation,
      resources: comparison.resources,
      hooks: target.hooks,
      live,
      assess: assessor(settings, clock),
      revision: target.revisions[0] ?? '',
      startedAtMs: Date.parse(this.#state.startedAt),
      namespace: await wantedNamespace(live, application, { target, syncOptions: this.#syncOptions }, this.#signal),
    });
  }

  /** What comes before the first write: every task is checked, and tried where that has not been done. */
  async #start(): Promise<OperationProgress | undefined> {
    const { project, destination } = this.#input;
    const all = await this.#tasks();
    const { tasks, invalid } = await checkTasks(this.#deps.kube, { project, destination }, all, this.#signal);
    if (invalid.length > 0) return this.#refuse('one or more synchronization tasks are not valid', ': ', invalid);
    const created = await this.#createNamespace(tasks);
    if (created) return created;
    const rest = tasks.filter((task) => !this.#results.has(taskId(task)));
    const tried = this.#applyOutOfSyncOnly()
      ? rest.filter((task) => task.hook || isPrune(task) || task.outOfSync)
      : rest;
    if (this.#state.operation.sync?.dryRun) return await this.#dryRun(tried);
    const deps = { kube: this.#deps.kube, accepted: this.#deps.accepted };
    const malformed = await dryRunTasks(deps, tried, this.#signal);
    if (malformed.length > 0)
      return this.#refuse('one or more objects failed to apply (dry run)', ', reason: ', malformed);
    if (tasks.length === rest.length) return await this.#step(tasks);
    return undefined;
  }

  #refuse(what: string, before: string, failed: readonly ResourceResult[]): OperationProgress {
    for (const result of failed) this.#results.set(resultId(result), result);
    const messages = [...new Set(failed.flatMap(({ message }) => message ?? []))].sort();
    return this.#end('Failed', `${what}${before}${messages.join('; ')}`);
  }

  /** The destination namespace comes before everything: nothing in it could be tried without. */
  async #createNamespace(tasks: readonly SyncTask[]): Promise<OperationProgress | undefined> {
    if (this.#state.operation.sync?.dryRun) return undefined;
    const name = this.#input.application.spec.destination.namespace;
    const task = tasks.find(
      ({ key, live }) => key.kind === 'Namespace' && key.group === '' && key.name === name && !live,
    );
    if (!task) return undefined;
    const done = await this.#execute([[{ kind: 'apply', task }]]);
    const failed = done.filter(isFailed);
    if (failed.length === 0) return undefined;
    return this.#refuse('the namespace failed to apply', ', reason: ', failed);
  }

  /** Objects that this operation took away before it could record it: they were to be pruned, and are gone. */
  #recallPrunes(): void {
    const { sync } = this.#state.operation;
    if (!sync?.prune || sync.dryRun || this.#before.length === 0) return;
    const present = new Set(this.#observation.comparison.resources.map(({ key }) => keyText(key)));
    for (const { group = '', version, kind, name, namespace } of this.#before) {
      const key = { group, kind, name, ...(namespace === undefined ? {} : { namespace }) };
      const id = taskId({ key, phase: 'Sync' });
      if (present.has(keyText(key)) || this.#results.has(id)) continue;
      if (!isSelected(sync.resources, key)) continue;
      const outcome = { status: 'Pruned', message: 'pruned', hookPhase: 'Succeeded', syncPhase: 'Sync' } as const;
      this.#results.set(id, { group, version, kind, namespace: namespace ?? '', name, ...outcome });
    }
  }

  /** Undefined when the next step can follow at once. */
  async #step(tasks: SyncTask[]): Promise<OperationProgress | undefined> {
    const plan = planSync({
      tasks,
      results: this.#results,
      operationId: operationId(this.#state),
      prune: this.#state.operation.sync?.prune ?? false,
      applyOutOfSyncOnly: this.#applyOutOfSyncOnly(),
      pruneApproved: this.#pruneApproved(),
      deleted: this.#memory.deleted,
    });
    for (const [id, result] of plan.results) this.#results.set(id, result);
    const { step } = plan;
    if (step.kind === 'wait')
      return {
        ...this.#progress(step.message, recheckMs),
        waitingFor: step.for === 'running' ? step.tasks : undefined,
      };
    if (step.kind === 'finish') {
      await this.#execute([step.cleanup]);
      return this.#end(step.phase, step.message);
    }
    this.#written = [];
    const done = await this.#execute(step.groups);
    const failed = done.some(isFailed);
    if (step.finishWhenDone && !failed) {
      await this.#execute([step.cleanup]);
      for (const [id, result] of this.#results)
        if (result.hookPhase === 'Running') this.#results.set(id, { ...result, hookPhase: 'Succeeded' });
      return this.#end('Succeeded', 'successfully synced (all tasks run)');
    }
    if (step.cleanup.length > 0) await this.#execute([step.cleanup]);
    if (failed) return undefined;
    if (step.groups.flat().some(({ kind }) => kind === 'delete-hook'))
      return this.#progress(step.message, deletionRecheckMs);
    return await this.#pause(tasks, step.message);
  }

  async #pause(tasks: readonly SyncTask[], message: string): Promise<OperationProgress | undefined> {
    const isLast = pendingTasks({ tasks, applyOutOfSyncOnly: this.#applyOutOfSyncOnly() }, this.#results).length === 0;
    if (isLast) return undefined;
    const written = [];
    for (const { task, object } of this.#written) {
      const resource = await this.#deps.kube.discovery.find(kindOf(object), this.#signal);
      written.push({ task, object, hasStatus: resource?.subresources.includes('status') ?? false });
    }
    const pauseMs = pauseAfterWave(written, this.#input.waveDelayMs);
    if (pauseMs === 0) return undefined;
    this.#memory.pausedUntil = this.#deps.clock.now() + pauseMs;
    return this.#progress(message, pauseMs);
  }

  async #dryRun(tasks: readonly SyncTask[]): Promise<OperationProgress> {
    const prune = this.#state.operation.sync?.prune ?? false;
    const actions = tasks.flatMap((task): SyncAction[] => {
      if (task.skipDryRun) return [];
      if (!isPrune(task)) return [{ kind: task.options.replace ? 'replace' : 'apply', task }];
      if (!prune) return [{ kind: 'skip-prune', task, message: 'ignored (requires pruning)' }];
      if (task.options.prune === 'false') return [{ kind: 'skip-prune', task, message: 'ignored (no prune)' }];
      return [{ kind: 'prune', task }];
    });
    const done = await this.#execute([actions]);
    const failed = done.filter(isFailed);
    if (failed.length > 0) return this.#refuse('one or more objects failed to apply (dry run)', ', reason: ', failed);
    return this.#end('Succeeded', 'successfully synced (no more tasks)');
  }

  async #terminate(): Promise<OperationProgress> {
    const { results, actions } = planTermination(await this.#tasks(), this.#results);
    for (const [id, result] of results) this.#results.set(id, result);
    const failed = (await this.#execute([actions])).filter(isFailed);
    const cause = this.#input.terminatedBy === undefined ? '' : `, triggered by ${this.#input.terminatedBy}`;
    if (failed.length > 0) return this.#end('Error', `Operation termination had errors${cause}`);
    return this.#end('Failed', `Operation terminated${cause}`);
  }

  async #execute(groups: readonly SyncAction[][]): Promise<ResourceResult[]> {
    const { application } = this.#input;
    const { kube, clock, live, comparer, namespace } = this.#deps;
    const by = qualifiedName(application.metadata, namespace);
    const options = {
      operationId: operationId(this.#state),
      dryRun: this.#state.operation.sync?.dryRun ?? false,
      migrateFrom: application.metadata.annotations?.[annotations.clientSideApplyManager],
    };
    const written = (task: SyncTask, object: KubeObject) => {
      live.noteWritten(object, by);
      this.#written.push({ task, object });
      this.#touched = true;
      if (!task.target) return;
      this.#deps.accepted.add(task.target);
      if (!task.hook)
        comparer.noteApplied(desiredObject(task.target), object, application.spec.ignoreDifferences ?? []);
    };
    const deleted = (object: KubeObject) => {
      this.#touched = true;
      if (object.metadata.uid !== undefined) this.#memory.deleted.add(object.metadata.uid);
    };
    const between = async (done: readonly SyncAction[]) => {
      const definitions = done.filter(({ task }) => task.key.kind === 'CustomResourceDefinition');
      const changed = definitions.filter(({ task }) =>
        this.#written.some((entry) => entry.task === task && isNew(entry)),
      );
      if (!(await waitForDefinitions({ kube, clock }, changed, this.#signal))) return;
      this.#deps.kindsChanged();
    };
    const deps = { kube, clock, types: this.#deps.types, written, deleted, between };
    const present = groups.filter((group) => group.length > 0);
    const results = await executeStep(deps, present, options, this.#signal);
    for (const result of results) this.#results.set(resultId(result), result);
    return results;
  }

  #applyOutOfSyncOnly(): boolean {
    return this.#syncOptions.includes('ApplyOutOfSyncOnly=true');
  }

  #pruneApproved(): boolean {
    const approvedAt = Date.parse(this.#input.application.metadata.annotations?.[annotations.deletionApproved] ?? '');
    return !Number.isNaN(approvedAt) && approvedAt >= Date.parse(this.#state.startedAt);
  }

  #withResults(message: string): OperationState {
    const { syncResult } = this.#state;
    return { ...this.#state, message, syncResult: { ...syncResult, resources: [...this.#results.values()] } };
  }

  #progress(message: string, recheckAfterMs: number): OperationProgress {
    return { state: this.#withResults(message), recheckAfterMs };
  }

  #end(phase: OperationPhase, message: string): OperationProgress {
    const managed = this.#input.application.spec.syncPolicy?.managedNamespaceMetadata;
    const state = this.#withResults(message);
    const known = managed
      ? { ...state, syncResult: { ...state.syncResult, managedNamespaceMetadata: managed } }
      : state;
    return { state: endOperation(known, phase, message, this.#deps.clock.now()), recheckAfterMs: undefined };
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
