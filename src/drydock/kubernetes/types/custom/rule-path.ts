import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import { simpleEscapes } from '../cel/token.ts';

const letters: Record<string, string> = { ...simpleEscapes, "'": "'", '\\': '\\' };

/** Steps of `.a['b.c']`; a text says what is wrong with it. */
function pathSteps(path: string, brackets: boolean): string[] | { mistake: string } {
  const steps: string[] = [];
  let rest = path;
  while (rest !== '') {
    if (rest.startsWith('.')) {
      const name = /^\.('(?:[^'\\]|\\.)*'|[^.[\]]+|[.[\]])/.exec(rest)?.[1];
      if (name === undefined) return { mistake: 'unexpected end of JSON path' };
      steps.push(name);
      rest = rest.slice(1 + name.length);
    } else if (rest.startsWith('[')) {
      if (!brackets) return { mistake: 'array notation is not allowed' };
      const quoted = /^\['((?:[^'\\]|\\.)*)'\]/.exec(rest);
      if (quoted === null) {
        const token = /^\[([^.[\]]+|[.[\]])/.exec(rest)?.[1];
        return {
          mistake:
            token === undefined ? 'unexpected end of JSON path' : `expected single quoted string but got ${token}`,
        };
      }
      steps.push((quoted[1] ?? '').replace(/\\(.)/g, (whole, letter: string) => letters[letter] ?? whole));
      rest = rest.slice(quoted[0].length);
    } else {
      return { mistake: `expected [ or . but got: ${/^[^.[\]]+|^\]/.exec(rest)?.[0] ?? rest}` };
    }
  }
  return steps;
}

/** The schema that a path leads to from another; a text says why it leads nowhere. */
export function schemaAt(schema: JsonObject, path: string, { brackets }: { brackets: boolean }): JsonObject | string {
  const steps = pathSteps(path, brackets);
  if (!Array.isArray(steps)) return steps.mistake;
  let at = schema;
  for (const name of steps) {
    const { properties, additionalProperties } = at;
    const next = isObject(properties) ? properties[name] : additionalProperties;
    if (!isObject(next) || (isObject(properties) && !Object.hasOwn(properties, name)))
      return 'does not refer to a valid field';
    at = next;
  }
  return at;
}

/** A rule's `fieldPath` as errors show it, from a value of a schema: keys of maps stand in brackets. */
export function fieldPathText(schema: JsonObject, path: string): string {
  const steps = pathSteps(path, true);
  if (!Array.isArray(steps)) return path;
  let at: unknown = schema;
  let text = '';
  for (const name of steps) {
    const { properties, additionalProperties }: JsonObject = isObject(at) ? at : {};
    if (isObject(properties)) {
      text = text === '' ? name : `${text}.${name}`;
      at = properties[name];
    } else {
      text = `${text}[${name}]`;
      at = additionalProperties;
    }
  }
  return text;
}
