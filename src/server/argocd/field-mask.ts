import { isObject, type JsonObject } from '#base/json.ts';

interface Mask {
  exclude: boolean;
  paths: string[][];
}

function parseMask(text: string): Mask | undefined {
  const exclude = text.startsWith('-');
  const paths = (exclude ? text.slice(1) : text)
    .split(',')
    .map((path) => path.trim())
    .filter((path) => path !== '')
    .map((path) => path.split('.'));
  return paths.length === 0 ? undefined : { exclude, paths };
}

function apply(value: unknown, paths: readonly string[][], exclude: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => apply(item, paths, exclude));
  if (!isObject(value)) return value;
  const out: JsonObject = {};
  for (const [key, member] of Object.entries(value)) {
    const below = paths.filter(([first]) => first === key).map((path) => path.slice(1));
    const whole = below.some((path) => path.length === 0);
    if (below.length === 0 || whole) {
      if (whole !== exclude) out[key] = member;
    } else out[key] = apply(member, below, exclude);
  }
  return out;
}

/** Argo CD's `?fields=`: dotted paths, through lists, that are kept; after a leading `-` they are left out. */
export function maskFields(value: JsonObject, fields: string | undefined): JsonObject {
  const mask = parseMask(fields ?? '');
  const masked = mask === undefined ? value : apply(value, mask.paths, mask.exclude);
  return isObject(masked) ? masked : value;
}
