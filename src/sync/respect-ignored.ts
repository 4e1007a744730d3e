import { cloneJson, isObject, type JsonObject, jsonEqual } from '#base/json.ts';
import { compileJq, JqError, type JqProgram, runJq } from '#jq/jq.ts';
import type { KubeObject } from '#kube/port.ts';
import type { IgnoreRules } from './ignore-differences.ts';
import { edit, pointerSteps, read } from './json-pointer.ts';

/**
 * RespectIgnoreDifferences: the ignored fields of `desired` as they are in `live`, or absent where they are absent there, so
 * that a sync leaves them alone. `status` is never copied. `owned` is what the ignored managers own, as `managedFields` writes
 * it.
 */
export function respectIgnored(
  desired: KubeObject,
  live: KubeObject,
  rules: Pick<IgnoreRules, 'jsonPointers' | 'jq'>,
  owned: JsonObject = {},
): KubeObject {
  let out: unknown = desired;
  for (const pointer of rules.jsonPointers) out = copyAt(out, live, pointerSteps(pointer));
  for (const program of rules.jq) out = copyPaths(out, live, program);
  return copyOwned(out, live, owned) as KubeObject;
}

function copyAt(value: unknown, live: KubeObject, steps: readonly string[]): unknown {
  if (steps.length === 0 || steps[0] === 'status') return value;
  const found = read(live, steps);
  return found === undefined ? edit(value, steps, undefined) : put(value, steps, found);
}

/** Like `edit`, making the objects on the way. */
function put(value: unknown, steps: readonly string[], found: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return found;
  if (Array.isArray(value)) return edit(value, steps, found);
  const object: JsonObject = isObject(value) ? value : {};
  return { ...object, [step]: put(object[step], rest, found) };
}

const pathPrograms = new Map<string, JqProgram>();
const maxPrograms = 2000;

function pathsOf(program: JqProgram, value: unknown): (string | number)[][] {
  // The deletion's own expression, asked for paths instead.
  const text = program.text.replace(/^del\(/, 'path(');
  let paths = pathPrograms.get(text);
  if (!paths) {
    if (pathPrograms.size >= maxPrograms) pathPrograms.clear();
    paths = compileJq(text);
    pathPrograms.set(text, paths);
  }
  try {
    const found = runJq(paths, cloneJson(value) as never);
    return found.filter(isPath);
  } catch (error) {
    // It does not fit the object: nothing is ignored by it.
    if (error instanceof JqError) return [];
    throw error;
  }
}

function isPath(path: unknown): path is (string | number)[] {
  return Array.isArray(path) && path.every((step) => typeof step === 'string' || typeof step === 'number');
}

/**
 * The paths are asked of both forms: an ignored field that is only desired goes, one that is only live is set. Items of lists
 * that carry names are found by them, since their places differ.
 */
function copyPaths(value: unknown, live: KubeObject, program: JqProgram): unknown {
  let out = value;
  // From the last to the first, so that an item that goes does not move those still to come.
  for (const path of pathsOf(program, value).toReversed()) {
    if (path[0] === 'status' || path.length === 0) continue;
    const found = readNamed(value, live, path);
    out = edit(out, path.map(String), found);
  }
  for (const path of pathsOf(program, live)) {
    if (path[0] === 'status' || path.length === 0) continue;
    const there = readNamed(live, out, path);
    const wanted = read(live, path.map(String));
    if (there === undefined && wanted !== undefined) out = putNamed(out, live, path, wanted);
  }
  return out;
}

const names = ['name', 'key', 'containerPort', 'port', 'mountPath', 'type', 'host', 'topologyKey'];

/** The item of `list` that is the same as `item`, by the first of the usual keys that it has. */
function twin(item: unknown, list: unknown): number {
  if (!Array.isArray(list)) return -1;
  if (!isObject(item)) return list.findIndex((other) => jsonEqual(other, item));
  const key = names.find((name) => item[name] !== undefined);
  return key === undefined ? -1 : list.findIndex((other) => isObject(other) && jsonEqual(other[key], item[key]));
}

/** What stands in `other` where `path` leads in `value`. */
function readNamed(value: unknown, other: unknown, path: readonly (string | number)[]): unknown {
  let [at, there]: [unknown, unknown] = [value, other];
  for (const step of path) {
    if (typeof step === 'string') {
      at = isObject(at) ? at[step] : undefined;
      there = isObject(there) ? there[step] : undefined;
      continue;
    }
    const item: unknown = Array.isArray(at) ? at[step] : undefined;
    const index = twin(item, there);
    there = Array.isArray(there) ? there[index >= 0 ? index : isNamed(item) ? -1 : step] : undefined;
    at = item;
  }
  return there;
}

function isNamed(item: unknown): boolean {
  return isObject(item) && names.some((name) => item[name] !== undefined);
}

/** Sets in `value` what stands in `live` at the path; items that are not there are appended when they are what is copied. */
function putNamed(value: unknown, live: unknown, path: readonly (string | number)[], found: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return found;
  if (typeof step === 'string') {
    const object: JsonObject = isObject(value) ? value : {};
    const below = putNamed(object[step], isObject(live) ? live[step] : undefined, rest, found);
    return below === undefined ? object : { ...object, [step]: below };
  }
  const item: unknown = Array.isArray(live) ? live[step] : undefined;
  const list: unknown[] = Array.isArray(value) ? value : [];
  const index = twin(item, list);
  if (index >= 0) return list.with(index, putNamed(list[index], item, rest, found));
  return rest.length === 0 ? [...list, found] : value;
}

function copyOwned(value: unknown, live: unknown, owned: JsonObject): unknown {
  if (!isObject(value) || !isObject(live)) return value;
  let out: JsonObject = value;
  for (const [key, below] of Object.entries(owned)) {
    if (!key.startsWith('f:')) continue;
    const name = key.slice(2);
    if (name === 'status' || live[name] === undefined) continue;
    const deeper = isObject(below) && Object.keys(below).some((k) => k !== '.');
    if (!deeper) out = out[name] === undefined ? out : { ...out, [name]: live[name] };
    else if (out[name] !== undefined) out = { ...out, [name]: copyInto(out[name], live[name], below) };
  }
  return out;
}

function copyInto(value: unknown, live: unknown, owned: unknown): unknown {
  if (!isObject(owned)) return value;
  if (!Array.isArray(value) || !Array.isArray(live)) return copyOwned(value, live, owned);
  return value.map((item: unknown) => {
    const index = twin(item, live);
    const [, below] = Object.entries(owned).find(([key]) => keyFits(key, item)) ?? [];
    return index >= 0 && below !== undefined ? copyOwned(item, live[index], isObject(below) ? below : {}) : item;
  });
}

function keyFits(key: string, item: unknown): boolean {
  if (!key.startsWith('k:') || !isObject(item)) return false;
  const wanted: unknown = JSON.parse(key.slice(2));
  return isObject(wanted) && Object.entries(wanted).every(([name, part]) => jsonEqual(item[name], part));
}
