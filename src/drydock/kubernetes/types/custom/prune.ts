import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { SchemaNode } from '../schema-node.ts';
import { elementOf } from '../schema-node.ts';

/** A copy without members that the schema does not name; their paths go to `unknown`. Values are not checked. */
export function pruneUnknown(node: SchemaNode, value: unknown, found: { path: string; unknown: string[] }): unknown {
  if (Array.isArray(value)) {
    if (node.kind !== 'list') return value;
    return value.map((item: unknown, index) =>
      pruneUnknown(node.element, item, { path: `${found.path}[${index}]`, unknown: found.unknown }),
    );
  }
  if (!isObject(value) || (node.kind !== 'struct' && node.kind !== 'map')) return value;
  const out: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    const path = found.path === '' ? key : `${found.path}.${key}`;
    const element = elementOf(node, key);
    if (element === undefined) found.unknown.push(path);
    else out[key] = pruneUnknown(element, item, { path, unknown: found.unknown });
  }
  return out;
}
