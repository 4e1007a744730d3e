import { isObject } from '#base/json.ts';

function collect(value: unknown, out: Set<string>): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, out);
    return;
  }
  if (!isObject(value)) return;
  for (const [key, member] of Object.entries(value)) {
    const isContainers = key === 'containers' || key === 'initContainers' || key === 'ephemeralContainers';
    if (isContainers && Array.isArray(member))
      for (const container of member)
        if (isObject(container) && typeof container['image'] === 'string') out.add(container['image']);
    collect(member, out);
  }
}

/** The images of every container in an object, sorted. */
export function imagesOf(object: unknown): string[] {
  const out = new Set<string>();
  collect(isObject(object) ? object['spec'] : undefined, out);
  return [...out].sort();
}
