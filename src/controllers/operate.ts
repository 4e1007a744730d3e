import type { Cluster } from '#apps/clusters.ts';
import { givesWayTo, retryGivesWay } from '#apps/giving-way.ts';
import { syncIdentity } from '#apps/impersonation.ts';
import type { Observation } from '#apps/observation.ts';
import { newOperationMemory, runOperation } from '#apps/operation.ts';
import {
  endOperation,
  operationId,
  operationRevisions,
  retryDueInMs,
  timeoutDueInMs,
  withOperationSource,
  withRevisions,
} from '#apps/operation-state.ts';
import type { RepositoryWatch } from '#apps/repository-watch.ts';
import { type Origins, openSource, sourcesOf } from '#apps/sources.ts';
import type { Clock } from '#base/clock.ts';
import { isAppError, messageOf } from '#base/errors.ts';
import { jsonEqual } from '#base/json.ts';
import type { AppProject } from '#model/argocd/app-project.ts';
import type { Application, OperationState } from '#model/argocd/application.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import { displayName } from '#sync/identity.ts';
import type { Runtime } from './runtime.ts';

export interface OperateDeps {
  repositories: RepositoryWatch;
  settings: () => ArgoSettings;
  clock: Clock;
  namespace: string;
}

export interface Turn {
  application: Application;
  state: OperationState;
  observation: Observation;
  project: AppProject;
  cluster: Cluster;
  runtime: Runtime;
  /** Looks again; at the operation's own commits when `revisions` are given. */
  observe: (application: Application, revisions: string[] | undefined) => Promise<Observation>;
  /** Why nothing may be synced now. */
  blocked: string | undefined;
}

export interface TurnResult {
  state: OperationState;
  recheckMs: number | undefined;
}

/** How long an operation waits for an outside that does not answer, before that is its end. */
const graceMs = 30_000;
const troubleRecheckMs = 500;
const waveDelayKey = 'controller.sync.wave.delay.seconds';

export function describeError(error: unknown): string {
  const hint = isAppError(error) && error.hint !== undefined ? ` (${error.hint})` : '';
  return `${messageOf(error)}${hint}`;
}

/** True while a failure that passes may still pass: an operation does not end for it. */
export function isPassing(error: unknown, runtime: Runtime, now: number): boolean {
  if (!isAppError(error, 'unavailable') && !isAppError(error, 'timeout')) return false;
  runtime.troubledSince ??= now;
  return now - runtime.troubledSince < graceMs;
}

/**
 * The state with the commits that it syncs. A request may name branches or tags; one that cannot be resolved stays and
 * fails later, with a message.
 */
export async function withCommits(
  deps: Origins,
  application: Application,
  input: { state: OperationState; newest: readonly string[] },
  signal: AbortSignal,
): Promise<OperationState> {
  const { state, newest } = input;
  const wanted = operationRevisions(state) ?? newest.slice();
  if (wanted.every((revision, index) => revision === newest[index])) return withRevisions(state, application, wanted);
  const sources = sourcesOf(withOperationSource(application, state.operation));
  const commits = await Promise.all(
    wanted.map(async (revision, index) => {
      const source = sources[index];
      if (!source || /^[0-9a-f]{40}$/.test(revision)) return revision;
      try {
        return (await openSource(deps, { application, source, revision }, signal)).tree.revision;
      } catch (error) {
        if (isAppError(error) && !signal.aborted) return revision;
        throw error;
      }
    }),
  );
  return withRevisions(state, application, commits);
}

function memoryOf(runtime: Runtime, state: OperationState): NonNullable<Runtime['operation']> {
  if (runtime.operation?.id !== operationId(state)) runtime.operation = newOperationMemory(state);
  return runtime.operation;
}

