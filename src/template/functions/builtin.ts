import { CallError } from '../call-error.ts';
import { formatValue, sprint, sprintln } from '../format.ts';
import { type FunctionMap, fn, variadic } from '../function.ts';
import { sprintf } from '../printf.ts';
import { byteLength, byteSlice, compareText, elementType, GoInt, goInt, isMap, isTrue, typeName } from '../value.ts';

type BasicKind = 'bool' | 'int' | 'uint' | 'float' | 'string' | 'none';

function basicKind(value: unknown): BasicKind {
  if (value instanceof GoInt) return value.type.startsWith('u') ? 'uint' : 'int';
  if (typeof value === 'number') return 'float';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'none';
}

function isInteger(kind: BasicKind): boolean {
  return kind === 'int' || kind === 'uint';
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null;
}

function incompatible(a: unknown, b: unknown): CallError {
  return new CallError(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`);
}

function equals(a: unknown, b: unknown): boolean {
  const [one, two] = [basicKind(a), basicKind(b)];
  if (a instanceof GoInt && b instanceof GoInt && isInteger(one) && isInteger(two)) return a.value === b.value;
  if (one !== two) {
    if (isNothing(a) || isNothing(b)) return false;
    throw incompatible(a, b);
  }
  if (one !== 'none') return a === b;
  if (isNothing(a) || isNothing(b)) return isNothing(a) === isNothing(b);
  if (typeName(a).split(/[[\]]/)[0] !== typeName(b).split(/[[\]]/)[0])
    throw new CallError(`non-comparable types ${formatValue(a)}: ${typeName(a)}, ${typeName(b)}: ${formatValue(b)}`);
  throw new CallError(`non-comparable type ${formatValue(b)}: ${typeName(b)}`);
}

function less(a: unknown, b: unknown): boolean {
  const [one, two] = [basicKind(a), basicKind(b)];
  if (one === 'none' || two === 'none') throw new CallError('invalid type for comparison');
  if (a instanceof GoInt && b instanceof GoInt) return a.value < b.value;
  if (one !== two) throw incompatible(a, b);
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b) < 0;
  throw new CallError('invalid type for comparison');
}

function reflectPanic(): CallError {
  return new CallError('reflect: call of reflect.Value.Type on zero Value');
}

function position(index: unknown, size: number): number {
  if (isNothing(index)) throw new CallError('cannot index slice/array with nil');
  if (!(index instanceof GoInt)) throw new CallError(`cannot index slice/array with type ${typeName(index)}`);
  if (index.value < 0n || index.value > BigInt(size)) throw new CallError(`index out of range: ${index.value}`);
  return Number(index.value);
}

function element(item: unknown, index: unknown): unknown {
  if (isNothing(item)) throw new CallError('index of nil pointer');
  if (Array.isArray(item) || typeof item === 'string') {
    const size = typeof item === 'string' ? byteLength(item) : item.length;
    const at = position(index, size);
    if (at >= size) throw new CallError(`reflect: ${typeof item === 'string' ? 'string' : 'slice'} index out of range`);
    return typeof item === 'string' ? new GoInt(BigInt(Buffer.from(item)[at] ?? 0), 'uint8') : item[at];
  }
  if (!isMap(item)) throw new CallError(`can't index item of type ${typeName(item)}`);
  if (isNothing(index)) throw new CallError('value is nil; should be of type string');
  if (typeof index !== 'string') throw new CallError(`value has type ${typeName(index)}; should be string`);
  if (Object.hasOwn(item, index)) return item[index];
  return elementType(item) === 'string' ? '' : null;
}

function slice(item: unknown, indexes: readonly unknown[]): unknown {
  if (isNothing(item)) throw new CallError('slice of untyped nil');
  if (indexes.length > 3) throw new CallError(`too many slice indexes: ${indexes.length}`);
  if (typeof item !== 'string' && !Array.isArray(item))
    throw new CallError(`can't slice item of type ${typeName(item)}`);
  if (typeof item === 'string' && indexes.length === 3) throw new CallError('cannot 3-index slice a string');
  const size = typeof item === 'string' ? byteLength(item) : item.length;
  const [start = 0, end = size, cap = size] = indexes.map((index) => position(index, size));
  if (start > end) throw new CallError(`invalid slice index: ${start} > ${end}`);
  if (end > cap) throw new CallError(`invalid slice index: ${end} > ${cap}`);
  return typeof item === 'string' ? byteSlice(item, start, end) : item.slice(start, end);
}

const htmlEscapes: Record<string, string> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\ufffd',
};

const jsEscapes: Record<string, string> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
};

function escapeJs(text: string): string {
  return text.replace(/[\\'"<>&=]|[^\x20-\x7e]/gu, (character) => {
    const known = jsEscapes[character];
    if (known !== undefined) return known;
    if (/^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character) && character > '\x7f') return character;
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  });
}

/** Go's url.QueryEscape. */
export function queryEscape(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll('%20', '+')
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function printed(values: readonly unknown[]): string {
  return values.length === 1 && typeof values[0] === 'string'
    ? values[0]
    : sprint(values.map((value) => value ?? '<no value>'));
}

/** The functions that Go's text/template has by itself. The evaluator knows `and` and `or`. */
export const builtinFunctions: FunctionMap = {
  and: variadic(['value'], 'value', ([value]) => value),
  or: variadic(['value'], 'value', ([value]) => value),
  not: fn(['value'], (value) => !isTrue(value)),
  call: variadic(['value'], 'value', ([value]) => {
    if (isNothing(value)) throw new CallError('call of nil');
    throw new CallError(`non-function of type ${typeName(value)}`);
  }),
  html: variadic([], 'any', (_none, values) =>
    printed(values).replace(/["'&<>\0]/g, (character) => htmlEscapes[character] ?? character),
  ),
  js: variadic([], 'any', (_none, values) => escapeJs(printed(values))),
  urlquery: variadic([], 'any', (_none, values) => queryEscape(printed(values))),
  index: variadic(['value'], 'value', ([item], indexes) => {
    if (isNothing(item)) throw new CallError('index of untyped nil');
    return indexes.reduce(element, item);
  }),
  slice: variadic(['value'], 'value', ([item], indexes) => slice(item, indexes)),
  len: fn(['value'], (item) => {
    if (item === undefined) throw reflectPanic();
    if (item === null) throw new CallError('len of nil pointer');
    if (typeof item === 'string') return goInt(byteLength(item));
    if (Array.isArray(item)) return goInt(item.length);
    if (isMap(item)) return goInt(Object.keys(item).length);
    throw new CallError(`len of type ${typeName(item)}`);
  }),
  print: variadic([], 'any', (_none, values) => sprint(values)),
  printf: variadic(['string'], 'any', ([format], values, context) => {
    context.spend(values.length);
    return sprintf(format, values);
  }),
  println: variadic([], 'any', (_none, values) => sprintln(values)),
  eq: variadic(['value'], 'value', ([first], others) => {
    if (others.length === 0) throw new CallError('missing argument for comparison');
    return others.some((other) => equals(first, other));
  }),
  ne: fn(['value', 'value'], (a, b) => !equals(a, b)),
  lt: fn(['value', 'value'], less),
  le: fn(['value', 'value'], (a, b) => less(a, b) || equals(a, b)),
  gt: fn(['value', 'value'], (a, b) => !less(a, b) && !equals(a, b)),
  ge: fn(['value', 'value'], (a, b) => !less(a, b)),
};
