import { AppError } from '#base/errors.ts';
import type { Application } from '#model/argocd/application.ts';
import type { Session } from './session.ts';

export interface WatchOptions {
  /** Undefined waits without end. */
  timeoutMs: number | undefined;
  /** What is waited for, for the message when the time is over. */
  what: string;
}

/** Follows an application until `done` says so. Throws `timeout`, and `not-found` when it is deleted meanwhile. */
export async function watchUntil(
  session: Session,
  name: string,
  options: WatchOptions & { done: (application: Application) => boolean },
): Promise<Application> {
  const { timeoutMs, what, done } = options;
  const late =
    timeoutMs === undefined
      ? undefined
      : new AppError('timeout', `${name}: ${what} was not reached within ${timeoutMs / 1000} s`, {
          hint: `see "slipway why ${name}"`,
        });
  const timer = new AbortController();
  const timeout = late && setTimeout(() => timer.abort(late), timeoutMs);
  try {
    for await (const { type, application } of session.client.watch(
      name,
      AbortSignal.any([session.signal, timer.signal]),
    )) {
      if (type === 'DELETED') throw new AppError('not-found', `${name} was deleted meanwhile`);
      if (done(application)) return application;
    }
    throw new AppError('unavailable', `${name}: the live stream ended`);
  } finally {
    clearTimeout(timeout);
  }
}

export function parseTimeout(text: string | undefined): number | undefined {
  if (text === undefined || text === '0') return undefined;
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds > 0) return seconds * 1000;
  throw new AppError('bad-input', `--timeout ${text} is no number of seconds`);
}

export function isOperationOver(application: Application): boolean {
  const phase = application.status?.operationState?.phase;
  return application.operation === undefined && phase !== 'Running' && phase !== 'Terminating';
}
