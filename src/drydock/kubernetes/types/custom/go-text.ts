import { isObject } from '#base/json.ts';
import { goFloat } from '../cel/value.ts';

/** A JSON value as Go's %#v prints it, which is how errors show values that are no plain text. */
export function goText(value: unknown): string {
  if (value === null || value === undefined) return 'interface {}(nil)';
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : goFloat(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map(goText).join(', ')}}`;
  if (!isObject(value)) return JSON.stringify(value);
  const entries = Object.keys(value)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${goText(value[name])}`);
  return `map[string]interface {}{${entries.join(', ')}}`;
}
