import { JsonnetFunction, Thunk, type Value } from './values.ts';

export type Library = Map<string, Value>;

/**
 * A function of the standard library. `parameters` is `a, b, c=`: one that ends in `=` may be left out and is then
 * undefined. All arguments are forced before the run.
 */
export function builtin(parameters: string, run: (...values: Value[]) => Value): JsonnetFunction {
  const shown = parameters
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text) => ({ name: text.replace(/=$/, ''), optional: text.endsWith('=') }));
  return new JsonnetFunction(shown, (args) => {
    const values = shown.map((_, index) => args[index]?.force() as Value);
    return run(...values);
  });
}

/** Calls a function of the program with values. */
export function call(target: JsonnetFunction, ...values: Value[]): Value {
  return target.call(values.map(Thunk.of));
}
