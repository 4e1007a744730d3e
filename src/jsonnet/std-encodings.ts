import { createHash } from 'node:crypto';
import { builtin, type Library } from './builtin.ts';
import { JsonnetError } from './error.ts';
import { integerOf, textOf } from './operators.ts';
import { JsonnetArray, JsonnetObject, Thunk, typeOf, type Value } from './values.ts';

/** A value of a program from one of JSON. */
export function fromJson(value: unknown): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string') return value;
  if (Array.isArray(value)) return JsonnetArray.of(value.map(fromJson));
  if (typeof value !== 'object') throw new JsonnetError(`a ${typeof value} is no value of a program`);
  return JsonnetObject.of(Object.entries(value).map(([name, item]) => [name, Thunk.of(fromJson(item))] as const));
}

function parseJson(text: Value): Value {
  try {
    return fromJson(JSON.parse(textOf(text, 'str')));
  } catch (error) {
    throw new JsonnetError(`failed to parse JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function bytesOf(value: Value): Buffer {
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (!(value instanceof JsonnetArray))
    throw new JsonnetError(`expected a string or an array of bytes, got ${typeOf(value)}`);
  return Buffer.from(
    value.values().map((item) => {
      const byte = integerOf(item, 'a byte');
      if (byte < 0 || byte > 255) throw new JsonnetError(`a byte is from 0 to 255, got ${byte}`);
      return byte;
    }),
  );
}

function decodeBase64(value: Value): Buffer {
  const text = textOf(value, 'str');
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
    throw new JsonnetError('failed to decode: not a base64 encoded string');
  return Buffer.from(text, 'base64');
}

const hash = (algorithm: string) =>
  builtin('str', (text) => createHash(algorithm).update(textOf(text, 'str')).digest('hex'));

export const encodingLibrary: Library = new Map<string, Value>([
  ['parseJson', builtin('str', parseJson)],
  ['encodeUTF8', builtin('str', (text) => JsonnetArray.of([...Buffer.from(textOf(text, 'str'), 'utf8')]))],
  ['decodeUTF8', builtin('arr', (bytes) => bytesOf(bytes).toString('utf8'))],
  ['base64', builtin('input', (value) => bytesOf(value).toString('base64'))],
  ['base64Decode', builtin('str', (text) => decodeBase64(text).toString('utf8'))],
  ['base64DecodeBytes', builtin('str', (text) => JsonnetArray.of([...decodeBase64(text)]))],
  ['md5', hash('md5')],
  ['sha1', hash('sha1')],
  ['sha256', hash('sha256')],
  ['sha512', hash('sha512')],
  ['sha3', hash('sha3-512')],
]);