async function run(deps: OperateDeps, turn: Turn, timedOut: boolean, signal: AbortSignal): Promise<TurnResult> {
  const { clock, settings, namespace } = deps;
  const { state, observation, project, cluster, runtime } = turn;
  const application = withOperationSource(turn.application, state.operation);
  const revisions = operationRevisions(state) ?? observation.target.revisions;
  const local = (state.operation.sync?.manifests?.length ?? 0) > 0;
  const isAt = (target: Observation['target']) =>
    revisions.every((revision, index) => revision === target.revisions[index]);
  const ownSource = jsonEqual(sourcesOf(application), sourcesOf(turn.application));
  const newest = !local && ownSource && isAt(observation.target);
  const again = async (): Promise<Observation> => {
    if (!newest) return await turn.observe(application, revisions);
    const latest = await turn.observe(application, undefined);
    // A commit that came meanwhile is not what this operation is about.
    return isAt(latest.target) ? latest : await turn.observe(application, revisions);
  };
  const current = newest ? observation : await again();
  const { params, sync } = settings();
  const identity = syncIdentity({ project, application, server: cluster.declaration.server, settings: sync });
  if ('problem' in identity)
    return { state: endOperation(state, 'Error', identity.problem, clock.now()), recheckMs: undefined };
  const progress = await runOperation(
    {
      kube: identity.user === undefined ? cluster.kube : cluster.kube.as(identity.user),
      live: cluster.live,
      comparer: cluster.comparer,
      accepted: cluster.accepted,
      types: cluster.types,
      kindsChanged: () => cluster.kindsChanged(),
      clock,
      settings,
      namespace,
    },
    {
      application,
      project,
      destination: cluster.declaration,
      state: state.syncResult ? state : withRevisions(state, application, current.target.revisions),
      observation: current,
      observeAgain: again,
      memory: memoryOf(runtime, state),
      blocked: turn.blocked,
      terminatedBy: timedOut ? 'controller sync timeout' : undefined,
      waveDelayMs: params[waveDelayKey] === undefined ? undefined : sync.waveDelayMs,
    },
    signal,
  );
  runtime.troubledSince = undefined;
  const ended = gaveWay(turn, progress, clock.now());
  return { state: ended ?? progress.state, recheckMs: progress.recheckAfterMs };
}

function gaveWay(
  turn: Turn,
  progress: Awaited<ReturnType<typeof runOperation>>,
  now: number,
): OperationState | undefined {
  if (!progress.waitingFor) return undefined;
  const { application, observation } = turn;
  const task = givesWayTo({
    application,
    state: progress.state,
    waitingFor: progress.waitingFor,
    newest: observation.target,
    now,
  });
  if (!task) return undefined;
  return endForNewer(progress.state, observation, `, which changes ${displayName(task.key)}`, now);
}

function endForNewer(state: OperationState, { target }: Observation, why: string, now: number): OperationState {
  const commits = target.revisions.map((revision) => revision.slice(0, 7)).join(', ');
  const message = `gave way to ${commits}${why}: ${state.message ?? ''}`;
  return endOperation({ ...state, phase: 'Terminating' }, 'Failed', message, now);
}

/** Takes an operation as far as it goes now. What fails is part of its state, once it has had the time to pass. */
export async function operate(deps: OperateDeps, turn: Turn, signal: AbortSignal): Promise<TurnResult> {
  const { clock, settings } = deps;
  const { runtime, cluster } = turn;
  const dueMs = timeoutDueInMs(turn.state, settings().sync.timeoutMs, clock.now());
  const timedOut = dueMs === 0;
  const state: OperationState = timedOut
    ? { ...turn.state, phase: 'Terminating', message: 'operation is terminating due to timeout' }
    : turn.state;
  const soonest = (ms: number | undefined) => (ms === undefined ? dueMs : Math.min(ms, dueMs ?? ms));
  const retryMs = retryDueInMs(state, clock.now());
  const { application, observation } = turn;
  if (retryMs !== undefined && retryGivesWay({ application, state, newest: observation.target }))
    return { state: endForNewer(state, observation, '', clock.now()), recheckMs: undefined };
  if (retryMs !== undefined && retryMs > 0) return { state, recheckMs: soonest(retryMs) };
  try {
    const result = await run(deps, { ...turn, state }, timedOut, signal);
    return { ...result, recheckMs: timedOut ? result.recheckMs : soonest(result.recheckMs) };
  } catch (error) {
    if (signal.aborted || !isAppError(error) || isAppError(error, 'conflict')) throw error;
    if (isAppError(error, 'unavailable') || isAppError(error, 'timeout')) cluster.suspect();
    if (isPassing(error, runtime, clock.now())) return { state, recheckMs: soonest(troubleRecheckMs) };
    runtime.troubledSince = undefined;
    return { state: endOperation(state, 'Error', describeError(error), clock.now()), recheckMs: undefined };
  }
}
