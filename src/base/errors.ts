import { redact } from './redact.ts';

/**
 * What went wrong, as a closed set: loops decide on back-off by it, the server maps it to an HTTP status and the
 * command line to an exit code (see `errorTable`).
 */
export type ErrorCode =
  | 'bad-input' // a document, argument or file of the user's is wrong; retrying changes nothing
  | 'not-found' // what was named does not exist
  | 'conflict' // somebody else changed it meanwhile; read again and retry
  | 'unauthorized' // no or bad credentials
  | 'forbidden' // known, but not allowed
  | 'unavailable' // an outside system cannot be reached or answers 5xx; retry
  | 'timeout' // an outside system or program took too long
  | 'limit' // a limit of ours was reached
  | 'unsupported' // right input that this version does not do
  | 'missing-tool' // an outside program is not installed
  | 'port-taken' // a listening port is in use
  | 'corrupt-data' // our own files are damaged
  | 'tool-failed' // an outside program ran and failed
  | 'canceled'; // the caller's AbortSignal

export interface AppErrorOptions {
  /** What the reader can do next, one sentence. */
  hint?: string | undefined;
  cause?: unknown;
}

/**
 * An operating failure. `message` says what was attempted on what and how it failed; `hint` says what to do.
 * Secrets known to `redact` are masked in both at construction, so an AppError can be shown anywhere.
 */
export class AppError extends Error {
  override name = 'AppError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(redact(message), options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint === undefined ? undefined : redact(options.hint);
  }
}

/** The one place where an error code becomes an HTTP status or an exit code. */
export const errorTable = {
  'bad-input': { status: 400, exit: 2 },
  'not-found': { status: 404, exit: 3 },
  conflict: { status: 409, exit: 4 },
  unauthorized: { status: 401, exit: 5 },
  forbidden: { status: 403, exit: 5 },
  unavailable: { status: 503, exit: 6 },
  timeout: { status: 504, exit: 6 },
  limit: { status: 429, exit: 7 },
  unsupported: { status: 501, exit: 2 },
  'missing-tool': { status: 500, exit: 8 },
  'port-taken': { status: 500, exit: 9 },
  'corrupt-data': { status: 500, exit: 10 },
  'tool-failed': { status: 502, exit: 11 },
  canceled: { status: 499, exit: 130 },
} as const satisfies Record<ErrorCode, { status: number; exit: number }>;

export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}

/** The message of anything thrown, with secrets masked and without a stack. */
export function messageOf(error: unknown): string {
  if (error instanceof AppError) return error.message;
  return redact(error instanceof Error ? error.message : String(error));
}

/** Message, then hint and causes, as a person reads them on a terminal. */
export function explain(error: unknown): string {
  const lines = [messageOf(error)];
  for (let cause = error instanceof Error ? error.cause : undefined, depth = 0; cause && depth < 4; depth += 1) {
    const text = messageOf(cause);
    if (!lines[lines.length - 1]?.includes(text)) lines.push(`because: ${text}`);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  if (isAppError(error) && error.hint !== undefined) lines.push(`to do: ${error.hint}`);
  return lines.join('\n');
}

/** Turns the abort of a signal into an AppError `canceled` (or the AppError that was given as its reason). */
export function throwIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  if (signal.reason instanceof AppError) throw signal.reason;
  throw new AppError('canceled', 'the operation was canceled', { cause: signal.reason });
}
