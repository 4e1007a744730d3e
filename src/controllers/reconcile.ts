import { type AutoSyncDecision, decideAutoSync, type SelfHealBackoff } from '#apps/auto-sync.ts';
import type { ChartWatch } from '#apps/chart-watch.ts';
import { StillConnecting } from '#apps/cluster-reach.ts';
import type { Cluster } from '#apps/clusters.ts';
import { liveResources, syncStatusOf } from '#apps/comparison.ts';
import { replaceConditions } from '#apps/conditions.ts';
import { hookFinalizers } from '#apps/deletion.ts';
import type { Drift } from '#apps/drift.ts';
import type { LiveState } from '#apps/live-state.ts';
import { kindsOf, type Observation, type ObservationDeps, observe, targetOf } from '#apps/observation.ts';
import {
  beginOperation,
  endOperation,
  isInProgress,
  operationName,
  restartOperation,
  retryDueInMs,
} from '#apps/operation-state.ts';
import { type RepositoryWatch, StillReading } from '#apps/repository-watch.ts';
import { refreshSource, sourcesOf } from '#apps/sources.ts';
import {
  applicationHealthOf,
  healthSection,
  historyAfter,
  resourceStatuses,
  sourceTypeSection,
  summaryOf,
  syncSection,
  withReconciledAt,
} from '#apps/status.ts';
import { boundedStatus } from '#apps/status-size.ts';
import { holdOf, windowsFor } from '#apps/sync-windows.ts';
import { manifestTarget } from '#apps/target.ts';
import type { Clock } from '#base/clock.ts';
import { isAppError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Outcome } from '#base/outcome.ts';
import type { Health } from '#health/health.ts';
import type { ApiResource, KubeClient } from '#kube/port.ts';
import type { AppProject, SyncWindow } from '#model/argocd/app-project.ts';
import type {
  Application,
  ApplicationStatus,
  Operation,
  OperationState,
  SyncStatusCode,
} from '#model/argocd/application.ts';
import { parseApplication } from '#model/argocd/application-schema.ts';
import { annotations, qualifiedName } from '#model/argocd/names.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import type { DeletionHook } from '#sync/hooks.ts';
import type { AuditTrail } from './audit-trail.ts';
import { catchUp } from './catch-up.ts';
import { describeError, isPassing, operate, withCommits } from './operate.ts';
import { planRefresh, type Refresh, renderAnew } from './refresh.ts';
import type { Runtime } from './runtime.ts';
import { type StatusChange, writeApplication } from './status-writer.ts';

export interface ReconcileDeps {
  /** The cluster where the Application objects are. */
  home: { kube: KubeClient; live: LiveState };
  /** What looking at an application takes, in the cluster that it goes to. */
  observation: (cluster: Cluster) => ObservationDeps;
  repositories: RepositoryWatch;
  charts: ChartWatch;
  settings: () => ArgoSettings;
  trail: AuditTrail;
  clock: Clock;
  logger: Logger;
  namespace: string;
  selfHeal: () => SelfHealBackoff;
  reconcileMs: () => number;
}

export interface ReconcileInput {
  application: Application;
  runtime: Runtime;
  resource: ApiResource;
  project: AppProject;
  /** The one it goes to. */
  cluster: Cluster;
}

const errorRecheckMs = 15_000;
const passingRecheckMs = 500;
/** Times in a status have no fractions. */
const wholeSecondMs = 1_000;

function deletionHooksOf({ target: { deletionHooks } }: Observation): Record<DeletionHook, boolean> {
  return { PreDelete: deletionHooks.PreDelete.length > 0, PostDelete: deletionHooks.PostDelete.length > 0 };
}

function statusOf({ comparison, namespaceDiffers }: Observation): SyncStatusCode {
  const status = syncStatusOf(comparison.resources);
  return status === 'Synced' && namespaceDiffers ? 'OutOfSync' : status;
}

/** One tick of one application. */
class Tick {
  readonly #deps: ReconcileDeps;
  readonly #input: Omit<ReconcileInput, 'project' | 'cluster'>;
  readonly #signal: AbortSignal;
  readonly #refresh: Refresh;
  #application: Application;
  /** Milliseconds until something has to be looked at again. */
  #recheckMs: number;

