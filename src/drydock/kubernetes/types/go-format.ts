import { isObject } from '#base/json.ts';

/** As Go's `%v` prints decoded JSON: `map[a:1 b:[x y]]`, keys sorted. */
export function goValue(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (!isObject(value)) return String(value);
  const members = Object.keys(value)
    .sort()
    .map((key) => `${key}:${goValue(value[key])}`);
  return `map[${members.join(' ')}]`;
}

/** As Go's `%#v` prints a `map[string]string`. */
export function goStringMap(value: unknown): string {
  if (!isObject(value)) return 'map[string]string(nil)';
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${JSON.stringify(value[key])}`);
  return `map[string]string{${members.join(', ')}}`;
}

/** As Go's `%#v` prints a `[]string`, of the named type when given. */
export function goStringList(value: unknown, type = '[]string'): string {
  if (!Array.isArray(value)) return `${type}(nil)`;
  return `${type}{${value.map((item: unknown) => JSON.stringify(item)).join(', ')}}`;
}
