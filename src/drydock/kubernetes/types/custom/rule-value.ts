import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import { escapeName, unescapeName } from '../cel/escape.ts';
import { zoneMinutesOf } from '../cel/functions/time-text.ts';
import { type CelValue, EvaluationError, type ListValue, type MapValue } from '../cel/value.ts';
import { durationNanos } from '../string-format.ts';
import { isEmbedded, withObjectMeta } from './rule-type.ts';

/** A value as rules see it. Members of objects are converted when a rule looks at them. */
export function ruleValue(schema: JsonObject, value: unknown): CelValue {
  if (value === null || value === undefined) {
    if (schema['nullable'] === true) return null;
    throw new EvaluationError('invalid data, got null for schema with nullable=false');
  }
  if (schema['x-kubernetes-int-or-string'] === true) {
    if (typeof value === 'string') return value;
    if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
    throw wrongData('XIntOrString value to be either a string or integer');
  }
  switch (schema['type']) {
    case 'object':
      if (!isObject(value)) throw wrongData('a map for the provided schema with type=object');
      return mapOf(isEmbedded(schema) ? withObjectMeta(schema) : schema, value);
    case 'array':
      if (!Array.isArray(value)) throw wrongData('an array for the provided schema with type=array');
      return listOf(schema, value);
    case 'string':
      if (typeof value !== 'string') throw wrongData(`string, got ${typeof value}`);
      return stringOf(schema['format'], value);
    case 'number':
      if (typeof value !== 'number') throw wrongData(`float, got ${typeof value}`);
      return value;
    case 'integer':
      if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongData(`int, got ${typeof value}`);
      return BigInt(value);
    case 'boolean':
      if (typeof value !== 'boolean') throw wrongData(`bool, got ${typeof value}`);
      return value;
    default:
      return preserved(value);
  }
}

/** A whole custom resource. */
export function ruleObject(schema: JsonObject, value: JsonObject): CelValue {
  return mapOf(withObjectMeta(schema), value);
}

function wrongData(wanted: string): EvaluationError {
  return new EvaluationError(`invalid data, expected ${wanted}`);
}

function mapOf(schema: JsonObject, value: JsonObject): MapValue {
  const { properties, additionalProperties } = schema;
  const known = new Map<string, CelValue>();
  const convert = (name: string, inner: unknown): CelValue | undefined => {
    const found = known.get(name);
    if (found !== undefined) return found;
    if (!isObject(inner) || value[name] === undefined) return undefined;
    const made = ruleValue(inner, value[name]);
    known.set(name, made);
    return made;
  };
  if (isObject(additionalProperties)) {
    const names = Object.keys(value);
    return {
      kind: 'map',
      size: names.length,
      get: (key) => (typeof key === 'string' ? convert(key, additionalProperties) : undefined),
      keys: () => names,
    };
  }
  const members = isObject(properties) ? properties : {};
  const names = Object.keys(value).filter((name) => members[name] !== undefined && escapeName(name) !== undefined);
  return {
    kind: 'map',
    size: names.length,
    get: (key) => {
      if (typeof key !== 'string') return undefined;
      const name = unescapeName(key);
      // A null member counts as absent.
      return Object.hasOwn(members, name) && value[name] !== null ? convert(name, members[name]) : undefined;
    },
    keys: () => names.map((name) => escapeName(name) ?? name),
  };
}

function listOf(schema: JsonObject, value: unknown[]): ListValue {
  const { items } = schema;
  if (!isObject(items)) throw new EvaluationError('invalid array type, expected Items with a non-empty Schema');
  const converted = value.map((item) => ruleValue(items, item));
  const keys = schema['x-kubernetes-list-map-keys'];
  switch (schema['x-kubernetes-list-type']) {
    case 'set':
      return { kind: 'list', items: converted, merge: 'set' };
    case 'map':
      return { kind: 'list', items: converted, merge: { keyOf: keyReader(Array.isArray(keys) ? keys : []) } };
    default:
      return { kind: 'list', items: converted };
  }
}

function keyReader(keys: unknown[]): (item: CelValue) => string {
  const names = keys.filter((key) => typeof key === 'string').map((key) => escapeName(key) ?? key);
  return (item) => {
    if (typeof item !== 'object' || item === null || item instanceof Uint8Array || item.kind !== 'map') return '';
    return JSON.stringify(names.map((name) => String(item.get(name))));
  };
}

function stringOf(format: unknown, value: string): CelValue {
  switch (format) {
    case 'byte':
      return new Uint8Array(Buffer.from(value, 'base64'));
    case 'duration': {
      const nanos = durationNanos(value);
      if (nanos === undefined) throw new EvaluationError(`Invalid duration ${value}`);
      return { kind: 'duration', nanos };
    }
    case 'date':
      return { kind: 'timestamp', nanos: millisOf(`${value}T00:00:00Z`, value) * 1_000_000n, zoneMinutes: 0 };
    case 'date-time':
      return { kind: 'timestamp', nanos: instantOf(value), zoneMinutes: zoneMinutesOf(value) };
    default:
      return value;
  }
}

function millisOf(text: string, shown: string): bigint {
  const millis = Date.parse(text);
  if (Number.isNaN(millis)) throw new EvaluationError(`Invalid date-time formatted string ${shown}`);
  return BigInt(millis);
}

function instantOf(value: string): bigint {
  const [, whole = '', fraction = '', zone = 'Z'] =
    /^(\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2})(?:[.,](\d+))?([Zz]|[+-]\d{2}:\d{2})?$/.exec(value) ?? [];
  return millisOf(`${whole}${zone}`, value) * 1_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
}

/** What a schema leaves open can only be compared. */
function preserved(value: unknown): CelValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return { kind: 'list', items: value.map(preserved) };
  const entries: JsonObject = isObject(value) ? value : {};
  const names = Object.keys(entries);
  return {
    kind: 'map',
    size: names.length,
    get: (key) => (typeof key === 'string' && names.includes(key) ? preserved(entries[key]) : undefined),
    keys: () => names,
  };
}
