import type { JsonObject } from '#base/json.ts';
import { isObject, jsonEqual } from '#base/json.ts';
import { ApiError } from '../api/port.ts';
import { goValue } from './go-format.ts';
import type { SchemaNode } from './schema-node.ts';
import { orderByList } from './strategic-order.ts';

const patchDirective = '$patch';
const retainKeysDirective = '$retainKeys';
const deletePrefix = '$deleteFromPrimitiveList/';
const orderPrefix = '$setElementOrder/';

/**
 * A strategic merge patch with all its directives, on merge keys of the Go types. Live and patch stay as they are.
 * Refusals carry the real server's texts: 400 for malformed directives, 500 for lists that cannot be merged.
 */
export function strategicMerge(node: SchemaNode, live: JsonObject, patch: JsonObject): JsonObject {
  return mergeMap(node, live, patch);
}

function badFormat(what: string): ApiError {
  return new ApiError(400, 'BadRequest', `invalid patch format of ${what}`);
}

function internal(message: string): ApiError {
  return new ApiError(500, '', message);
}

function mergeMap(node: SchemaNode | undefined, live: JsonObject, patch: JsonObject): JsonObject {
  if (Object.hasOwn(patch, patchDirective)) return mapDirective(patch);
  const out = retainKeys(live, patch);
  const rest = { ...patch };
  delete rest[retainKeysDirective];
  for (const key of Object.keys(patch)) if (key.startsWith(orderPrefix)) orderedList(node, { out, rest, key });
  for (const [key, value] of Object.entries(rest)) {
    if (key.startsWith(deletePrefix)) deletePrimitives(out, key.slice(deletePrefix.length), value);
    else mergeMember(fieldOf(node, key), { out, key, value });
  }
  return out;
}

function mapDirective(patch: JsonObject): JsonObject {
  const directive = patch[patchDirective];
  if (directive === 'replace') {
    const { [patchDirective]: _, ...rest } = patch;
    return rest;
  }
  if (directive === 'delete') return {};
  throw internal(`unknown patch type: ${String(directive)} in map: ${goValue(patch)}`);
}

function retainKeys(live: JsonObject, patch: JsonObject): JsonObject {
  if (!Object.hasOwn(patch, retainKeysDirective)) return { ...live };
  const list = patch[retainKeysDirective];
  if (!Array.isArray(list)) throw badFormat('retainKeys');
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || key.startsWith('$')) continue;
    if (!list.includes(key)) throw badFormat('retainKeys');
  }
  return Object.fromEntries(Object.entries(live).filter(([key]) => list.includes(key)));
}

interface ListPatch {
  out: JsonObject;
  /** What is still to be merged of the patch; the handled list is taken out. */
  rest: JsonObject;
  key: string;
}

function orderedList(node: SchemaNode | undefined, { out, rest, key }: ListPatch): void {
  const name = key.slice(orderPrefix.length);
  const order = rest[key];
  delete rest[key];
  if (!Array.isArray(order)) throw badFormat('setElementOrder list');
  const deletions = rest[deletePrefix + name];
  if (deletions !== undefined) {
    deletePrimitives(out, name, deletions);
    delete rest[deletePrefix + name];
  }
  const live = out[name];
  const patch = rest[name];
  if (patch === null || (!Array.isArray(live) && !Array.isArray(patch))) return;
  const field = fieldOf(node, name);
  const mergeKey = field?.patchMergeKey;
  if (Array.isArray(patch)) {
    if (live !== undefined && live !== null && !Array.isArray(live)) throw badFormat('setElementOrder list');
    checkOrder(patch, order, mergeKey);
  }
  const merged = Array.isArray(patch)
    ? mergeList(field, Array.isArray(live) ? live : [], patch)
    : Array.isArray(live)
      ? live
      : [];
  const liveOrder = Array.isArray(live) ? orderAfterDeletion(live, Array.isArray(patch) ? patch : [], mergeKey) : [];
  out[name] = orderByList(merged, order, { liveOrder, mergeKey });
  delete rest[name];
}

/**
 * Upstream quirk: deleting items shifts the live list under the one that gives the order, and new items fill its end,
 * so they come after what only the server has.
 */
function orderAfterDeletion(live: unknown[], patch: unknown[], mergeKey: string | undefined): unknown[] {
  if (mergeKey === undefined) return live;
  const key = (item: unknown): unknown => (isObject(item) ? item[mergeKey] : undefined);
  const isDeletion = (item: unknown): boolean => isObject(item) && item[patchDirective] === 'delete';
  const remaining = live.filter((item) => !patch.some((each) => isDeletion(each) && jsonEqual(key(each), key(item))));
  if (remaining.length === live.length) return live;
  const added = patch.filter((item) => !isDeletion(item) && !remaining.some((each) => jsonEqual(key(each), key(item))));
  return [...remaining, ...added].slice(0, live.length);
}

/** The patch's items must come in the order that the directive gives. */
function checkOrder(patch: unknown[], order: unknown[], mergeKey: string | undefined): void {
  const items = patch.filter((item) => !(isObject(item) && Object.hasOwn(item, patchDirective)));
  if (items.length === 0 || order.length === 0) return;
  let found = 0;
  for (const step of order) {
    if (found < items.length && sameKey(items[found], step, mergeKey)) found += 1;
  }
  if (found === items.length) return;
  const lists = `The order in patch list:\n${goValue(patch)}\n doesn't match $setElementOrder list:\n${goValue(order)}\n`;
  throw internal(lists);
}

