import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { SchemaNode } from '../schema-node.ts';
import { elementOf } from '../schema-node.ts';
import { printElement } from './path-element.ts';

/**
 * A set of paths into an object, as a tree. Steps are written as in fieldsV1 (`f:spec`, `k:{"name":"c"}`, `v:"x"`).
 * The root itself is never a member. Sets are not changed once others may hold them.
 */
export interface FieldSet {
  member: boolean;
  children: Map<string, FieldSet>;
}

export function emptySet(): FieldSet {
  return { member: false, children: new Map() };
}

export function isEmptySet(set: FieldSet): boolean {
  if (set.member) return false;
  for (const child of set.children.values()) if (!isEmptySet(child)) return false;
  return true;
}

/** Adds in place. */
export function insertPath(set: FieldSet, path: readonly string[]): void {
  let at = set;
  for (const step of path) at = childOf(at, step);
  at.member = true;
}

/** The child at a step, made when missing; in place. */
export function childOf(set: FieldSet, step: string): FieldSet {
  let child = set.children.get(step);
  if (child === undefined) {
    child = emptySet();
    set.children.set(step, child);
  }
  return child;
}

export function unite(a: FieldSet, b: FieldSet): FieldSet {
  if (b.children.size === 0 && !b.member) return a;
  const children = new Map(a.children);
  for (const [step, child] of b.children) {
    const mine = children.get(step);
    children.set(step, mine === undefined ? child : unite(mine, child));
  }
  return { member: a.member || b.member, children };
}

/** Members of `a` that are not members of `b`; what lies below a member of `b` stays. */
export function subtract(a: FieldSet, b: FieldSet): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const [step, child] of a.children) {
    const other = b.children.get(step);
    const rest = other === undefined ? child : subtract(child, other);
    if (!isEmptySet(rest)) children.set(step, rest);
  }
  return { member: a.member && !b.member, children };
}

export function intersect(a: FieldSet, b: FieldSet): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const [step, child] of a.children) {
    const other = b.children.get(step);
    if (other === undefined) continue;
    const both = intersect(child, other);
    if (!isEmptySet(both)) children.set(step, both);
  }
  return { member: a.member && b.member, children };
}

/** Without whole branches; `paths` are steps from the root. */
export function withoutBranches(set: FieldSet, paths: readonly (readonly string[])[]): FieldSet {
  let out = set;
  for (const path of paths) out = withoutBranch(out, path);
  return out;
}

function withoutBranch(set: FieldSet, [step, ...rest]: readonly string[]): FieldSet {
  const child = step === undefined ? undefined : set.children.get(step);
  if (step === undefined || child === undefined) return set;
  const children = new Map(set.children);
  const kept = rest.length === 0 ? undefined : withoutBranch(child, rest);
  if (kept === undefined || isEmptySet(kept)) children.delete(step);
  else children.set(step, kept);
  return { member: set.member, children };
}

/** Makes parents that are fields named in the schema members too: then removing a leaf can be told from removing them. */
export function withNamedParents(set: FieldSet, node: SchemaNode | undefined): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const [step, child] of set.children) {
    const name = step.startsWith('f:') ? step.slice(2) : undefined;
    const inner = nodeBelow(node, name);
    const named = name !== undefined && node?.kind === 'struct' && node.type.byName.has(name);
    const below = child.children.size === 0 ? child : withNamedParents(child, inner);
    children.set(step, named && !below.member ? { member: true, children: below.children } : below);
  }
  return { member: set.member, children };
}

function nodeBelow(node: SchemaNode | undefined, name: string | undefined): SchemaNode | undefined {
  if (node === undefined) return undefined;
  if (name !== undefined) return elementOf(node, name);
  return node.kind === 'list' ? node.element : undefined;
}

/** Every member as `.spec.containers[name="c"].image`, in order: those of a level before what lies deeper. */
export function memberPaths(set: FieldSet): string[] {
  const out: string[] = [];
  collect(set, '', out);
  return out;
}

function collect(set: FieldSet, path: string, out: string[]): void {
  const steps = [...set.children].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [step, child] of steps) if (child.member) out.push(path + printElement(step));
  for (const [step, child] of steps) if (child.children.size > 0) collect(child, path + printElement(step), out);
}

export function setFromJson(fields: unknown): FieldSet {
  const set = emptySet();
  if (!isObject(fields)) return set;
  for (const [step, value] of Object.entries(fields)) {
    if (step === '.') set.member = true;
    else {
      const child = setFromJson(value);
      if (child.children.size === 0) child.member = true;
      set.children.set(step, child);
    }
  }
  return set;
}

/** fieldsV1, with steps in order. */
export function setToJson(set: FieldSet): JsonObject {
  const out: JsonObject = {};
  if (set.member && set.children.size > 0) out['.'] = {};
  for (const step of [...set.children.keys()].sort()) {
    const child = set.children.get(step);
    if (child !== undefined && !isEmptySet(child)) out[step] = setToJson(child);
  }
  return out;
}

export function sameSet(a: FieldSet, b: FieldSet): boolean {
  if (a.member !== b.member || a.children.size !== b.children.size) return false;
  for (const [step, child] of a.children) {
    const other = b.children.get(step);
    if (other === undefined || !sameSet(child, other)) return false;
  }
  return true;
}
