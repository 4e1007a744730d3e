import { canonicalJson } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import { formatValue } from '#template/format.ts';
import { deepCopy } from '#template/functions/dict.ts';
import { mergeInto } from '#template/merge-maps.ts';
import { isMap } from '#template/value.ts';
import type { Params } from '../params.ts';

function copy(params: Params): Params {
  const copied = deepCopy(params);
  return isMap(copied) ? copied : {};
}

/**
 * One of the first generator's sets with one of the second's. With Go templates deeply, the first winning; else a key
 * that both have must have one value.
 */
export function combine(first: Params, second: Params, goTemplate: boolean): Params {
  if (goTemplate) return mergeInto(mergeInto({}, copy(second), true), copy(first), true);
  const out: Params = {};
  for (const [key, value] of Object.entries(first)) out[key] = formatValue(value);
  for (const [key, value] of Object.entries(second)) {
    const text = formatValue(value);
    if (Object.hasOwn(out, key) && out[key] !== text)
      throw new AppError(
        'bad-input',
        `failed to combine string maps with merging params for the matrix generator: found duplicate key ${key} with different value, a: ${String(out[key])} ,b: ${text}`,
      );
    out[key] = text;
  }
  return out;
}

function byKey(keys: readonly string[], sets: readonly Params[]): Map<string, Params> {
  const out = new Map<string, Params>();
  for (const params of sets) {
    const id = canonicalJson(Object.fromEntries(keys.map((key) => [key, params[key] ?? null])));
    if (out.has(id))
      throw new AppError(
        'bad-input',
        `the parameters from a generator were not unique by the given mergeKeys, Merge requires all param sets to be unique. Duplicate key was ${id}`,
      );
    out.set(id, params);
  }
  return out;
}

/** The first generator's sets, overridden by those of the others that have the same values under all keys. */
export function mergeByKeys(keys: readonly string[], generators: readonly Params[][], goTemplate: boolean): Params[] {
  const unique = [...new Set(keys)];
  if (unique.length === 0) throw new AppError('bad-input', 'no merge keys were specified, Merge requires at least one');
  const [base = [], ...others] = generators;
  const merged = byKey(unique, base);
  for (const sets of others) {
    const overrides = byKey(unique, sets);
    for (const [id, params] of merged) {
      const override = overrides.get(id);
      if (override)
        merged.set(id, goTemplate ? mergeInto(copy(params), copy(override), true) : { ...params, ...override });
    }
  }
  return [...merged.values()];
}
