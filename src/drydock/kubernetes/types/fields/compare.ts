import { isObject, jsonEqual } from '#base/json.ts';
import type { ListNode, SchemaNode } from '../schema-node.ts';
import { elementOf } from '../schema-node.ts';
import type { FieldSet } from './field-set.ts';
import { emptySet, insertPath } from './field-set.ts';
import { itemStep } from './path-element.ts';
import { isAtomic, shapeOf } from './shape.ts';

/** No path is in more than one of the three. */
export interface Comparison {
  added: FieldSet;
  modified: FieldSet;
  removed: FieldSet;
}

/** What `right` changes of `left`; undefined is absent, null is a value. Lists of items with the same key are compared as one. */
export function compareTyped(node: SchemaNode, left: unknown, right: unknown): Comparison {
  const result: Comparison = { added: emptySet(), modified: emptySet(), removed: emptySet() };
  compareMembers(node, { left, right, path: [], result });
  return result;
}

interface Compare {
  left: unknown;
  right: unknown;
  path: string[];
  result: Comparison;
}

function compare(node: SchemaNode, at: Compare): void {
  if (at.left === at.right) return;
  const { left, right, path, result } = at;
  const both = left !== undefined && left !== null && right !== undefined && right !== null;
  if (both && shapeOf(node, left) !== shapeOf(node, right)) {
    insertPath(result.modified, path);
    if (isObject(left)) compareMembers(node, { ...at, right: undefined });
    if (isObject(right)) compareMembers(node, { ...at, left: undefined });
    return;
  }
  compareAs(node, at);
}

function compareAs(node: SchemaNode, at: Compare): void {
  const { left, right, path, result } = at;
  const shape = shapeOf(node, right ?? left);
  if (isAtomic(node, shape) || (isBare(left) && isBare(right))) {
    if (left === undefined) insertPath(result.added, path);
    else if (right === undefined) insertPath(result.removed, path);
    else if (!jsonEqual(left, right)) insertPath(result.modified, path);
    return;
  }
  if (shape === 'map') compareMembers(node, at);
  else if (node.kind === 'list') compareItems(node, at);
  if (left === undefined) insertPath(result.added, path);
  else if (right === undefined) insertPath(result.removed, path);
}

/** Absent, null or empty. */
function isBare(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (!isObject(value)) return true;
  for (const _ in value) return false;
  return true;
}

function compareMembers(node: SchemaNode, { left, right, path, result }: Compare): void {
  const mine = isObject(left) ? left : {};
  const theirs = isObject(right) ? right : {};
  for (const key in mine) {
    if (mine[key] === undefined || mine[key] === theirs[key]) continue;
    descend(node, key, { left: mine[key], right: theirs[key], path, result });
  }
  for (const key in theirs) {
    if (mine[key] !== undefined || theirs[key] === undefined) continue;
    descend(node, key, { left: undefined, right: theirs[key], path, result });
  }
}

function descend(node: SchemaNode, key: string, at: Compare): void {
  const element = elementOf(node, key);
  if (element === undefined) return;
  at.path.push(`f:${key}`);
  compare(element, at);
  at.path.pop();
}

function compareItems(node: ListNode, { left, right, path, result }: Compare): void {
  const mine = itemsByStep(node, left);
  const theirs = itemsByStep(node, right);
  for (const step of new Set([...mine.keys(), ...theirs.keys()])) {
    const ours = mine.get(step) ?? [];
    const others = theirs.get(step) ?? [];
    path.push(step);
    if (ours.length <= 1 && others.length <= 1) {
      compare(node.element, { left: ours[0], right: others[0], path, result });
    } else if (ours.length >= 2 && others.length >= 2) {
      if (!jsonEqual(ours, others)) insertPath(result.modified, path);
    } else if (ours.length >= 2) {
      if (others.length > 0) compare(node.element, { left: undefined, right: others[0], path, result });
      insertPath(result.removed, path);
    } else {
      if (ours.length > 0) compare(node.element, { left: ours[0], right: undefined, path, result });
      insertPath(result.added, path);
    }
    path.pop();
  }
}

function itemsByStep(node: ListNode, list: unknown): Map<string, unknown[]> {
  const out = new Map<string, unknown[]>();
  if (!Array.isArray(list)) return out;
  for (const item of list) {
    const step = itemStep(node, item);
    const known = out.get(step);
    if (known === undefined) out.set(step, [item]);
    else known.push(item);
  }
  return out;
}
