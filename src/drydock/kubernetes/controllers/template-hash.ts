import { canonicalJson } from '#base/digest.ts';
import { isObject, type JsonObject, jsonEqual } from '#base/json.ts';

export const podTemplateHashLabel = 'pod-template-hash';

const alphabet = 'bcdfghjklmnpqrstvwxz2456789';

/** A short stable name for a pod template: FNV-1a over its canonical JSON, in letters that form no words. */
export function templateHash(template: JsonObject, collisionCount: number): string {
  let hash = 0x811c9dc5;
  const text = canonicalJson(bareTemplate(template)) + (collisionCount > 0 ? `#${collisionCount}` : '');
  for (let index = 0; index < text.length; index += 1) {
    hash ^= text.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193) >>> 0;
  }
  return [...String(hash)].map((digit) => alphabet[digit.charCodeAt(0) % alphabet.length]).join('');
}

/** Equal but for the hash label that controllers add. */
export function sameTemplate(a: JsonObject, b: JsonObject): boolean {
  return jsonEqual(bareTemplate(a), bareTemplate(b));
}

/** The template with more labels (and annotations left as they are). */
export function templateWithLabels(template: JsonObject, labels: Record<string, string>): JsonObject {
  const metadata = isObject(template['metadata']) ? template['metadata'] : {};
  const own = isObject(metadata['labels']) ? metadata['labels'] : {};
  return { ...template, metadata: { ...metadata, labels: { ...own, ...labels } } };
}

function bareTemplate(template: JsonObject): JsonObject {
  if (!isObject(template['metadata'])) return template;
  const metadata = { ...template['metadata'] };
  if (metadata['creationTimestamp'] === null) delete metadata['creationTimestamp'];
  if (isObject(metadata['labels'])) {
    const { [podTemplateHashLabel]: _hash, ...labels } = metadata['labels'];
    metadata['labels'] = labels;
  }
  return { ...template, metadata };
}
