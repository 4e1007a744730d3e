import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { SchemaNode } from '../schema-node.ts';
import { elementOf } from '../schema-node.ts';
import type { FieldSet } from './field-set.ts';
import { itemStep } from './path-element.ts';
import { isAtomic, shapeOf } from './shape.ts';

/** The value without the members of `set`. What becomes empty by that turns null and is dropped by decoding. */
export function removeFields(node: SchemaNode, value: unknown, set: FieldSet): unknown {
  const shape = shapeOf(node, value);
  if (shape === 'scalar') return value;
  if (shape === 'map') return isObject(value) ? removeMembers(node, value, set) : null;
  return Array.isArray(value) ? removeItems(node, value, set) : null;
}

function removeMembers(node: SchemaNode, value: JsonObject, set: FieldSet): JsonObject | null {
  if (isAtomic(node, 'map')) return null;
  const out: JsonObject = {};
  let size = 0;
  for (const [key, item] of Object.entries(value)) {
    const child = set.children.get(`f:${key}`);
    if (child?.member) continue;
    const element = elementOf(node, key);
    const descend = child !== undefined && child.children.size > 0 && element !== undefined;
    out[key] = descend ? removeFields(element, item, child) : item;
    size += 1;
  }
  return size === 0 ? null : out;
}

function removeItems(node: SchemaNode, value: unknown[], set: FieldSet): unknown[] | null {
  if (isAtomic(node, 'list') || node.kind !== 'list') return null;
  const out: unknown[] = [];
  for (const item of value) {
    const child = set.children.get(itemStep(node, item));
    if (child?.member) continue;
    const descend = child !== undefined && child.children.size > 0;
    out.push(descend ? removeFields(node.element, item, child) : item);
  }
  return out.length === 0 ? null : out;
}
