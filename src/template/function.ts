import type { Clock, Entropy } from '#base/clock.ts';
import type { JsonObject } from '#base/json.ts';
import { elementType, GoInt, GoTime, isMap, typeName } from './value.ts';

/** What a function may ask for beside its arguments. */
export interface CallContext {
  clock: Pick<Clock, 'now'>;
  entropy: Entropy;
  /** Accounts for work or memory in the order of `units`; throws when the template's limit is reached. */
  spend(units: number): void;
}

interface ParameterTypes {
  any: unknown;
  /** As any, where nothing at all may be told from an empty interface. */
  value: unknown;
  string: string;
  int: number;
  int64: bigint;
  uint32: number;
  float64: number;
  bool: boolean;
  dict: JsonObject;
  list: unknown[];
  time: GoTime;
}

export type ParameterType = keyof ParameterTypes;

const goNames: Record<ParameterType, string> = {
  any: 'interface {}',
  value: 'reflect.Value',
  string: 'string',
  int: 'int',
  int64: 'int64',
  uint32: 'uint32',
  float64: 'float64',
  bool: 'bool',
  dict: 'map[string]interface {}',
  list: '[]interface {}',
  time: 'time.Time',
};

type Arguments<P extends readonly ParameterType[]> = { [I in keyof P]: ParameterTypes[P[I]] };

/** One function of a template. `rest` is the type of those arguments that follow the named ones. */
export interface GoFunction {
  parameters: readonly ParameterType[];
  rest: ParameterType | undefined;
  call: (context: CallContext, args: readonly unknown[]) => unknown;
}

export type FunctionMap = Readonly<Record<string, GoFunction>>;

export function fn<const P extends readonly ParameterType[]>(
  parameters: P,
  call: (...args: [...Arguments<P>, CallContext]) => unknown,
): GoFunction {
  // Arguments were checked against `parameters` by the evaluator.
  const run = call as (...args: unknown[]) => unknown;
  return { parameters, rest: undefined, call: (context, args) => run(...args, context) };
}

export function variadic<const P extends readonly ParameterType[], R extends ParameterType>(
  parameters: P,
  rest: R,
  call: (fixed: Arguments<P>, rest: ParameterTypes[R][], context: CallContext) => unknown,
): GoFunction {
  const run = call as (fixed: readonly unknown[], rest: readonly unknown[], context: CallContext) => unknown;
  const count = parameters.length;
  return { parameters, rest, call: (context, args) => run(args.slice(0, count), args.slice(count), context) };
}

export function goName(type: ParameterType): string {
  return goNames[type];
}

export function canBeNil(type: ParameterType): boolean {
  return type === 'any' || type === 'value' || type === 'dict' || type === 'list';
}

/** The value as a parameter of that type, or Go's complaint. */
export function assign(value: unknown, type: ParameterType): { value: unknown } | { problem: string } {
  if (type === 'value') return { value };
  if (type === 'any') return { value: value ?? null };
  if (value === undefined) {
    if (type === 'dict') return { value: {} };
    return type === 'list' ? { value: [] } : { problem: `invalid value; expected ${goName(type)}` };
  }
  const fitting = fit(value, type);
  if (fitting !== undefined) return { value: fitting };
  const got = value === null ? 'interface {}' : typeName(value);
  return { problem: `wrong type for value; expected ${goName(type)}; got ${got}` };
}

function fit(value: unknown, type: ParameterType): unknown {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : undefined;
    case 'bool':
      return typeof value === 'boolean' ? value : undefined;
    case 'float64':
      return typeof value === 'number' ? value : undefined;
    case 'int':
    case 'uint32':
      return value instanceof GoInt && value.type === type ? Number(value.value) : undefined;
    case 'int64':
      return value instanceof GoInt && value.type === 'int64' ? value.value : undefined;
    case 'dict':
      return isMap(value) && elementType(value) === 'interface {}' ? value : undefined;
    case 'list':
      return Array.isArray(value) && elementType(value) === 'interface {}' ? value : undefined;
    case 'time':
      return value instanceof GoTime ? value : undefined;
    case 'any':
    case 'value':
      return value;
  }
}
