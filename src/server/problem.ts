import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { AssertionFailure } from '#base/assert.ts';
import { AppError, errorTable, isAppError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { ErrorBody } from './contract.ts';

/** Turns anything thrown into an answer: an AppError says itself what is wrong, the rest stays in the log. */
export function answerError(error: unknown, c: Context, logger: Logger): Response {
  if (isAppError(error)) {
    const { status } = errorTable[error.code];
    if (status >= 500) logger.warn({ path: c.req.path, code: error.code }, error.message);
    return problem(c, status, error);
  }
  if (error instanceof HTTPException)
    return problem(c, error.status, new AppError('bad-input', messageOf(error) || 'the request was refused'));
  const stack = error instanceof Error ? error.stack : undefined;
  logger.error({ path: c.req.path, bug: error instanceof AssertionFailure, stack }, messageOf(error));
  const body: ErrorBody = {
    code: 'internal',
    message: `${c.req.method} ${c.req.path} failed inside the server`,
    hint: 'the server log has the details',
  };
  return c.json({ ...body, error: body.message }, 500);
}

/** `error` repeats the message for clients of Argo CD. */
function problem(c: Context, status: number, error: AppError): Response {
  const body: ErrorBody = { code: error.code, message: error.message, hint: error.hint };
  if (status === 401) c.header('www-authenticate', 'Bearer realm="slipway"');
  return c.json({ ...body, error: error.message }, statusOf(status));
}

function statusOf(status: number): ContentfulStatusCode {
  // 499 is for a client that has gone: nobody reads the answer.
  return (status === 499 ? 408 : status) as ContentfulStatusCode;
}