  constructor(deps: ReconcileDeps, input: Omit<ReconcileInput, 'project' | 'cluster'>, signal: AbortSignal) {
    this.#deps = deps;
    this.#input = input;
    this.#signal = signal;
    this.#application = input.application;
    this.#recheckMs = deps.reconcileMs();
    const { hardReconcileMs } = deps.settings().timeouts;
    this.#refresh = planRefresh(input.application, input.runtime, { hardReconcileMs, now: deps.clock.now() });
  }

  async specProblems(problems: string[]): Promise<Outcome> {
    const now = this.#deps.clock.now();
    const before = this.#application.status ?? {};
    const found = problems.map((message) => ({ type: 'InvalidSpecError' as const, message }));
    const status: ApplicationStatus = {
      ...before,
      sync: syncSection(this.#application, 'Unknown', []),
      health: healthSection(before.health, { status: 'Unknown' }, now),
      conditions: replaceConditions(before.conditions ?? [], ['InvalidSpecError', 'ComparisonError'], found, now),
    };
    return await this.#abandon(status, problems.join('; '));
  }

  async run(project: AppProject, cluster: Cluster): Promise<Outcome> {
    await catchUp(this.#deps, this.#application, this.#input.runtime);
    let observation: Observation;
    try {
      await this.#refetch();
      await cluster.require(this.#signal);
      const { observation: depsOf, clock } = this.#deps;
      const anew = { deps: depsOf(cluster), ...this.#input, cluster, now: clock.now() };
      await renderAnew(anew, this.#refresh, this.#signal);
      observation = await this.#observe(this.#application, cluster, undefined);
    } catch (error) {
      if (this.#signal.aborted || isAppError(error, 'canceled')) throw error;
      if (error instanceof StillReading || error instanceof StillConnecting)
        return { kind: 'waiting', reason: 'reading', message: error.message, retryAfterMs: errorRecheckMs };
      if (isAppError(error, 'unavailable') || isAppError(error, 'timeout')) cluster.suspect();
      const { runtime } = this.#input;
      const waits = this.#application.operation && this.#application.status?.operationState?.phase !== 'Terminating';
      if (waits && isPassing(error, runtime, this.#deps.clock.now()))
        return { kind: 'waiting', reason: 'unavailable', message: messageOf(error), retryAfterMs: passingRecheckMs };
      runtime.troubledSince = undefined;
      return await this.#comparisonError(error, cluster);
    }
    await this.#followDrift(observation, cluster);
    this.#windows = windowsFor(project.syncWindows, this.#application);
    const begun = await this.#beginIfWanted(observation);
    if (!begun) return await this.#finish(observation, this.#application.status?.operationState);
    const ended = await this.#operate(begun, observation, { project, cluster });
    const { status } = this.#application;
    const after = { ...this.#application, status: { ...status, operationState: ended } };
    observation = await this.#observe(after, cluster, undefined);
    await this.#followDrift(observation, cluster);
    return await this.#finish(observation, ended);
  }

  /** A person who asks for a refresh or a sync means what is in Git now, whatever was heard of it. */
  async #refetch(): Promise<void> {
    const application = this.#application;
    const { fetch, anew: hard, anewInMs } = this.#refresh;
    if (anewInMs !== undefined) this.#recheckMs = Math.min(this.#recheckMs, anewInMs);
    if (fetch === 'no') return;
    try {
      for (const source of sourcesOf(application))
        await refreshSource(this.#deps, { application, source, hard }, this.#signal);
    } catch (error) {
      if (fetch === 'yes') throw error;
      // What is known serves, and says what is wrong when nothing is.
      this.#deps.logger.info({ application: this.#application.metadata.name }, messageOf(error));
    }
  }

  async #observe(
    application: Application,
    cluster: Cluster,
    at: { revisions: string[] | undefined; manifests?: readonly string[] | undefined } | undefined,
  ): Promise<Observation> {
    const observation = this.#deps.observation(cluster);
    const { memory } = this.#input.runtime;
    const query = { memory, revisions: at?.revisions, newest: this.#refresh.newest };
    const base = await targetOf(observation, application, query, this.#signal);
    const manifests = at?.manifests ?? [];
    const target =
      manifests.length > 0 ? await manifestTarget(observation, application, { base, manifests }, this.#signal) : base;
    return await observe(observation, application, target, this.#signal);
  }

  async #followDrift(observation: Observation, { live }: Cluster): Promise<void> {
    const { clock, trail } = this.#deps;
    const { runtime } = this.#input;
    const { found, settled } = runtime.drift.update(
      observation.comparison.resources,
      (key) => live.changedAt(key),
      clock.now(),
    );
    // Told after the fact, so that healing does not wait for the log.
    for (const drift of settled) if (this.#healed(drift)) await trail.driftHealed(this.#application, drift);
    this.#pending.push(...found.map((drift) => trail.driftDetected(this.#application, drift)));
    for (const work of this.#pending) work.catch((error: unknown) => this.#deps.logger.error({}, messageOf(error)));
  }

  /** Whether an automatic sync took the drift away: one that began after it. Else somebody else put it right. */
  #healed(drift: Drift): boolean {
    const state = this.#application.status?.operationState;
    if (state?.operation.initiatedBy?.automated !== true) return false;
    return Date.parse(state.startedAt) + wholeSecondMs > drift.at;
  }

  readonly #pending: Promise<void>[] = [];

  #decide(observation: Observation): AutoSyncDecision {
    return this.#decideFor(this.#application, observation);
  }

  #decideFor(application: Application, observation: Observation): AutoSyncDecision {
    const { target, comparison, namespaceDiffers } = observation;
    return decideAutoSync({
      application,
      syncStatus: statusOf(observation),
      revisions: target.revisions,
      resources: comparison.resources,
      namespaceDiffers,
      selfHeal: this.#deps.selfHeal(),
      now: this.#deps.clock.now(),
    });
  }

  #refusal: string | undefined;
  #windows: SyncWindow[] = [];

  /** Why the windows of the project do not let a sync run now; it is looked at again when one opens or closes. */
  #blockedBy(state: OperationState | undefined): string | undefined {
    const { message, changesInMs } = holdOf(this.#windows, state, this.#deps.clock.now());
    this.#recheckMs = Math.min(this.#recheckMs, changesInMs ?? this.#recheckMs);
    return message;
  }

  /** The running state of the operation that is wanted, written before anything is done; undefined when none is. */
  async #beginIfWanted(observation: Observation): Promise<OperationState | undefined> {
    const state = this.#application.status?.operationState;
    let { operation } = this.#application;
    if (isInProgress(state) && !operation) {
      // Its request was taken away: what is recorded as running has no owner.
      return { ...state, phase: 'Terminating' };
    }
    if (operation && isInProgress(state)) return await this.#resume(state, observation);
    if (!operation) {
      const decision = this.#decide(observation);
      if (decision.kind === 'wait') this.#recheckMs = Math.min(this.#recheckMs, decision.retryAfterMs);
      if (decision.kind === 'refuse') this.#refusal = decision.message;
      if (decision.kind !== 'sync' || this.#blockedBy(undefined) !== undefined) return undefined;
      operation = decision.operation;
    }
    return await this.#begin(operation, observation);
  }

  async #begin(operation: Operation, observation: Observation): Promise<OperationState> {
    const { clock, trail } = this.#deps;
    const begun = beginOperation(this.#application, operation, clock.now());
    const newest = observation.target.revisions;
    const state = await withCommits(this.#deps, this.#application, { state: begun, newest }, this.#signal);
    // With the kinds it is about to create: a deletion after a crash has to find them.
    const resources = resourceStatuses(this.#application, observation.comparison.resources);
    await this.#write({ operation, status: { ...this.#application.status, resources, operationState: state } });
    this.#input.runtime.began = { id: operationName(state), at: clock.now() };
    await trail.syncStarted(this.#application, state);
    return state;
  }

  async #resume(state: OperationState, observation: Observation): Promise<OperationState> {
    const dueInMs = retryDueInMs(state, this.#deps.clock.now());
    if (dueInMs === undefined || dueInMs > 0) return state;
    const input = { state: restartOperation(state), newest: observation.target.revisions };
    const restarted = await withCommits(this.#deps, this.#application, input, this.#signal);
    await this.#write({ status: { ...this.#application.status, operationState: restarted } });
    return restarted;
  }

  /** Takes the operation as far as it goes now. */
  async #operate(
    state: OperationState,
    observation: Observation,
    { project, cluster }: { project: AppProject; cluster: Cluster },
  ): Promise<OperationState> {
    const { runtime } = this.#input;
    const manifests = state.operation.sync?.manifests;
    const turn = {
      application: this.#application,
      state,
      observation,
      project,
      cluster,
      runtime,
      observe: (application: Application, revisions: string[] | undefined) =>
        this.#observe(application, cluster, { revisions, manifests }),
      blocked: this.#blockedBy(state),
    };
    const result = await operate(this.#deps, turn, this.#signal);
    if (result.recheckMs !== undefined) this.#recheckMs = Math.min(this.#recheckMs, result.recheckMs);
    return result.state;
  }

  async #finish(observation: Observation, state: OperationState | undefined): Promise<Outcome> {
    const now = this.#deps.clock.now();
    const before = this.#application.status ?? {};
    const { target, comparison } = observation;
    const health = applicationHealthOf(this.#application, comparison.resources);
    const warnings = [
      ...target.warnings,
      ...comparison.warnings,
      ...comparison.shared.map(({ key, other }) => ({
        type: 'SharedResourceWarning' as const,
        message: `${key} is part of applications ${qualifiedName(this.#application.metadata, this.#deps.namespace)} and ${other}`,
      })),
    ];
    if (this.#refusal === undefined && this.#application.status?.operationState !== state)
      this.#refusal = this.#refusalAfter(observation, state);
    const errors = this.#refusal === undefined ? [] : [{ type: 'SyncError' as const, message: this.#refusal }];
    const { sourceType: _type, sourceTypes: _types, ...rest } = before;
    const status: ApplicationStatus = {
      ...rest,
      sync: syncSection(this.#application, statusOf(observation), target.revisions),
      health: healthSection(before.health, health, now),
      resources: resourceStatuses(this.#application, comparison.resources),
      summary: summaryOf(this.#application, comparison.resources),
      controllerNamespace: this.#deps.namespace,
      ...sourceTypeSection(this.#application, target),
      conditions: replaceConditions(
        before.conditions ?? [],
        [
          'InvalidSpecError',
          'ComparisonError',
          'SyncError',
          'SharedResourceWarning',
          'RepeatedResourceWarning',
          'ExcludedResourceWarning',
          'OrphanedResourceWarning',
        ],
        [...errors, ...warnings],
        now,
      ),
    };
    if (state) {
      status.operationState = state;
      const endsNow = !isInProgress(state) && this.#application.operation !== undefined;
      const history = endsNow ? historyAfter(this.#application, state) : [];
      if (history.length > 0 || (endsNow && before.history)) status.history = history;
    }
    return await this.#conclude(status, observation);
  }

  #refusalAfter(observation: Observation, state: OperationState | undefined): string | undefined {
    if (!state || isInProgress(state)) return undefined;
    const { operation: _done, ...application } = this.#application;
    const ended = { ...application, status: { ...application.status, operationState: state } };
    const decision = this.#decideFor(ended, observation);
    return decision.kind === 'refuse' ? decision.message : undefined;
  }

  /** As well as what is live, whatever Git says; undefined when the cluster cannot be asked. */
  async #liveHealth(cluster: Cluster): Promise<Health | undefined> {
    if (cluster.state.status !== 'Successful') return undefined;
    const parts = this.#deps.observation(cluster);
    await cluster.live.watch(kindsOf(this.#application, undefined), this.#signal);
    const name = qualifiedName(this.#application.metadata, this.#deps.namespace);
    return applicationHealthOf(this.#application, liveResources(parts, name));
  }

  async #comparisonError(error: unknown, cluster: Cluster): Promise<Outcome> {
    const now = this.#deps.clock.now();
    const before = this.#application.status ?? {};
    const message = describeError(error);
    const section = syncSection(this.#application, 'Unknown', []);
    const revision = before.sync?.revision === undefined ? {} : { revision: before.sync.revision };
    const health = await this.#liveHealth(cluster);
    const unknown = healthSection(undefined, { status: 'Unknown' }, now);
    const status: ApplicationStatus = {
      ...before,
      sync: { ...section, ...revision },
      health: health ? healthSection(before.health, health, now) : (before.health ?? unknown),
      conditions: replaceConditions(
        before.conditions ?? [],
        ['InvalidSpecError', 'ComparisonError'],
        [{ type: 'ComparisonError', message }],
        now,
      ),
    };
    this.#recheckMs = errorRecheckMs;
    return await this.#abandon(status, message);
  }

  /** Ends a requested operation that cannot be carried out, and writes the status. */
  async #abandon(status: ApplicationStatus, message: string): Promise<Outcome> {
    const { operation } = this.#application;
    const now = this.#deps.clock.now();
    const old = this.#application.status?.operationState;
    if (operation) {
      const state = isInProgress(old) ? old : beginOperation(this.#application, operation, now);
      const dueInMs = retryDueInMs(state, now);
      if (dueInMs !== undefined && dueInMs > 0) this.#recheckMs = Math.min(this.#recheckMs, dueInMs);
      else status.operationState = endOperation(state, 'Error', message, now);
    }
    return await this.#conclude(status, undefined);
  }

  async #conclude(next: ApplicationStatus, observation: Observation | undefined): Promise<Outcome> {
    const { clock, trail } = this.#deps;
    const application = this.#application;
    const before = application.status ?? {};
    const state = next.operationState;
    const ends = application.operation !== undefined && state !== undefined && !isInProgress(state);
    const orphaned = application.operation === undefined && isInProgress(before.operationState) && !isInProgress(state);
    const status = withReconciledAt(before, boundedStatus(next), clock.now());
    await this.#write({
      status,
      operation: ends ? null : undefined,
      removeAnnotations: [annotations.refresh],
      project: application.spec.project === '' && observation ? 'default' : undefined,
      finalizers: observation && hookFinalizers(application, deletionHooksOf(observation)),
    });
    if ((ends || orphaned) && state) {
      const { began } = this.#input.runtime;
      const startedAt = began ? began.at : Date.parse(state.startedAt);
      this.#input.runtime.began = undefined;
      await trail.syncEnded(application, state, startedAt);
    }
    await this.#tellChanges(before, status, observation);
    await Promise.allSettled(this.#pending);
    // The echo of our own write wakes nobody: what waits for its next try comes back by itself.
    const retryMs = state && isInProgress(state) ? retryDueInMs(state, clock.now()) : undefined;
    const recheckMs = Math.min(this.#recheckMs, Math.max(1, retryMs ?? this.#recheckMs));
    return { kind: 'done', recheckAfterMs: ends ? 1 : recheckMs };
  }

  async #tellChanges(
    before: ApplicationStatus,
    after: ApplicationStatus,
    observation: Observation | undefined,
  ): Promise<void> {
    const { trail } = this.#deps;
    const revision = after.sync?.revision ?? after.sync?.revisions?.[0];
    const old = before.sync?.revision ?? before.sync?.revisions?.[0];
    if (revision !== undefined && revision !== old) await trail.revisionObserved(this.#application, revision);
    const health = after.health?.status;
    if (health !== undefined && health !== before.health?.status)
      await trail.healthChanged(
        this.#application,
        before.health?.status,
        health,
        (observation?.comparison.resources ?? []).map(({ live }) => live),
      );
  }

  async #write(change: StatusChange): Promise<void> {
    const { kube, live } = this.#deps.home;
    const write = { application: this.#application, change, last: this.#input.runtime.lastWritten };
    const written = await writeApplication({ kube, live }, this.#input.resource, write, this.#signal);
    if (!written) return;
    this.#input.runtime.lastWritten = written.last;
    this.#application = parseApplication(written.object).application;
  }
}

/** Compares an application with Git, runs the operation that is wanted, and writes its status when it changed. */
export async function reconcile(deps: ReconcileDeps, input: ReconcileInput, signal: AbortSignal): Promise<Outcome> {
  return await new Tick(deps, input, signal).run(input.project, input.cluster);
}

/** Writes what is wrong with a spec as conditions. */
export async function reportSpecProblems(
  deps: ReconcileDeps,
  input: Omit<ReconcileInput, 'project' | 'cluster'> & { problems: string[] },
  signal: AbortSignal,
): Promise<Outcome> {
  return await new Tick(deps, input, signal).specProblems(input.problems);
}
