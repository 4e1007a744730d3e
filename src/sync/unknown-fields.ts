import { isObject, type JsonObject, jsonEqual, parseJson } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';

/** A step into an object by name, or into a list by an item's keys or place. */
type Step = string | JsonObject | number;

/** `.spec.containers[name="web"].foo` as steps, as the API server writes paths of server-side apply. */
function stepsOf(path: string): Step[] {
  const steps: Step[] = [];
  const pattern = /\.([^.[\]]+)|\[((?:[^"\]]|"(?:[^"\\]|\\.)*")*)\]/g;
  for (const [, name, selector = ''] of path.matchAll(pattern)) {
    if (name !== undefined) {
      steps.push(name);
      continue;
    }
    if (/^\d+$/.test(selector)) {
      steps.push(Number(selector));
      continue;
    }
    const keys: JsonObject = {};
    for (const [, key = '', value = ''] of selector.matchAll(/([^=,]+)=("(?:[^"\\]|\\.)*"|[^,]+)/g))
      keys[key] = parseJson(value, `key ${key} of ${path}`);
    steps.push(keys);
  }
  return steps;
}

function without(value: unknown, [step, ...rest]: readonly Step[]): unknown {
  if (step === undefined) return value;
  if (typeof step === 'string') {
    if (!isObject(value) || !(step in value)) return value;
    const { [step]: member, ...others } = value;
    return rest.length === 0 ? others : { ...others, [step]: without(member, rest) };
  }
  if (!Array.isArray(value)) return value;
  return value.map((item: unknown, at) => {
    const meant =
      typeof step === 'number'
        ? at === step
        : isObject(item) && Object.keys(step).every((key) => jsonEqual(item[key], step[key]));
    return meant ? without(item, rest) : item;
  });
}

/** The fields that the API server said its schema does not have. */
export function unknownFields(message: string): string[] {
  return [...message.matchAll(/((?:\.[^\s.:[\]]+|\[[^\]]*\])+): field not declared in schema/g)].map(
    ([, path = '']) => path,
  );
}

/** A copy without these fields. */
export function dropFields(object: KubeObject, paths: readonly string[]): KubeObject {
  let out: unknown = object;
  for (const path of paths) out = without(out, stepsOf(path));
  return out as KubeObject;
}
