import { isAppError, messageOf } from '#base/errors.ts';
import { parseYamlDocuments } from '#base/yaml.ts';
import { CallError } from '../call-error.ts';
import { type CallContext, type FunctionMap, fn, variadic } from '../function.ts';
import { toJsonText } from '../json-text.ts';
import { deepEqual, isMap, isTrue, kindName, typeName } from '../value.ts';
import { toYamlText } from '../yaml-text.ts';

function readJson(text: string, context: CallContext): unknown {
  context.spend(Math.ceil(text.length / 64));
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CallError(text.trim() === '' ? 'unexpected end of JSON input' : messageOf(error));
  }
}

function readYaml(text: string, context: CallContext): unknown {
  context.spend(Math.ceil(text.length / 64));
  try {
    return parseYamlDocuments(text, 'the text')[0];
  } catch (error) {
    if (isAppError(error)) throw new CallError(`error converting YAML to JSON: ${error.message}`);
    throw error;
  }
}

function writeJson(value: unknown, html: boolean, indent: string | undefined, context: CallContext): string {
  const text = toJsonText(value, { html, indent });
  context.spend(Math.ceil(text.length / 64));
  return text;
}

function isEmpty(value: unknown): boolean {
  return !isTrue(value);
}

const toJson = fn(['any'], (value, context) => writeJson(value, true, undefined, context));
const toPrettyJson = fn(['any'], (value, context) => writeJson(value, true, '  ', context));
const toRawJson = fn(['any'], (value, context) => writeJson(value, false, undefined, context));

export const dataFunctions: FunctionMap = {
  default: variadic(['any'], 'any', ([fallback], [given]) => (isEmpty(given) ? fallback : given)),
  empty: fn(['any'], isEmpty),
  coalesce: variadic([], 'any', (_none, values) => values.find((value) => !isEmpty(value)) ?? null),
  all: variadic([], 'any', (_none, values) => !values.some(isEmpty)),
  any: variadic([], 'any', (_none, values) => values.some((value) => !isEmpty(value))),
  ternary: fn(['any', 'any', 'bool'], (yes, no, decision) => (decision ? yes : no)),
  fail: fn(['string'], (message) => {
    throw new CallError(message);
  }),
  fromJson: fn(['string'], (text, context) => {
    try {
      return readJson(text, context);
    } catch (error) {
      if (error instanceof CallError) return null;
      throw error;
    }
  }),
  mustFromJson: fn(['string'], readJson),
  toJson,
  mustToJson: toJson,
  toPrettyJson,
  mustToPrettyJson: toPrettyJson,
  toRawJson,
  mustToRawJson: toRawJson,
  toYaml: fn(['any'], (value, context) => {
    const text = toYamlText(value);
    context.spend(Math.ceil(text.length / 64));
    return text;
  }),
  fromYaml: fn(['string'], (text, context) => {
    const value = readYaml(text, context) ?? {};
    if (!isMap(value))
      throw new CallError(
        `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${jsonKind(value)} into Go value of type map[string]interface {}`,
      );
    return value;
  }),
  fromYamlArray: fn(['string'], (text, context) => {
    const value = readYaml(text, context) ?? [];
    if (!Array.isArray(value))
      throw new CallError(
        `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${jsonKind(value)} into Go value of type []interface {}`,
      );
    return value;
  }),
  typeOf: fn(['any'], typeName),
  typeIs: fn(['string', 'any'], (name, value) => name === typeName(value)),
  typeIsLike: fn(['string', 'any'], (name, value) => name === typeName(value) || `*${name}` === typeName(value)),
  kindOf: fn(['any'], kindName),
  kindIs: fn(['string', 'any'], (name, value) => name === kindName(value)),
  deepEqual: fn(['any', 'any'], deepEqual),
};

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (isMap(value)) return 'object';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
