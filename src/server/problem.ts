import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { AssertionFailure } from '#base/assert.ts';
import { AppError, errorTable, isAppError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { grpcStatusOf } from './argocd/grpc-status.ts';
import type { ErrorBody } from './contract.ts';

/** Turns anything thrown into an answer: an AppError says itself what is wrong, the rest stays in the log. */
export function answerError(error: unknown, c: Context, logger: Logger): Response {
  if (isAppError(error)) {
    const { status } = errorTable[error.code];
    if (status >= 500) logger.warn({ path: c.req.path, code: error.code }, error.message);
    return problem(c, error);
  }
  if (error instanceof HTTPException)
    return c.json(
      { code: 'bad-input', message: messageOf(error) || 'the request was refused', error: messageOf(error) },
      error.status,
    );
  const stack = error instanceof Error ? error.stack : undefined;
  logger.error({ path: c.req.path, bug: error instanceof AssertionFailure, stack }, messageOf(error));
  const body: ErrorBody = {
    code: 'internal',
    message: `${c.req.method} ${c.req.path} failed inside the server`,
    hint: 'the server log has the details',
  };
  return c.json({ ...body, ...(isArgocd(c) ? { code: 13, reason: 'internal' } : {}), error: body.message }, 500);
}

function isArgocd(c: Context): boolean {
  return /^\/api\/(?:v1|badge|version)\b/.test(c.req.path);
}

/** Argo CD's clients read `error`, `code` (of gRPC) and `message`; `reason` is the code of Slipway's own. */
function problem(c: Context, error: AppError): Response {
  const { code, message, hint } = error;
  if (code === 'unauthorized') c.header('www-authenticate', 'Bearer realm="slipway"');
  if (isArgocd(c)) {
    const status = grpcStatusOf(error);
    const hidden = error instanceof HiddenError;
    const known = hidden && error.mayKnow;
    const body = {
      error: hidden ? 'permission denied' : message,
      code: status.code,
      message: hidden && !known ? 'permission denied' : message,
      reason: known ? 'not-found' : code,
      hint,
    };
    return c.json(body, (error instanceof UnsupportedTypeError ? 415 : status.http) as ContentfulStatusCode);
  }
  const body: ErrorBody = { code, message, hint };
  return c.json({ ...body, error: message }, statusOf(errorTable[code].status));
}

function statusOf(status: number): ContentfulStatusCode {
  // 499 is for a client that has gone: nobody reads the answer.
  return (status === 499 ? 408 : status) as ContentfulStatusCode;
}

/** Something is not there, and whoever asks may not learn so: Argo CD answers as to a thing they may not see. */
export class HiddenError extends AppError {
  readonly mayKnow: boolean;

  constructor(message: string, options: { mayKnow: boolean; hint?: string | undefined }) {
    super('forbidden', message, options.mayKnow ? { hint: options.hint } : {});
    this.mayKnow = options.mayKnow;
  }
}

export class UnsupportedTypeError extends AppError {
  constructor(type: string) {
    super('bad-input', `Invalid content type${type === '' ? '' : `: ${type}`}`, {
      hint: 'send "Content-Type: application/json"',
    });
  }
}
