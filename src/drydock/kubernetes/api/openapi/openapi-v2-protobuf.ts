import { isObject, type JsonObject } from '#base/json.ts';

/**
 * OpenAPI v2 in the protobuf form that kubectl reads (package openapi.v2 of gnostic): it validates lists and unknown
 * kinds by it, and up to 1.28 everything. Field numbers are those of its public .proto file.
 */

type Encoder = (value: unknown) => Buffer;
type Fields = Record<string, [number: number, encode: (field: number, value: unknown) => Buffer[]]>;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/** A member with a length in front: texts and messages. */
function sized(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
}

const text = (field: number, value: unknown): Buffer[] =>
  typeof value === 'string' ? [sized(field, Buffer.from(value, 'utf8'))] : [];
const flag = (field: number, value: unknown): Buffer[] =>
  value === true ? [Buffer.concat([varint(field * 8), varint(1)])] : [];
const whole = (field: number, value: unknown): Buffer[] =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? [Buffer.concat([varint(field * 8), varint(value)])]
    : [];
const float = (field: number, value: unknown): Buffer[] => {
  if (typeof value !== 'number') return [];
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return [Buffer.concat([varint(field * 8 + 1), bytes])];
};
/** Any value travels as YAML, of which JSON is a part. */
const anyOf: Encoder = (value) => sized(2, Buffer.from(JSON.stringify(value ?? null), 'utf8'));
const any = (field: number, value: unknown): Buffer[] => [sized(field, anyOf(value))];

function many(one: (field: number, value: unknown) => Buffer[]): (field: number, value: unknown) => Buffer[] {
  return (field, value) => (Array.isArray(value) ? value.flatMap((item) => one(field, item)) : []);
}

function inside(encode: Encoder): (field: number, value: unknown) => Buffer[] {
  return (field, value) => [sized(field, encode(value))];
}

/** `{ name: value }` as a list of name and value. */
function named(encode: Encoder, entries: Iterable<[string, unknown]>, field: number): Buffer[] {
  return [...entries].map(([name, value]) => sized(field, Buffer.concat([...text(1, name), sized(2, encode(value))])));
}

function message(value: unknown, fields: Fields, extensionField: number): Buffer {
  if (!isObject(value)) return Buffer.alloc(0);
  const out: Buffer[] = [];
  for (const [key, member] of Object.entries(value)) {
    const known = fields[key];
    if (known) out.push(...known[1](known[0], member));
  }
  const extensions = Object.entries(value).filter(([key]) => key.startsWith('x-'));
  return Buffer.concat([...out, ...named(anyOf, extensions, extensionField)]);
}

const schemaFields: Fields = {
  $ref: [1, text],
  format: [2, text],
  title: [3, text],
  description: [4, text],
  multipleOf: [6, float],
  maximum: [7, float],
  exclusiveMaximum: [8, flag],
  minimum: [9, float],
  exclusiveMinimum: [10, flag],
  maxLength: [11, whole],
  minLength: [12, whole],
  pattern: [13, text],
  maxItems: [14, whole],
  minItems: [15, whole],
  uniqueItems: [16, flag],
  maxProperties: [17, whole],
  minProperties: [18, whole],
  required: [19, many(text)],
  enum: [20, many(any)],
  additionalProperties: [21, (field, value) => [sized(field, additional(value))]],
  type: [22, (field, value) => [sized(field, Buffer.concat(text(1, value)))]],
  items: [23, (field, value) => [sized(field, sized(1, encodeSchema(value)))]],
  properties: [25, (field, value) => [sized(field, namedSchemas(value))]],
};

function additional(value: unknown): Buffer {
  return isObject(value) ? sized(1, encodeSchema(value)) : Buffer.concat([varint(16), varint(value === true ? 1 : 0)]);
}

function namedSchemas(value: unknown): Buffer {
  return Buffer.concat(isObject(value) ? named(encodeSchema, Object.entries(value), 1) : []);
}

function encodeSchema(schema: unknown): Buffer {
  return message(schema, schemaFields, 31);
}

const bodyFields: Fields = {
  description: [1, text],
  name: [2, text],
  in: [3, text],
  required: [4, flag],
  schema: [5, inside(encodeSchema)],
};
const queryFields: Fields = {
  required: [1, flag],
  in: [2, text],
  description: [3, text],
  name: [4, text],
  type: [6, text],
  format: [7, text],
  uniqueItems: [20, flag],
};
const pathFields: Fields = {
  required: [1, flag],
  in: [2, text],
  description: [3, text],
  name: [4, text],
  type: [5, text],
  format: [6, text],
  uniqueItems: [19, flag],
};

function encodeParameter(parameter: unknown): Buffer {
  const where = isObject(parameter) ? parameter['in'] : undefined;
  if (where === 'body') return sized(1, sized(1, message(parameter, bodyFields, 6)));
  const inner =
    where === 'path' ? sized(4, message(parameter, pathFields, 22)) : sized(3, message(parameter, queryFields, 23));
  return sized(1, sized(2, inner));
}

const responseFields: Fields = {
  description: [1, text],
  schema: [2, (field, value) => [sized(field, sized(1, encodeSchema(value)))]],
};

function encodeResponses(responses: unknown): Buffer {
  const one: Encoder = (response) => sized(1, message(response, responseFields, 5));
  return Buffer.concat(isObject(responses) ? named(one, Object.entries(responses), 1) : []);
}

const parameters = many(inside(encodeParameter));
const operationFields: Fields = {
  produces: [6, many(text)],
  consumes: [7, many(text)],
  parameters: [8, parameters],
  responses: [9, inside(encodeResponses)],
  schemes: [10, many(text)],
};
const operation = inside((value) => message(value, operationFields, 13));
const pathItemFields: Fields = {
  get: [2, operation],
  put: [3, operation],
  post: [4, operation],
  delete: [5, operation],
  patch: [8, operation],
  parameters: [9, parameters],
};

/** One entry of `definitions`, to be joined with others by `encodeDocument`. */
export function encodeDefinition(name: string, schema: JsonObject): Buffer {
  return Buffer.concat(named(encodeSchema, [[name, schema]], 1));
}

/** One entry of `paths`, likewise. */
export function encodePath(name: string, item: JsonObject): Buffer {
  return Buffer.concat(named((value) => message(value, pathItemFields, 10), [[name, item]], 2));
}

/** The whole document of its parts. */
export function encodeDocument(
  info: { title: string; version: string },
  { definitions, paths }: { definitions: Buffer[]; paths: Buffer[] },
): Buffer {
  const about = Buffer.concat([...text(1, info.title), ...text(2, info.version)]);
  return Buffer.concat([
    ...text(1, '2.0'),
    sized(2, about),
    sized(8, Buffer.concat(paths)),
    sized(9, Buffer.concat(definitions)),
  ]);
}
