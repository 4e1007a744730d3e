import assert from 'node:assert/strict';
import { getArray, isObject, type JsonObject } from '#base/json.ts';
import type { Answer } from './http.ts';

export interface Refusal {
  code: number;
  /** Absent where the server gives none. */
  reason?: string;
  message: string | RegExp;
  /** Compared whole when given. */
  details?: JsonObject;
}

/** The answer is a Status with exactly this text. */
export function refused(answer: Answer, want: Refusal): void {
  const { message = answer.text, details, ...shape } = answer.body;
  if (typeof want.message === 'string') assert.equal(message, want.message);
  else assert.match(String(message), want.message);
  assert.equal(answer.code, want.code);
  assert.deepEqual(shape, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    ...(want.reason === undefined ? {} : { reason: want.reason }),
    code: want.code,
  });
  if (want.details !== undefined) assert.deepEqual(details, want.details);
}

const codes: Record<string, string> = {
  'Required value': 'FieldValueRequired',
  'Invalid value': 'FieldValueInvalid',
  'Unsupported value': 'FieldValueNotSupported',
  'Duplicate value': 'FieldValueDuplicate',
  Forbidden: 'FieldValueForbidden',
  'Too long': 'FieldValueTooLong',
  'Too many': 'FieldValueTooMany',
  'Not found': 'FieldValueNotFound',
};

/** `422 Invalid` of `kind` (with its group) with these errors, in this order, as message and as causes. */
export function invalid(
  answer: Answer,
  kind: string,
  name: string,
  errors: readonly [field: string, text: string][],
): void {
  const causes = errors.map(([field, message]) => {
    const code = Object.keys(codes).find((prefix) => message.startsWith(prefix));
    return { reason: code === undefined ? '?' : codes[code], message, field };
  });
  const listed = errors.map(([field, text]) => `${field}: ${text}`);
  const [simple = '', ...group] = kind.split('.');
  refused(answer, {
    code: 422,
    reason: 'Invalid',
    message: `${kind} "${name}" is invalid: ${listed.length === 1 ? listed[0] : `[${listed.join(', ')}]`}`,
    details: {
      ...(name === '' ? {} : { name }),
      ...(group.length === 0 ? {} : { group: group.join('.') }),
      kind: simple,
      causes,
    },
  });
}

/** As `invalid`, for errors that the server finds by walking maps: their order is another in every answer. */
export function invalidInAnyOrder(
  answer: Answer,
  kind: string,
  name: string,
  errors: readonly [field: string, text: string][],
): void {
  const causes = getArray(answer.body, 'details', 'causes').filter(isObject);
  const listed = causes.map(({ field, message }) => `${String(field)}: ${String(message)}`);
  assert.deepEqual([...listed].sort(), errors.map(([field, text]) => `${field}: ${text}`).sort());
  const [only = ''] = listed;
  const told = listed.length === 1 ? only : `[${listed.join(', ')}]`;
  assert.deepEqual([answer.code, answer.body['message']], [422, `${kind} "${name}" is invalid: ${told}`]);
}

/** Everything `want` says is so in `have`; lists are compared whole, item by item in the same way. */
export function includes(have: unknown, want: unknown, path = ''): void {
  if (Array.isArray(want)) {
    assert.ok(Array.isArray(have), `${path || '.'} is a list, not ${JSON.stringify(have)}`);
    assert.equal(have.length, want.length, `${path || '.'} has ${want.length} items: ${JSON.stringify(have)}`);
    for (const [index, item] of want.entries()) includes(have[index], item, `${path}[${index}]`);
    return;
  }
  if (isObject(want)) {
    assert.ok(isObject(have), `${path || '.'} is an object, not ${JSON.stringify(have)}`);
    for (const [key, value] of Object.entries(want)) includes(have[key], value, `${path}.${key}`);
    return;
  }
  assert.deepEqual(have, want, `${path || '.'} is ${JSON.stringify(want)}, not ${JSON.stringify(have)}`);
}
