import { timestamp } from '#base/clock.ts';
import type { Application, Operation, OperationPhase, OperationState } from '#model/argocd/application.ts';
import { mayRetry, retryDelayMs } from './retry.ts';

/** True while an operation has not ended. */
export function isInProgress(
  state: OperationState | undefined,
): state is OperationState & { phase: 'Running' | 'Terminating' } {
  return state?.phase === 'Running' || state?.phase === 'Terminating';
}

const idName = 'slipway.dev/operation';

/** The state of an operation that has just been taken up. It is told from all others by the object's version then. */
export function beginOperation(application: Application, operation: Operation, now: number): OperationState {
  const { name, resourceVersion = '' } = application.metadata;
  const info = [...(operation.info ?? []), { name: idName, value: `${name}-${resourceVersion}` }];
  return {
    operation: { ...operation, info },
    phase: 'Running',
    message: 'waiting to start',
    startedAt: timestamp(now),
  };
}

/** The same for an operation before and after a restart, another one for each try. */
export function operationId(state: OperationState): string {
  const own = state.operation.info?.findLast(({ name }) => name === idName)?.value ?? state.startedAt;
  return state.retryCount ? `${own}-${state.retryCount}` : own;
}

/** With the commits that it will sync, which stay the same until it ends. */
export function withRevisions(
  state: OperationState,
  application: Application,
  revisions: readonly string[],
): OperationState {
  const sync = state.operation.sync ?? {};
  const sources = sync.sources ?? application.spec.sources;
  const source = sync.source ?? application.spec.source;
  const several = sources !== undefined && sources.length > 0;
  const resources = state.syncResult?.resources ?? [];
  const named = several
    ? { revision: '', revisions: revisions.slice(), sources }
    : { revision: revisions[0] ?? '', ...(source ? { source } : {}) };
  return { ...state, syncResult: { ...named, resources } };
}

export function operationRevisions(state: OperationState): string[] | undefined {
  const { revision, revisions } = state.syncResult ?? {};
  if (revisions && revisions.length > 0) return revisions;
  if (revision) return [revision];
  const sync = state.operation.sync;
  if (sync?.revisions && sync.revisions.length > 0) return sync.revisions;
  return sync?.revision ? [sync.revision] : undefined;
}

/** The application as the operation wants it: its own source, when it names one. */
export function withOperationSource(application: Application, operation: Operation): Application {
  const { source, sources } = operation.sync ?? {};
  if (!source && !(sources && sources.length > 0)) return application;
  const { source: _source, sources: _sources, ...spec } = application.spec;
  return {
    ...application,
    spec: { ...spec, ...(sources && sources.length > 0 ? { sources } : source ? { source } : {}) },
  };
}

/** An operation that ended. A failed one with tries left stays Running, with `finishedAt` set, until its next try. */
export function endOperation(
  state: OperationState,
  phase: OperationPhase,
  message: string,
  now: number,
): OperationState {
  const ended: OperationState = { ...state, phase, message, finishedAt: timestamp(now) };
  const retries = state.retryCount ?? 0;
  const failed = phase === 'Failed' || phase === 'Error';
  if (!failed || state.phase === 'Terminating' || !mayRetry(state.operation.retry, retries)) return ended;
  const again = timestamp(now + retryDelayMs(state.operation.retry ?? {}, retries));
  return {
    ...ended,
    phase: 'Running',
    retryCount: retries + 1,
    message: `${message}. Retrying attempt #${retries + 1} at ${again}`,
  };
}

/** Milliseconds until the next try of an operation that waits for one; undefined when it does not wait. */
export function retryDueInMs(state: OperationState, now: number): number | undefined {
  if (state.phase !== 'Running' || state.finishedAt === undefined) return undefined;
  const done = (state.retryCount ?? 1) - 1;
  return Math.max(0, Date.parse(state.finishedAt) + retryDelayMs(state.operation.retry ?? {}, done) - now);
}

/** The state with which a retry starts afresh. */
export function restartOperation(state: OperationState): OperationState {
  const { finishedAt: _finishedAt, syncResult, ...rest } = state;
  const refresh = state.operation.retry?.refresh === true;
  if (!syncResult || refresh) return rest;
  return { ...rest, syncResult: { ...syncResult, resources: [] } };
}
