import { isObject, type JsonObject, jsonEqual } from '#base/json.ts';
import type { Shape } from './type-knowledge.ts';

/**
 * What client-side apply makes of `live`: what `original` had and `desired` does not goes, what `desired` says is set, the
 * rest stays. Items of lists are matched by their merge keys where the shape knows them.
 */
export function threeWayMerge(forms: Forms, shape: Shape | undefined): JsonObject {
  return mergeObjects(forms, shape);
}

export interface Forms {
  original: JsonObject;
  desired: JsonObject;
  live: JsonObject;
}

const none: JsonObject = {};

function asObject(value: unknown): JsonObject {
  return isObject(value) ? value : none;
}

function mergeObjects({ original, desired, live }: Forms, shape: Shape | undefined): JsonObject {
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(live)) {
    const dropped = original[key] !== undefined && desired[key] === undefined;
    if (!dropped && desired[key] !== null) out[key] = value;
  }
  for (const [key, wanted] of Object.entries(desired)) {
    if (wanted === null || wanted === undefined) continue;
    const merged = mergeValue({ original: original[key], desired: wanted, live: live[key] }, shape?.member(key));
    if (merged !== undefined) out[key] = merged;
  }
  return out;
}

interface Values {
  original: unknown;
  desired: unknown;
  live: unknown;
}

function mergeValue(values: Values, shape: Shape | undefined): unknown {
  const { original, desired, live } = values;
  if (isObject(desired) && isObject(live)) {
    if (shape?.strategy === 'replace') return desired;
    const merged = mergeObjects({ original: asObject(original), desired, live }, shape);
    // Members of another choice, like the parameters of the strategy before this one.
    return shape?.retainKeys ? onlyMembers(merged, desired) : merged;
  }
  if (Array.isArray(desired) && Array.isArray(live)) {
    const lists = { original: Array.isArray(original) ? original : [], desired, live };
    if (shape?.strategy !== 'merge') return desired;
    return desired.length > 0 && !isObject(desired[0]) ? mergeScalars(lists) : mergeItems(lists, shape);
  }
  return withoutNulls(desired);
}

function onlyMembers(value: JsonObject, of: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([key]) => of[key] !== undefined && of[key] !== null));
}

/** What is new is set without the members that are only asked to be absent. */
function withoutNulls(value: unknown): unknown {
  if (!isObject(value)) return value;
  const out: JsonObject = {};
  for (const [key, below] of Object.entries(value)) if (below !== null) out[key] = withoutNulls(below);
  return out;
}

interface Lists {
  original: unknown[];
  desired: unknown[];
  live: unknown[];
}

function mergeScalars({ original, desired, live }: Lists): unknown[] {
  const kept = live.filter((item) => !original.includes(item) || desired.includes(item));
  return ordered([...new Set([...kept, ...desired])], { desired, live, same: (a, b) => a === b });
}

function mergeItems(lists: Lists, shape: Shape): unknown[] {
  const { mergeKey } = shape;
  if (mergeKey === undefined) return lists.desired;
  const keyOf = (item: unknown): unknown => (isObject(item) ? item[mergeKey] : undefined);
  const same = (a: unknown, b: unknown): boolean => jsonEqual(keyOf(a), keyOf(b));
  const { original, desired, live } = lists;
  // Two items of one key can only be told apart by their places.
  if (hasTwins(desired, same)) return byPlace(lists, shape);
  const kept = live.filter((item) => !find(original, item, same) || find(desired, item, same));
  const merged = desired.map((item) =>
    mergeValue({ original: find(original, item, same), desired: item, live: find(live, item, same) }, shape.item),
  );
  const others = kept.filter((item) => !find(desired, item, same));
  return ordered([...merged, ...others], { desired, live, same });
}

function find(list: readonly unknown[], item: unknown, same: (a: unknown, b: unknown) => boolean): unknown {
  return list.find((each) => same(each, item));
}

function hasTwins(list: readonly unknown[], same: (a: unknown, b: unknown) => boolean): boolean {
  return list.some((item, at) => list.slice(at + 1).some((other) => same(item, other)));
}

function byPlace({ original, desired, live }: Lists, shape: Shape): unknown[] {
  if (desired.length !== live.length) return desired;
  return desired.map((item, at) => mergeValue({ original: original[at], desired: item, live: live[at] }, shape.item));
}

interface Order {
  desired: readonly unknown[];
  live: readonly unknown[];
  same: (a: unknown, b: unknown) => boolean;
}

/** Desired items in their order; the others keep their places among them as they were live. */
function ordered(items: readonly unknown[], { desired, live, same }: Order): unknown[] {
  const place = (list: readonly unknown[], item: unknown) => list.findIndex((each) => same(each, item));
  const wanted = items.filter((item) => place(desired, item) >= 0);
  wanted.sort((a, b) => place(desired, a) - place(desired, b));
  const others = items.filter((item) => place(desired, item) < 0);
  const out: unknown[] = [];
  for (const item of others) {
    const at = place(live, item);
    while (wanted.length > 0) {
      const next = place(live, wanted[0]);
      if (next < 0 || next > at) break;
      out.push(wanted.shift());
    }
    out.push(item);
  }
  return [...out, ...wanted];
}

/** The part of `live` that `config` has members for; lists are compared place by place, and keep what they have more. */
export function onlyFieldsOf(config: JsonObject, live: JsonObject): JsonObject {
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(config)) {
    const found = live[key];
    if (found === undefined) continue;
    out[key] = found === null ? null : onlyValueOf(value, found);
  }
  return out;
}

function onlyValueOf(config: unknown, live: unknown): unknown {
  if (isObject(config) && isObject(live)) return onlyFieldsOf(config, live);
  if (Array.isArray(config) && Array.isArray(live))
    return live.map((item, at) => (at < config.length ? onlyValueOf(config[at], item) : item));
  return live;
}

/**
 * Client-side apply of a kind that nothing is known of: lists are wholes. One that is live as desired, but for members that
 * the original did not have, stays.
 */
export function jsonThreeWayMerge({ original, desired, live }: Forms): JsonObject {
  const known = onlyFieldsOf(original, live);
  return mergeUnknown({ original, desired, live }, known);
}

function mergeUnknown({ original, desired, live }: Forms, known: JsonObject): JsonObject {
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(live)) {
    const dropped = original[key] !== undefined && desired[key] === undefined;
    if (!dropped && desired[key] !== null) out[key] = value;
  }
  for (const [key, wanted] of Object.entries(desired)) {
    if (wanted === null || wanted === undefined) continue;
    const [was, is, seen] = [original[key], live[key], known[key]];
    if (isObject(wanted) && isObject(is))
      out[key] = mergeUnknown({ original: asObject(was), desired: wanted, live: is }, asObject(seen));
    else out[key] = is !== undefined && jsonEqual(wanted, seen) ? is : withoutNulls(wanted);
  }
  return out;
}
