import { isObject, type JsonObject } from '#base/json.ts';
import wire from './data/wire.generated.json' with { type: 'json' };
import { ProtobufReader } from './protobuf-reader.ts';
import { badRequest } from './status-error.ts';

type WireField = readonly [name: string, type: string, flags: string];
type WireMessage = Readonly<Record<string, WireField>>;

const messages: Readonly<Record<string, WireMessage>> = readMessages(wire.messages);
const groups: Readonly<Record<string, string>> = wire.groups;

/** The generated file as typed rows. */
function readMessages(raw: Record<string, Record<string, string[]>>): Record<string, WireMessage> {
  return raw as unknown as Record<string, WireMessage>;
}

/** True when the bytes start with the mark that Kubernetes puts before its protobuf bodies. */
export function isProtobuf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x6b && bytes[1] === 0x38 && bytes[2] === 0x73 && bytes[3] === 0;
}

/**
 * A Kubernetes protobuf body as the JSON that means the same, with `apiVersion` and `kind` from its envelope. Throws
 * ApiError 400 for bytes that are no such body and for kinds without a known layout.
 */
export function decodeProtobuf(bytes: Buffer): JsonObject {
  if (!isProtobuf(bytes)) throw badRequest('the provided data does not appear to be a protobuf message');
  try {
    const envelope = readEnvelope(bytes.subarray(4));
    const message = layoutOf(envelope.apiVersion, envelope.kind);
    const value = readMessage(message, new ProtobufReader(envelope.raw));
    return { ...value, kind: envelope.kind, apiVersion: envelope.apiVersion };
  } catch (error) {
    if (error instanceof RangeError) throw badRequest(`the protobuf body is damaged: ${error.message}`);
    throw error;
  }
}

function readEnvelope(bytes: Buffer): { apiVersion: string; kind: string; raw: Buffer } {
  const reader = new ProtobufReader(bytes);
  let type: Record<number, string> = {};
  let raw: Buffer = Buffer.alloc(0);
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    if (number === 1) type = readStrings(reader.bytes());
    else if (number === 2) raw = reader.bytes();
    else reader.skipField(wireType);
  }
  return { apiVersion: type[1] ?? '', kind: type[2] ?? '', raw };
}

function readStrings(bytes: Buffer): Record<number, string> {
  const reader = new ProtobufReader(bytes);
  const found: Record<number, string> = {};
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    if (wireType === 2) found[number] = reader.text();
    else reader.skipField(wireType);
  }
  return found;
}

function layoutOf(apiVersion: string, kind: string): string {
  const groupVersion = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`;
  const own = `${groups[groupVersion] ?? ''}.${kind}`;
  if (messages[own]) return own;
  // Options belong to every group.
  const shared = `apis.meta.v1.${kind}`;
  if (messages[shared]) return shared;
  throw badRequest(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`);
}

function readMessage(name: string, reader: ProtobufReader): JsonObject {
  const layout = messages[name];
  if (!layout) throw badRequest(`the protobuf body has a part of unknown layout ${name}`);
  const value: JsonObject = {};
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    const field = layout[number];
    if (!field) reader.skipField(wireType);
    else readField(field, { reader, wireType, value });
  }
  for (const [field, , flags] of Object.values(layout))
    if (flags.includes('o') && isZero(value[field])) delete value[field];
  return value;
}

function readField(
  [name, type, flags]: WireField,
  { reader, wireType, value }: { reader: ProtobufReader; wireType: number; value: JsonObject },
): void {
  if (flags.includes('m')) {
    const entries = isObject(value[name]) ? value[name] : {};
    value[name] = entries;
    readEntry(type, reader.bytes(), entries);
    return;
  }
  if (flags.includes('r')) {
    const items: unknown[] = Array.isArray(value[name]) ? value[name] : [];
    value[name] = items;
    // Lists of numbers may come packed into one block.
    if (wireType === 2 && isVarint(type)) {
      const block = new ProtobufReader(reader.bytes());
      while (!block.done) items.push(readValue(type, block));
    } else {
      items.push(readValue(type, reader));
    }
    return;
  }
  const read = readValue(type, reader);
  if (flags.includes('i') && isObject(read)) Object.assign(value, read);
  else value[name] = read;
}

function readEntry(type: string, bytes: Buffer, entries: JsonObject): void {
  const reader = new ProtobufReader(bytes);
  let key = '';
  let value: unknown = type === 'string' || type === 'bytes' ? '' : undefined;
  while (!reader.done) {
    const { number, wireType } = reader.tag();
    if (number === 1) key = reader.text();
    else if (number === 2) value = readValue(type, reader);
    else reader.skipField(wireType);
  }
  entries[key] = value ?? emptyValue(type);
}

function emptyValue(type: string): unknown {
  return messages[type] ? readValue(type, new ProtobufReader(Buffer.of(0))) : null;
}

function isVarint(type: string): boolean {
  return type === 'bool' || /^u?int(32|64)$/.test(type);
}

function readValue(type: string, reader: ProtobufReader): unknown {
  switch (type) {
    case 'string':
      return reader.text();
    case 'bytes':
      return reader.bytes().toString('base64');
    case 'bool':
      return reader.varint() !== 0n;
    case 'double':
      return reader.double();
    case 'int32':
    case 'int64':
    case 'uint32':
    case 'uint64':
      return Number(type.startsWith('u') ? reader.varint() : BigInt.asIntN(64, reader.varint()));
    default:
      return readSpecial(type, reader.bytes());
  }
}

/** Messages whose JSON is not an object of their fields. */
function readSpecial(type: string, bytes: Buffer): unknown {
  switch (type) {
    case 'api.resource.Quantity':
      return readStrings(bytes)[1] ?? '0';
    case 'util.intstr.IntOrString': {
      const { type: isText, intVal, strVal } = readMessage(type, new ProtobufReader(bytes));
      return isText === 1 ? (strVal ?? '') : (intVal ?? 0);
    }
    case 'apis.meta.v1.Time':
      return readTime(bytes, 0);
    case 'apis.meta.v1.MicroTime':
      return readTime(bytes, 6);
    case 'apis.meta.v1.Duration': {
      const { duration } = readMessage(type, new ProtobufReader(bytes));
      return `${Number(duration ?? 0) / 1e9}s`;
    }
    case 'apis.meta.v1.FieldsV1':
    case 'runtime.RawExtension': {
      const raw = readStrings(bytes)[1];
      return raw === undefined || raw === '' ? null : JSON.parse(raw);
    }
    default:
      return readList(type, bytes) ?? readMessage(type, new ProtobufReader(bytes));
  }
}

/** Lists that Go names as a type of their own, e.g. ExtraValue: a message around `items`. */
function readList(type: string, bytes: Buffer): unknown[] | undefined {
  if (!messages[type]?.['1']?.[2].includes('w')) return undefined;
  const { items } = readMessage(type, new ProtobufReader(bytes));
  return Array.isArray(items) ? items : [];
}

function readTime(bytes: Buffer, digits: 0 | 6): string | null {
  const { seconds = 0, nanos = 0 } = readMessage('apis.meta.v1.Time', new ProtobufReader(bytes));
  if (bytes.length === 0 || typeof seconds !== 'number' || typeof nanos !== 'number') return null;
  const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
  return digits === 0 ? `${whole}Z` : `${whole}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`;
}

function isZero(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true;
  return Array.isArray(value) && value.length === 0;
}
