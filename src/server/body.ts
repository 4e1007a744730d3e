import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { z } from 'zod';
import { AppError } from '#base/errors.ts';
import { parseJson } from '#base/json.ts';

export function limitBody(bytesMax: number): MiddlewareHandler {
  return bodyLimit({
    maxSize: bytesMax,
    onError: (c) => {
      // The rest of the body is not read, so the connection cannot be used again.
      c.header('connection', 'close');
      throw new AppError('limit', `the body of ${c.req.method} ${c.req.path} is larger than ${bytesMax} bytes`);
    },
  });
}

/** A JSON body by its schema; no body counts as `{}`. Other content types are refused, which also stops plain forms. */
export async function readBody<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  const text = await c.req.text();
  const type = c.req.header('content-type') ?? '';
  if (text !== '' && !/^application\/json\b/i.test(type))
    throw new AppError('bad-input', `the body of ${c.req.path} has content type ${type || '(none)'}`, {
      hint: 'send "Content-Type: application/json"',
    });
  const parsed = schema.safeParse(text === '' ? {} : parseJson(text, 'the body'));
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  throw new AppError('bad-input', `the body of ${c.req.path} is not valid: ${issues.join('; ')}`);
}

/** A whole number from the query, within bounds. */
export function queryNumber(c: Context, name: string, bounds: { min: number; max: number; otherwise: number }): number {
  const text = c.req.query(name);
  if (text === undefined || text === '') return bounds.otherwise;
  const value = Number(text);
  if (Number.isInteger(value) && value >= bounds.min && value <= bounds.max) return value;
  throw new AppError('bad-input', `?${name}=${text} is no whole number from ${bounds.min} to ${bounds.max}`);
}
