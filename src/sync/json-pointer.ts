import { isObject, type JsonObject } from '#base/json.ts';

/** RFC 6901: the steps of a pointer; the empty pointer is the whole document. */
export function pointerSteps(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function itemAt(list: readonly unknown[], step: string): number {
  const index = /^-?\d+$/.test(step) ? Number(step) : Number.NaN;
  return index < 0 ? index + list.length : index;
}

/** A copy in which what stands at the steps is `put`, or is not there when `put` is undefined; no containers are made. */
export function edit(value: unknown, steps: readonly string[], put: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return put;
  if (Array.isArray(value)) {
    const index = itemAt(value, step);
    if (!(index >= 0 && index < value.length)) return value;
    const next = edit(value[index], rest, put);
    return next === undefined ? value.filter((_, at) => at !== index) : value.with(index, next);
  }
  if (!isObject(value)) return value;
  if (!Object.hasOwn(value, step) && (put === undefined || rest.length > 0)) return value;
  const next = edit(value[step], rest, put);
  const out: JsonObject = { ...value };
  if (next === undefined) delete out[step];
  else out[step] = next;
  return out;
}

/** Undefined where a step is missing. */
export function read(value: unknown, steps: readonly string[]): unknown {
  let at = value;
  for (const step of steps) {
    if (Array.isArray(at)) at = at[itemAt(at, step)];
    else if (isObject(at)) at = Object.hasOwn(at, step) ? at[step] : undefined;
    else return undefined;
  }
  return at;
}

/** A copy without what the pointers name; a missing path is fine. */
export function removePointers<T>(value: T, pointers: readonly string[]): T {
  let out: unknown = value;
  for (const pointer of pointers) if (pointer !== '') out = edit(out, pointerSteps(pointer), undefined);
  return out as T;
}
