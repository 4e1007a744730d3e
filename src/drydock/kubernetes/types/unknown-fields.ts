import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { SchemaNode, StructType } from './schema-node.ts';

/** Paths of members that no field names, in the document's order: `spec.template.spec.containers[0].imag`. */
export function unknownFields(type: StructType, raw: JsonObject): string[] {
  const found: string[] = [];
  visitStruct(type, raw, { path: '', found });
  return found;
}

interface Visit {
  path: string;
  found: string[];
}

function visitStruct(type: StructType, raw: JsonObject, { path, found }: Visit): void {
  for (const [key, value] of Object.entries(raw)) {
    const at = path === '' ? key : `${path}.${key}`;
    const node = type.byName.get(key)?.node ?? type.rest;
    if (node === undefined) found.push(at);
    else visitNode(node, value, { path: at, found });
  }
}

function visitNode(node: SchemaNode, value: unknown, { path, found }: Visit): void {
  if (node.kind === 'struct' && isObject(value)) visitStruct(node.type, value, { path, found });
  else if (node.kind === 'list' && Array.isArray(value)) {
    for (const [index, item] of value.entries()) visitNode(node.element, item, { path: `${path}[${index}]`, found });
  } else if (node.kind === 'map' && isObject(value)) {
    for (const [key, item] of Object.entries(value)) visitNode(node.element, item, { path: `${path}.${key}`, found });
  }
}
