import type { Json } from '#base/json.ts';
import { arraySlice, sliceBounds, textSlice } from './slices.ts';
import { compare, isJqObject, JqError, member, shown } from './value.ts';

const maxIndex = 536_870_911;

/** `.[key]` of a value; what is missing is null. */
export function indexOf(value: Json, key: Json): Json {
  if (isJqObject(key)) {
    if (!('start' in key) && !('end' in key))
      throw new JqError(`expected "start" or "end" for slicing but got: ${shown(key)}`);
    return slice(value, key['start'] ?? null, key['end'] ?? null);
  }
  if (value === null) {
    if (typeof key === 'string' || typeof key === 'number' || Array.isArray(key)) return null;
    throw new JqError(`expected a string for object key but got: ${shown(key)}`);
  }
  if (Array.isArray(value)) {
    if (Array.isArray(key)) return positionsOf(value, key);
    if (typeof key !== 'number') throw new JqError(`expected a number for indexing an array but got: ${shown(key)}`);
    const at = Math.trunc(key);
    return value[at < 0 ? at + value.length : at] ?? null;
  }
  if (isJqObject(value)) {
    if (typeof key === 'string') return member(value, key);
    if (typeof key === 'number') throw new JqError(`expected an array but got: ${shown(value)}`);
    throw new JqError(`expected a string for object key but got: ${shown(key)}`);
  }
  if (typeof value === 'string' && typeof key === 'number') return Array.from(value).at(Math.trunc(key)) ?? null;
  if (typeof key === 'string') throw new JqError(`expected an object but got: ${shown(value)}`);
  throw new JqError(`expected an array but got: ${shown(value)}`);
}

/** Where an array stands in another one. */
export function positionsOf(list: readonly Json[], wanted: readonly Json[]): Json[] {
  const out: Json[] = [];
  if (wanted.length === 0) return out;
  for (let at = 0; at + wanted.length <= list.length; at += 1)
    if (wanted.every((item, offset) => compare(item, list[at + offset] ?? null) === 0)) out.push(at);
  return out;
}

export function slice(value: Json, from: Json, to: Json): Json {
  if (value === null) return null;
  for (const bound of [from, to])
    if (bound !== null && typeof bound !== 'number')
      throw new JqError(
        `expected a number for indexing ${Array.isArray(value) ? 'an array' : 'a string'} but got: ${shown(bound)}`,
      );
  if (Array.isArray(value)) return arraySlice(value, from, to);
  if (typeof value === 'string') return textSlice(value, from, to);
  throw new JqError(`expected an array but got: ${shown(value)}`);
}

/** Follows a path; past a null or a missing member everything is null. */
export function getPath(value: Json, path: readonly Json[]): Json {
  let at = value;
  for (const step of path) {
    if (at === null) return null;
    at = indexOf(at, step);
  }
  return at;
}

/** A copy in which what stands at the path is what `change` makes of it; containers that are missing are made. */
export function updatePath(value: Json, path: readonly Json[], change: (old: Json) => Json): Json {
  const [step, ...rest] = path;
  if (step === undefined) return change(value);
  if (typeof step === 'string') {
    if (value !== null && !isJqObject(value)) throw new JqError(`expected an object but got: ${shown(value)}`);
    const old = value === null ? null : member(value, step);
    return { ...value, [step]: updatePath(old, rest, change) };
  }
  if (typeof step === 'number') return updateItem(value, step, rest, change);
  if (!isJqObject(step)) throw new JqError(`expected a string for object key but got: ${shown(step)}`);
  if (value !== null && !Array.isArray(value)) throw new JqError(`expected an array but got: ${shown(value)}`);
  const list = value ?? [];
  const [from, to] = sliceBounds(list.length, step['start'] ?? null, step['end'] ?? null);
  const put = updatePath(value === null ? null : list.slice(from, to), rest, change);
  if (!Array.isArray(put)) throw new JqError(`expected an array but got: ${shown(put)}`);
  return [...list.slice(0, from), ...put, ...list.slice(to)];
}

function updateItem(value: Json, step: number, rest: readonly Json[], change: (old: Json) => Json): Json {
  if (value !== null && !Array.isArray(value)) throw new JqError(`expected an array but got: ${shown(value)}`);
  const list = value ?? [];
  const whole = Math.trunc(step);
  const at = whole < 0 ? whole + list.length : whole;
  if (at < 0) throw new JqError(`array index should not be negative: ${step}`);
  if (at > maxIndex || at > list.length + 1_000_000) throw new JqError(`array index too large: ${step}`);
  const put = updatePath(list[at] ?? null, rest, change);
  const out = list.slice();
  while (out.length < at) out.push(null);
  out[at] = put;
  return out;
}

/** Stands for what a deletion took away, until all of them are made: the other indices must stay as they are. */
const gone = Symbol('gone');
type Holed = Json | typeof gone | Holed[] | { [key: string]: Holed };

/** A copy without what the paths name; a missing one is fine. All paths are of the value as it was. */
export function deletePaths(value: Json, paths: readonly Json[]): Json {
  if (paths.some((path) => Array.isArray(path) && path.length === 0)) return null;
  let out: Holed = value;
  for (const path of paths) {
    if (!Array.isArray(path)) throw new JqError(`expected an array but got: ${shown(path)}`);
    out = punch(out, path);
  }
  return close(out);
}

function punch(value: Holed, path: readonly Json[]): Holed {
  const [step, ...rest] = path;
  if (step === undefined) return gone;
  if (value === null || value === gone) return value;
  if (Array.isArray(value)) return punchList(value, step, rest);
  if (typeof value !== 'object')
    throw new JqError(
      `expected ${typeof step === 'string' ? 'an object' : 'an array'} but got: ${shown(value as Json)}`,
    );
  if (typeof step !== 'string') throw new JqError(`expected a string for object key but got: ${shown(step)}`);
  if (!Object.hasOwn(value, step)) return value;
  return { ...value, [step]: punch(value[step] as Holed, rest) };
}

function punchList(list: Holed[], step: Json, rest: readonly Json[]): Holed {
  if (typeof step === 'number') {
    const whole = Math.trunc(step);
    const at = whole < 0 ? whole + list.length : whole;
    return at < 0 || at >= list.length ? list : list.with(at, punch(list[at] as Holed, rest));
  }
  if (!isJqObject(step)) throw new JqError(`expected a number for indexing an array but got: ${shown(step)}`);
  const [from, to] = sliceBounds(list.length, step['start'] ?? null, step['end'] ?? null);
  const part = rest.length === 0 ? list.slice(from, to).map((): Holed => gone) : punch(list.slice(from, to), rest);
  return Array.isArray(part) ? [...list.slice(0, from), ...part, ...list.slice(to)] : list;
}

function close(value: Holed): Json {
  if (Array.isArray(value)) return value.filter((item) => item !== gone).map(close);
  if (value === null || typeof value !== 'object') return typeof value === 'symbol' ? null : value;
  const kept = Object.entries(value).filter(([, below]) => below !== gone);
  return Object.fromEntries(kept.map(([key, below]) => [key, close(below)]));
}
