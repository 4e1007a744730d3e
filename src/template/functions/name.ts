import { CallError } from '../call-error.ts';
import { type FunctionMap, fn, variadic } from '../function.ts';
import { normalizeName, toSlug } from '../slug.ts';
import { GoInt, typeName } from '../value.ts';

function slugify(args: readonly unknown[]): string {
  const name = args.at(-1) ?? '';
  const length = args.length > 1 ? args[0] : new GoInt(50n, 'int');
  const smart = args.length > 2 ? args[1] : true;
  const wrong = (value: unknown, type: string) =>
    new CallError(`interface conversion: interface {} is ${typeName(value)}, not ${type}`);
  if (typeof name !== 'string') throw wrong(name, 'string');
  if (!(length instanceof GoInt) || length.type !== 'int') throw wrong(length, 'int');
  if (typeof smart !== 'boolean') throw wrong(smart, 'bool');
  return toSlug(normalizeName(name), Number(length.value), smart);
}

export const nameFunctions: FunctionMap = {
  normalize: fn(['string'], normalizeName),
  slugify: variadic([], 'any', (_none, args) => slugify(args)),
};
