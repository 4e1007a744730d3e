import { isObject, type JsonObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { annotations } from '#model/argocd/names.ts';

const shortestMask = 8;

function isSecret(object: KubeObject | undefined): boolean {
  return object?.apiVersion === 'v1' && object.kind === 'Secret';
}

/**
 * The forms of one object with a Secret's values replaced by runs of `+`. Equal values of a key get equal runs, different
 * ones different runs, so that a comparison still shows what changed. Other kinds come back as they are.
 */
export function maskSecrets(forms: readonly (KubeObject | undefined)[]): (KubeObject | undefined)[] {
  if (!forms.some(isSecret)) return forms.slice();
  const lengths = new Map<string, Map<string, number>>();
  const maskOf = (key: string, value: unknown): string => {
    const seen = lengths.get(key) ?? new Map<string, number>();
    lengths.set(key, seen);
    const text = JSON.stringify(value);
    const length = seen.get(text) ?? shortestMask + seen.size;
    seen.set(text, length);
    return '+'.repeat(length);
  };
  return forms.map((form) => {
    if (!form) return undefined;
    const out: KubeObject = { ...form };
    for (const field of ['data', 'stringData']) {
      const values = form[field];
      if (!isObject(values)) continue;
      const masked: JsonObject = {};
      for (const [key, value] of Object.entries(values)) masked[key] = maskOf(key, value);
      out[field] = masked;
    }
    const notes = form.metadata.annotations;
    if (notes?.[annotations.lastApplied] !== undefined)
      out.metadata = {
        ...form.metadata,
        annotations: { ...notes, [annotations.lastApplied]: '+'.repeat(shortestMask) },
      };
    return out;
  });
}
