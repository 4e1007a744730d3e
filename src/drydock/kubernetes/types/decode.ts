import { unreachable } from '#base/assert.ts';
import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { Gvk } from '../api/port.ts';
import { ApiError } from '../api/port.ts';
import { canonicalQuantity, quantityPattern } from './quantity.ts';
import type { ListNode, MapNode, ScalarNode, SchemaNode, StructField, StructType } from './schema-node.ts';
import { canonicalTime } from './timestamp.ts';
import { unknownFields } from './unknown-fields.ts';

/** Where decoding is: the innermost struct and the member names from the root, without indexes, as Go's errors tell. */
interface Cursor {
  goName: string;
  members: string;
  pass: Pass;
}

interface Pass {
  /** Some struct had members that no field names. */
  unknown: boolean;
  /** Members are taken in the document's order, so that the first failure is the one Go tells; slower. */
  inOrder: boolean;
  /** The first wrong type so far; decoding goes on, because a text that cannot be read counts before it. */
  saved?: string;
}

class DecodeFailure extends Error {
  /** A wrong JSON type: Go reports it only when nothing worse follows. */
  readonly isType: boolean;

  constructor(message: string, isType = false) {
    super(message);
    this.isType = isType;
  }
}

/** What the server accepts as JSON of this type, in canonical form. Throws ApiError 400 in the real server's words. */
export function decodeStruct(
  type: StructType,
  raw: JsonObject,
  gvk: Gvk,
): { object: JsonObject; unknownFields: string[] } {
  const pass: Pass = { unknown: false, inOrder: false };
  try {
    const object = decodeMembers(type, raw, start(pass));
    return { object, unknownFields: pass.unknown ? unknownFields(type, raw) : [] };
  } catch (error) {
    if (!(error instanceof DecodeFailure)) throw error;
    throw new ApiError(400, 'BadRequest', cannotBeHandled(gvk, firstFailure(type, raw)));
  }
}

function start(pass: Pass): Cursor {
  return { goName: '', members: '', pass };
}

function firstFailure(type: StructType, raw: JsonObject): string {
  const pass: Pass = { unknown: false, inOrder: true };
  try {
    decodeMembers(type, raw, start(pass));
  } catch (error) {
    if (error instanceof DecodeFailure) return error.message;
    throw error;
  }
  return pass.saved ?? '';
}

export function cannotBeHandled(gvk: Gvk, why: string): string {
  return `${gvk.kind} in version ${JSON.stringify(gvk.version)} cannot be handled as a ${gvk.kind}: ${why}`;
}

function decodeMembers(type: StructType, raw: JsonObject, cursor: Cursor): JsonObject {
  const out: JsonObject = {};
  let seen = 0;
  for (const field of cursor.pass.inOrder ? fieldsInOrder(type, raw) : type.fields) {
    const value = raw[field.name];
    if (value === undefined) {
      if (hasZero(field)) putZero(out, field);
      else if (Object.hasOwn(raw, field.name)) seen += 1;
      continue;
    }
    seen += 1;
    if (value === null) {
      if (hasZero(field)) putZero(out, field);
      continue;
    }
    const inner = descend(cursor, type.goName, field.name);
    const decoded = decodeNode(field.node, value, inner);
    if (isOmitted(field, decoded)) continue;
    out[field.name] = decoded;
  }
  if (seen < Object.keys(raw).length) cursor.pass.unknown = true;
  return out;
}

function fieldsInOrder(type: StructType, raw: JsonObject): StructField[] {
  return Object.keys(raw).flatMap((key) => type.byName.get(key) ?? []);
}

function descend(cursor: Cursor, goName: string, member: string): Cursor {
  return {
    goName,
    members: cursor.members === '' ? member : `${cursor.members}.${member}`,
    pass: cursor.pass,
  };
}

/** What Go prints of an empty struct of this type. */
export function zeroStruct(type: StructType): JsonObject {
  return decodeMembers(type, {}, start({ unknown: false, inOrder: false }));
}

/** Go prints a member without omitempty always, and a struct, time, quantity or raw value that is no pointer too. */
function hasZero(field: StructField): boolean {
  if (field.pointer) return !field.omitEmpty;
  if (!field.omitEmpty) return true;
  const { node } = field;
  if (node.kind === 'struct') return true;
  if (node.kind === 'any') return !node.deduced && field.name === 'data';
  if (node.kind !== 'scalar') return false;
  const { scalar } = node;
  return (
    scalar === 'Time' ||
    scalar === 'MicroTime' ||
    scalar === 'Quantity' ||
    scalar === 'IntOrString' ||
    scalar === 'Duration'
  );
}

function putZero(out: JsonObject, field: StructField): void {
  out[field.name] = field.pointer ? null : zeroOf(field.node);
}

function zeroOf(node: SchemaNode): unknown {
  if (node.kind === 'struct') return zeroStruct(node.type);
  if (node.kind !== 'scalar') return null;
  switch (node.scalar) {
    case 'string':
      return '';
    case 'bool':
      return false;
    case 'int32':
    case 'int64':
    case 'float64':
    case 'IntOrString':
      return 0;
    case 'Quantity':
      return '0';
    case 'Duration':
      return '0s';
    case 'bytes':
    case 'Time':
    case 'MicroTime':
      return null;
    default:
      return unreachable(node.scalar);
  }
}

