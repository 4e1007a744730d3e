import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import { goValue } from '../go-format.ts';
import type { ListNode, ScalarNode, SchemaNode } from '../schema-node.ts';
import { elementOf } from '../schema-node.ts';
import type { FieldSet } from './field-set.ts';
import { childOf, emptySet } from './field-set.ts';
import { itemStep, printElement } from './path-element.ts';
import { isAtomic, shapeOf } from './shape.ts';

/** What is wrong with an applied object under its schema, as structured merge says it; empty when it fits. */
export function checkTyped(node: SchemaNode, value: unknown): string[] {
  const errors: string[] = [];
  check(node, value, { above: undefined, step: '', errors });
  return errors;
}

/** The path is written only when there is something to report. */
interface Check {
  above: Check | undefined;
  /** Of fieldsV1. */
  step: string;
  errors: string[];
}

function pathOf({ above, step }: Check): string {
  return above ? pathOf(above) + printElement(step) : '';
}

function check(node: SchemaNode, value: unknown, at: Check): void {
  if (value === null || value === undefined) return;
  const shape = shapeOf(node, value);
  if (shape === 'scalar') checkScalar(node, value, at);
  else if (shape === 'map') checkMap(node, value, at);
  else checkList(node, value, at);
}

function report(at: Check, message: string): void {
  const path = pathOf(at);
  at.errors.push(path === '' ? message : `${path}: ${message}`);
}

function checkScalar(node: SchemaNode, value: unknown, at: Check): void {
  if (node.kind !== 'scalar') return;
  const type = scalarKind(node);
  if (type === 'any' && !isObject(value) && !Array.isArray(value)) return;
  if (typeof value === type) return;
  if (type === 'number') report(at, `expected numeric (int or float), got ${goKind(value)}`);
  else if (type === 'string') report(at, `expected string, got &value.valueUnstructured{Value:${goLiteral(value)}}`);
  else if (type === 'boolean') report(at, `expected boolean, got &{${goValue(value)}}`);
  else report(at, `expected any scalar, got &{${goValue(value)}}`);
}

function scalarKind(node: ScalarNode): 'string' | 'number' | 'boolean' | 'any' {
  switch (node.scalar) {
    case 'string':
    case 'bytes':
    case 'Duration':
      return 'string';
    case 'bool':
      return 'boolean';
    case 'int32':
    case 'int64':
    case 'float64':
      return 'number';
    default:
      return 'any';
  }
}

function goKind(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (isObject(value)) return 'map[string]interface {}';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}

function goLiteral(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : goValue(value);
}

function checkMap(node: SchemaNode, value: unknown, at: Check): void {
  if (!isObject(value)) {
    report(at, `expected map, got &{${goValue(value)}}`);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    const below = { above: at, step: `f:${key}`, errors: at.errors };
    const element = elementOf(node, key);
    if (element === undefined) report(below, 'field not declared in schema');
    else check(element, item, below);
  }
}

function checkList(node: SchemaNode, value: unknown, at: Check): void {
  if (!Array.isArray(value)) {
    report(at, `expected list, got &{${goValue(value)}}`);
    return;
  }
  const element = node.kind === 'list' ? node.element : node;
  const seen = new Set<string>();
  for (const [index, item] of value.entries()) {
    let step = `i:${index}`;
    if (node.kind === 'list' && node.listType !== 'atomic') {
      try {
        step = itemStep(node, item);
      } catch (error) {
        report(at, `element ${index}: ${error instanceof Error ? error.message : error}`);
        return;
      }
      if (seen.has(step)) report(at, `duplicate entries for key ${printElement(step)}`);
      seen.add(step);
    }
    check(element, item, { above: at, step, errors: at.errors });
  }
}

/** The fields that a value sets: leaves, list items, and empty or null members. */
export function fieldsOf(node: SchemaNode, value: unknown): FieldSet {
  const set = emptySet();
  collect(node, value, set);
  set.member = false;
  return set;
}

function collect(node: SchemaNode, value: unknown, set: FieldSet): void {
  const shape = shapeOf(node, value);
  if (isAtomic(node, shape)) {
    set.member = true;
    return;
  }
  if (shape === 'map') {
    if (isObject(value)) collectMembers(node, value, set);
  } else if (Array.isArray(value) && node.kind === 'list') collectItems(node, value, set);
}

/** Items that share their key count as one, without what is in them. */
function collectItems(node: ListNode, list: unknown[], set: FieldSet): void {
  const duplicates = new Set<string>();
  for (const item of list) {
    if (item === null) continue;
    const step = itemStep(node, item);
    if (set.children.has(step)) duplicates.add(step);
    const child = childOf(set, step);
    collect(node.element, item, child);
    child.member = true;
  }
  for (const step of duplicates) childOf(set, step).children.clear();
}

function collectMembers(node: SchemaNode, value: JsonObject, set: FieldSet): void {
  const named = node.kind === 'struct' ? node.type.byName : undefined;
  for (const [key, item] of Object.entries(value)) {
    const element = elementOf(node, key);
    if (element === undefined || item === undefined) continue;
    const step = `f:${key}`;
    const child = emptySet();
    collect(element, item, child);
    if (item === null || (isObject(item) && isEmptyObject(item)) || named?.has(key) !== true) child.member = true;
    // An empty list sets nothing: a node without members would count as one of its parents.
    if (child.member || child.children.size > 0) set.children.set(step, child);
  }
}

function isEmptyObject(value: JsonObject): boolean {
  for (const _ in value) return false;
  return true;
}