function sameKey(a: unknown, b: unknown, mergeKey: string | undefined): boolean {
  if (mergeKey === undefined) return jsonEqual(a, b);
  if (!isObject(a) || !Object.hasOwn(a, mergeKey)) throw noMergeKey(a, mergeKey);
  if (!isObject(b) || !Object.hasOwn(b, mergeKey)) throw noMergeKey(b, mergeKey);
  return jsonEqual(a[mergeKey], b[mergeKey]);
}

function noMergeKey(item: unknown, mergeKey: string): ApiError {
  return internal(`map: ${goValue(item)} does not contain declared merge key: ${mergeKey}`);
}

function deletePrimitives(out: JsonObject, name: string, toDelete: unknown): void {
  if (!Array.isArray(toDelete)) throw badFormat('primitive list');
  const live = out[name];
  if (live === undefined || live === null) return;
  if (!Array.isArray(live)) throw badFormat('primitive list');
  out[name] = live.filter((item: unknown) => !toDelete.includes(item));
}

function mergeMember(
  field: MemberField | undefined,
  { out, key, value }: { out: JsonObject; key: string; value: unknown },
): void {
  if (value === null || value === undefined) {
    delete out[key];
    return;
  }
  const live = out[key];
  if (isObject(live) && isObject(value)) {
    out[key] = field?.strategy === 'replace' ? value : mergeMap(field?.node, live, value);
    return;
  }
  if (Array.isArray(live) && Array.isArray(value) && field?.strategy === 'merge') {
    out[key] = mergeList(field, live, value);
    return;
  }
  const clean = withoutDirectives(value, true);
  if (clean === undefined) delete out[key];
  else out[key] = clean;
}

interface MemberField {
  node: SchemaNode;
  /** Without retainKeys. */
  strategy: string | undefined;
  patchMergeKey: string | undefined;
}

function fieldOf(node: SchemaNode | undefined, name: string): MemberField | undefined {
  if (node?.kind === 'map') return { node: node.element, strategy: undefined, patchMergeKey: undefined };
  if (node?.kind !== 'struct') return undefined;
  const field = node.type.byName.get(name);
  if (field === undefined) return undefined;
  const strategy = field.patchStrategies.find((each) => each !== 'retainKeys');
  return { node: field.node, strategy, patchMergeKey: field.patchMergeKey };
}

/** Drops nulls and directives from a value that has no live counterpart; undefined when it is itself a directive. */
function withoutDirectives(value: unknown, dropNulls: boolean): unknown {
  if (Array.isArray(value)) {
    return value.map((item: unknown) => withoutDirectives(item, dropNulls)).filter((item) => item !== undefined);
  }
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, patchDirective)) return undefined;
  const out: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === retainKeysDirective || key.startsWith(orderPrefix) || key.startsWith(deletePrefix)) continue;
    if (item === null && dropNulls) continue;
    const clean = withoutDirectives(item, dropNulls);
    if (clean !== undefined) out[key] = clean;
  }
  return out;
}

function mergeList(field: MemberField | undefined, live: unknown[], patch: unknown[]): unknown[] {
  if (field?.strategy !== 'merge') return patch;
  if (live.length === 0 && patch.length === 0) return live;
  const sample = [...live, ...patch][0];
  if (Array.isArray(sample)) throw new ApiError(422, 'Invalid', 'lists of lists are not supported', {});
  if (!isObject(sample)) {
    const merged = [...new Set([...live, ...patch])];
    return orderByList(merged, patch, { liveOrder: live, mergeKey: undefined });
  }
  const { patchMergeKey: mergeKey, node } = field;
  const element = node.kind === 'list' ? node.element : undefined;
  if (mergeKey === undefined) {
    throw internal(`cannot merge lists without merge key for ${element?.kind === 'struct' ? element.type.goName : ''}`);
  }
  const base = specialItems(live, patch, mergeKey);
  if (base.replaced !== undefined) return base.replaced;
  const merged = [...base.live];
  for (const item of base.items) mergeItem(merged, item, { element, mergeKey });
  return orderByList(merged, base.items, { liveOrder: base.live, mergeKey });
}

function mergeItem(
  merged: unknown[],
  item: JsonObject,
  { element, mergeKey }: { element: SchemaNode | undefined; mergeKey: string },
): void {
  if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey);
  const at = findByKey(merged, mergeKey, item[mergeKey]);
  const live = merged[at];
  if (isObject(live)) merged[at] = mergeMap(element, live, item);
  // Upstream quirk: directives inside a new item stay, and then are unknown fields.
  else merged.push(item);
}

function findByKey(list: unknown[], mergeKey: string, value: unknown): number {
  return list.findIndex((item) => {
    if (!isObject(item) || !Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey);
    return jsonEqual(item[mergeKey], value);
  });
}

/** Items that are directives: `delete` by key, `replace` the whole list. */
function specialItems(
  live: unknown[],
  patch: unknown[],
  mergeKey: string,
): { live: unknown[]; items: JsonObject[]; replaced?: unknown[] } {
  let base = live;
  let replace = false;
  const items: JsonObject[] = [];
  for (const item of patch) {
    if (!isObject(item)) throw internal('expected a map[string]interface {}, but received a list of mixed values');
    const directive = item[patchDirective];
    if (directive === undefined) items.push(item);
    else if (directive === 'replace') replace = true;
    else if (directive === 'delete') {
      if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey);
      base = base.filter((each) => findByKey([each], mergeKey, item[mergeKey]) < 0);
    } else if (directive === 'merge') throw internal('merging lists cannot yet be specified in the patch');
    else throw internal(`unknown patch type: ${String(directive)} in map: ${goValue(item)}`);
  }
  return replace ? { live: base, items, replaced: items } : { live: base, items };
}