function isOmitted(field: StructField, decoded: unknown): boolean {
  if (!field.omitEmpty || field.pointer) return false;
  switch (field.node.kind) {
    case 'list':
      return Array.isArray(decoded) && decoded.length === 0;
    case 'map':
      return isObject(decoded) && Object.keys(decoded).length === 0;
    case 'scalar':
      return (
        (decoded === '' || decoded === 0 || decoded === false) &&
        field.node.scalar !== 'IntOrString' &&
        field.node.scalar !== 'Quantity'
      );
    default:
      return false;
  }
}

function decodeNode(node: SchemaNode, value: unknown, cursor: Cursor): unknown {
  if (!cursor.pass.inOrder) return decodeValue(node, value, cursor);
  try {
    return decodeValue(node, value, cursor);
  } catch (error) {
    if (!(error instanceof DecodeFailure) || !error.isType) throw error;
    cursor.pass.saved ??= error.message;
    return null;
  }
}

function decodeValue(node: SchemaNode, value: unknown, cursor: Cursor): unknown {
  switch (node.kind) {
    case 'scalar':
      return decodeScalar(node, value, cursor);
    case 'struct':
      if (!isObject(value)) throw typeFailure(value, node.type.name.slice(node.type.name.indexOf('/') + 1), cursor);
      return decodeMembers(node.type, value, cursor);
    case 'list':
      return decodeList(node, value, cursor);
    case 'map':
      return decodeMap(node, value, cursor);
    case 'any':
      return value;
    default:
      return unreachable(node);
  }
}

function decodeList(node: ListNode, value: unknown, cursor: Cursor): unknown {
  if (!Array.isArray(value)) throw typeFailure(value, node.goType, cursor);
  return value.map((item: unknown) => (item === null ? zeroOf(node.element) : decodeNode(node.element, item, cursor)));
}

function decodeMap(node: MapNode, value: unknown, cursor: Cursor): unknown {
  if (!isObject(value)) throw typeFailure(value, node.goType, cursor);
  const out: JsonObject = {};
  for (const key of Object.keys(value).sort()) {
    const item = value[key];
    out[key] = item === null || item === undefined ? zeroOf(node.element) : decodeNode(node.element, item, cursor);
  }
  return out;
}

function decodeScalar(node: ScalarNode, value: unknown, cursor: Cursor): unknown {
  switch (node.scalar) {
    case 'string':
      if (typeof value === 'string') return value;
      break;
    case 'bool':
      if (typeof value === 'boolean') return value;
      break;
    case 'int32':
    case 'int64':
      if (typeof value === 'number') return decodeInteger(node, value, cursor);
      break;
    case 'float64':
      if (typeof value === 'number') return value;
      break;
    case 'IntOrString':
      if (typeof value === 'string') return value;
      if (typeof value === 'number') return decodeInteger(node, value, cursor);
      throw final(typeFailure(value, node.goType, cursor));
    case 'Quantity':
      return decodeQuantity(value);
    case 'Time':
    case 'MicroTime':
      if (typeof value === 'string') return decodeTime(node.scalar === 'Time' ? 0 : 6, value);
      throw final(typeFailure(value, 'string', cursor));
    case 'Duration':
      if (typeof value === 'string') return value;
      throw final(typeFailure(value, 'string', cursor));
    case 'bytes':
      if (typeof value === 'string') return decodeBytes(value);
      break;
    default:
      return unreachable(node.scalar);
  }
  throw typeFailure(value, node.goType, cursor);
}

function decodeInteger(node: ScalarNode, value: number, cursor: Cursor): number {
  const limit = node.scalar === 'int64' ? Number.MAX_SAFE_INTEGER : 2147483647;
  if (Number.isInteger(value) && value <= limit && value >= -limit - 1) return value;
  throw goFailure(`number ${value}`, node.goType, cursor);
}

function decodeQuantity(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const canonical = canonicalQuantity(text);
  if (canonical !== undefined) return canonical;
  if (!new RegExp(quantityPattern).test(text)) {
    throw new DecodeFailure(`quantities must match the regular expression '${quantityPattern}'`);
  }
  const numeric = /^[+-]?[0-9.]+/.exec(text)?.[0] ?? '';
  throw new DecodeFailure(
    numeric.split('.').length > 2 ? 'unable to parse numeric part of quantity' : "unable to parse quantity's suffix",
  );
}

function decodeTime(digits: 0 | 6, value: string): string {
  try {
    return canonicalTime(value, digits);
  } catch (error) {
    throw new DecodeFailure(error instanceof Error ? error.message : String(error));
  }
}

/** Go's decoder skips line breaks and wants padding. */
function decodeBytes(value: string): string {
  const text = value.replace(/[\r\n]/g, '');
  const bad = /[^A-Za-z0-9+/=]/.exec(text) ?? /=(?=[^=])/.exec(text);
  if (bad !== null) throw new DecodeFailure(`illegal base64 data at input byte ${bad.index}`);
  if (text.length % 4 !== 0 || /={3,}$/.test(text)) {
    throw new DecodeFailure(`illegal base64 data at input byte ${Math.floor(text.length / 4) * 4}`);
  }
  return text;
}

/** Types that read their own JSON end decoding at once. */
function final(failure: DecodeFailure): DecodeFailure {
  return new DecodeFailure(failure.message);
}

function typeFailure(value: unknown, goType: string, cursor: Cursor): DecodeFailure {
  return goFailure(jsonKind(value), goType, cursor);
}

function goFailure(what: string, goType: string, cursor: Cursor): DecodeFailure {
  const where = `Go struct field ${cursor.goName}.${cursor.members}`;
  return new DecodeFailure(`json: cannot unmarshal ${what} into ${where} of type ${goType}`, true);
}

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'object' ? 'object' : typeof value;
}
