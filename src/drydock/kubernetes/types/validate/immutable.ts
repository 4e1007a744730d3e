import type { JsonObject } from '#base/json.ts';
import { jsonEqual } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { forbidden, invalidGo } from './finding.ts';

/** `shown` is the new value as Go prints it. */
export function immutable(field: string, change: { now: unknown; old: unknown; shown: string }): FieldError[] {
  return jsonEqual(change.now, change.old) ? [] : [invalidGo(field, change.shown, 'field is immutable')];
}

/** Forbids any change of an object but to the named members. */
export function unchangedBut(
  field: string,
  specs: { now: JsonObject; old: JsonObject; except: readonly string[] },
  why: string,
): FieldError[] {
  const keys = new Set([...Object.keys(specs.now), ...Object.keys(specs.old)]);
  for (const key of specs.except) keys.delete(key);
  for (const key of keys) if (!jsonEqual(specs.now[key], specs.old[key])) return [forbidden(field, why)];
  return [];
}
