import { isObject } from '#base/json.ts';
import type { SchemaNode } from '../schema-node.ts';

export type Shape = 'scalar' | 'map' | 'list';

/** How a value is treated under a schema node; what the schema leaves open follows the value. */
export function shapeOf(node: SchemaNode, value: unknown): Shape {
  switch (node.kind) {
    case 'scalar':
      return 'scalar';
    case 'list':
      return 'list';
    case 'any':
      return Array.isArray(value) ? 'list' : isObject(value) ? 'map' : 'scalar';
    default:
      return 'map';
  }
}

/** Owned and replaced as a whole. */
export function isAtomic(node: SchemaNode, shape: Shape): boolean {
  if (shape === 'scalar') return true;
  switch (node.kind) {
    case 'struct':
    case 'map':
      return node.atomic;
    case 'list':
      return node.listType === 'atomic';
    default:
      return shape === 'list' || node.kind !== 'any' || !node.deduced;
  }
}
