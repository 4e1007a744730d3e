import { isObject, type JsonObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { annotations } from '#model/argocd/names.ts';
import { moveStringData } from './normalize.ts';

/** A run of `+` begins that long, and every further value of a key adds as much as `step`. */
const shortest = 8;
const step = 4;

function isSecret(object: KubeObject | undefined): boolean {
  return object?.apiVersion === 'v1' && object.kind === 'Secret';
}

/** Equal values of one key get equal runs, whatever form they stand in; nothing else of a value shows. */
class Masks {
  readonly #lengths = new Map<string, Map<string, number>>();

  of(place: string, value: unknown): string {
    const seen = this.#lengths.get(place) ?? new Map<string, number>();
    this.#lengths.set(place, seen);
    const text = typeof value === 'string' ? value : JSON.stringify(value ?? '');
    const length = seen.get(text) ?? shortest + step * seen.size;
    seen.set(text, length);
    return '+'.repeat(length);
  }

  members(place: string, values: JsonObject, isMasked: (key: string) => boolean): JsonObject {
    const out: JsonObject = {};
    for (const [key, value] of Object.entries(values))
      out[key] = isMasked(key) ? this.of(`${place} ${key}`, value) : value;
    return out;
  }
}

/**
 * The forms of one object with a Secret's values, and the annotations named as sensitive, replaced by runs of `+`: equal
 * values of a key get equal runs, different ones different runs, in the note of client-side apply too, so that a comparison
 * still shows what changed.
 */
export function maskSecrets(
  forms: readonly (KubeObject | undefined)[],
  sensitive: readonly string[] = [],
): (KubeObject | undefined)[] {
  const masks = new Masks();
  const secret = forms.some(isSecret);
  const masked = forms.map((form) => form && maskForm(form, { masks, secret, sensitive }));
  // Last, so that the runs of the forms themselves do not depend on what was applied once.
  return masked.map((form) => form && maskLastApplied(form, { masks, secret, sensitive }));
}

interface Masking {
  masks: Masks;
  secret: boolean;
  sensitive: readonly string[];
}

function maskForm(form: KubeObject, { masks, secret, sensitive }: Masking): KubeObject {
  const out: KubeObject = { ...form };
  if (secret) {
    moveStringData(out);
    const { data } = out;
    if (isObject(data)) out['data'] = masks.members('data', data, () => true);
  }
  const notes = form.metadata.annotations;
  const named = (key: string) => sensitive.includes(key) && key !== annotations.lastApplied;
  if (notes && Object.keys(notes).some(named)) {
    const hidden = masks.members('annotation', notes, named) as Record<string, string>;
    out.metadata = { ...form.metadata, annotations: hidden };
  }
  return out;
}

function maskLastApplied(form: KubeObject, masking: Masking): KubeObject {
  const notes = form.metadata.annotations;
  const text = notes?.[annotations.lastApplied];
  if (text === undefined) return form;
  const masked = masking.sensitive.includes(annotations.lastApplied) ? hidden : maskText(text, masking);
  return masked === text
    ? form
    : { ...form, metadata: { ...form.metadata, annotations: { ...notes, [annotations.lastApplied]: masked } } };
}

const hidden = '+'.repeat(shortest);

function maskText(text: string, masking: Masking): string {
  if (!masking.secret && masking.sensitive.length === 0) return text;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Not what kubectl writes: it may hold anything.
    return hidden;
  }
  if (!isObject(parsed)) return hidden;
  const { metadata } = parsed;
  const object = { ...parsed, metadata: isObject(metadata) ? metadata : {} } as KubeObject;
  return JSON.stringify(maskForm(object, masking));
}
