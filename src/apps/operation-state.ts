import { timestamp } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
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

/** The same for all tries of an operation. */
export function operationName(state: OperationState): string {
  return state.operation.info?.findLast(({ name }) => name === idName)?.value ?? state.startedAt;
}

/** The same for an operation before and after a restart, another one for each try. */
export function operationId(state: OperationState): string {
  const own = operationName(state);
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

/** `3:04PM` in UTC, as Argo CD tells the time of the next try. */
function kitchenTime(ms: number): string {
  const at = new Date(ms);
  const hours = at.getUTCHours();
  return `${hours % 12 === 0 ? 12 : hours % 12}:${String(at.getUTCMinutes()).padStart(2, '0')}${hours < 12 ? 'AM' : 'PM'}`;
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
  if (phase !== 'Failed' && phase !== 'Error') return ended;
  const final = { ...ended, message: retries > 0 ? `${message} (retried ${retries} times).` : message };
  if (state.phase === 'Terminating' || !mayRetry(state.operation.retry, retries)) return final;
  let again: number;
  try {
    again = now + retryDelayMs(state.operation.retry ?? {}, retries);
  } catch (error) {
    return { ...ended, phase: 'Error', message: `${message} (failed to retry: ${messageOf(error)})` };
  }
  return {
    ...ended,
    phase: 'Running',
    retryCount: retries + 1,
    message: `${message}. Retrying attempt #${retries + 1} at ${kitchenTime(again)}.`,
  };
}

/** Milliseconds until the next try of an operation that waits for one; undefined when it does not wait. */
export function retryDueInMs(state: OperationState, now: number): number | undefined {
  if (state.phase !== 'Running' || state.finishedAt === undefined) return undefined;
  const done = (state.retryCount ?? 1) - 1;
  return Math.max(0, Date.parse(state.finishedAt) + retryDelayMs(state.operation.retry ?? {}, done) - now);
}

/** Milliseconds until the time limit of operations ends this one, 0 when it has; undefined without a limit. */
export function timeoutDueInMs(state: OperationState, timeoutMs: number, now: number): number | undefined {
  if (timeoutMs <= 0 || state.phase !== 'Running') return undefined;
  return Math.max(0, Date.parse(state.startedAt) + timeoutMs - now);
}

/**
 * The state with which a retry starts afresh, without results. With `refresh` it follows the target revision anew;
 * otherwise it stays at the commits of the try before.
 */
export function restartOperation(state: OperationState): OperationState {
  const { finishedAt: _finishedAt, syncResult, ...rest } = state;
  const count = state.retryCount ?? 0;
  if (state.operation.retry?.refresh === true) {
    const { revision: _revision, revisions: _revisions, ...sync } = state.operation.sync ?? {};
    const message = `Retrying operation with latest revisions. Attempt #${count}`;
    return { ...rest, message, operation: { ...state.operation, sync } };
  }
  const message = `Retrying operation. Attempt #${count}`;
  return syncResult ? { ...rest, message, syncResult: { ...syncResult, resources: [] } } : { ...rest, message };
}
