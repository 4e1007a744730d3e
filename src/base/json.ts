import { AppError } from './errors.ts';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: unknown };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses JSON to `unknown`; `what` names the document in the error. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError('bad-input', `${what} is not valid JSON: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

/** Follows `path` through objects and arrays; undefined where a step is missing. */
export function getPath(value: unknown, ...path: (string | number)[]): unknown {
  let at: unknown = value;
  for (const step of path) {
    if (Array.isArray(at) && typeof step === 'number') at = at[step];
    else if (isObject(at)) at = at[step];
    else return undefined;
  }
  return at;
}

export function getString(value: unknown, ...path: (string | number)[]): string | undefined {
  const found = getPath(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

export function getNumber(value: unknown, ...path: (string | number)[]): number | undefined {
  const found = getPath(value, ...path);
  return typeof found === 'number' ? found : undefined;
}

export function getArray(value: unknown, ...path: (string | number)[]): unknown[] {
  const found = getPath(value, ...path);
  return Array.isArray(found) ? found : [];
}

export function getObject(value: unknown, ...path: (string | number)[]): JsonObject {
  const found = getPath(value, ...path);
  return isObject(found) ? found : {};
}

/** Deep equality of JSON values; member order does not matter, `undefined` members count as absent. */
export function jsonEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => jsonEqual(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  for (const key of keys) if (!jsonEqual(a[key], b[key])) return false;
  return true;
}

/** A deep copy of a JSON value without members that are undefined; what was frozen is free to change in the copy. */
export function cloneJson<T>(value: T): T;
export function cloneJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => cloneJson(item));
  if (!isObject(value)) return value;
  const copy: JsonObject = {};
  for (const [key, member] of Object.entries(value)) if (member !== undefined) copy[key] = cloneJson(member);
  return copy;
}
