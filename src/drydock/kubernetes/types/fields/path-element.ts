import { isObject } from '#base/json.ts';
import type { ListNode, SchemaNode } from '../schema-node.ts';

/** An item that its list cannot tell from others. */
export class KeyError extends Error {
  override name = 'KeyError';
}

/** The step of an item of a `set` or `map` list, as fieldsV1 writes it. Throws KeyError in the real server's words. */
export function itemStep(list: ListNode, item: unknown): string {
  if (list.listType === 'set') return `v:${JSON.stringify(setValue(item))}`;
  if (item === null) throw new KeyError('associative list with keys may not have null elements');
  if (!isObject(item)) throw new KeyError('associative list with keys may not have non-map elements');
  const keys: Record<string, unknown> = {};
  for (const key of sortedKeys(list)) {
    const value = item[key] === undefined ? keyDefault(list.element, key) : item[key];
    if (value === undefined) {
      const which = JSON.stringify(key);
      throw new KeyError(
        `associative list with keys has an element that omits key field ${which} (and doesn't have default value)`,
      );
    }
    keys[key] = value;
  }
  return `k:${JSON.stringify(keys)}`;
}

function setValue(item: unknown): unknown {
  if (isObject(item)) throw new KeyError("associative list without keys has an element that's a map type");
  if (Array.isArray(item)) throw new KeyError('not supported: associative list with lists as elements');
  if (item === null) throw new KeyError("associative list without keys has an element that's an explicit null");
  return item;
}

const sorted = new WeakMap<ListNode, readonly string[]>();

function sortedKeys(list: ListNode): readonly string[] {
  let keys = sorted.get(list);
  if (keys === undefined) {
    keys = [...list.keys].sort();
    sorted.set(list, keys);
  }
  return keys;
}

/** The declared default, or Go's zero value of a scalar that is always written. */
function keyDefault(element: SchemaNode, key: string): unknown {
  const field = element.kind === 'struct' ? element.type.byName.get(key) : undefined;
  if (field === undefined) return undefined;
  if (field.default !== undefined) return field.default;
  if (field.omitEmpty || field.pointer || field.node.kind !== 'scalar') return undefined;
  switch (field.node.scalar) {
    case 'string':
      return '';
    case 'int32':
    case 'int64':
      return 0;
    default:
      return undefined;
  }
}

/** A step for people: `.spec`, `[name="c"]`, `[="x"]`, `[0]`. */
export function printElement(step: string): string {
  const rest = step.slice(2);
  switch (step.slice(0, 2)) {
    case 'f:':
      return `.${rest}`;
    case 'k:': {
      const keys: unknown = JSON.parse(rest);
      const pairs = isObject(keys) ? Object.entries(keys).map(([key, value]) => `${key}=${JSON.stringify(value)}`) : [];
      return `[${pairs.join(',')}]`;
    }
    case 'v:':
      return `[=${rest}]`;
    default:
      return `[${rest}]`;
  }
}
