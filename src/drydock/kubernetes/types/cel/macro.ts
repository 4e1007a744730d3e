import type { CallExpression, Expression, FoldExpression, Issue } from './syntax.ts';
import type { CelValue } from './value.ts';

/** No text can name it. */
export const accumulatorName = '@result';

interface Loop {
  call: CallExpression;
  range: Expression;
  variable: string;
  second: string | undefined;
  /** What stands after the variables. */
  args: Expression[];
}

type LoopMacro = (loop: Loop) => Expression;

const overOne: Record<string, LoopMacro> = {
  'all/2': all,
  'exists/2': exists,
  'exists_one/2': existsOne,
  'map/2': collect,
  'map/3': collect,
  'filter/2': filter,
};

const overTwo: Record<string, LoopMacro> = {
  'all/3': all,
  'exists/3': exists,
  'exists_one/3': existsOne,
  'existsOne/3': existsOne,
  'transformList/3': collect,
  'transformList/4': collect,
  'transformMap/3': (loop) => insert(loop, [ident(loop, loop.variable)]),
  'transformMap/4': (loop) => insert(loop, [ident(loop, loop.variable)]),
  'transformMapEntry/3': (loop) => insert(loop, []),
  'transformMapEntry/4': (loop) => insert(loop, []),
};

/** What a call that is a macro stands for; undefined for other calls. Wrong arguments go to `issues`. */
export function expandMacro(call: CallExpression, issues: Issue[]): Expression | undefined {
  const { name, target, args } = call;
  const key = `${name}/${args.length}`;
  if (target === undefined) return key === 'has/1' ? presence(call, issues) : undefined;
  if (key === 'optMap/2' || key === 'optFlatMap/2') return overOptional(call, target, issues);
  const one = Object.hasOwn(overOne, key) ? overOne[key] : undefined;
  if (one !== undefined) {
    const why =
      name === 'map' || name === 'filter' ? 'argument is not an identifier' : 'argument must be a simple name';
    const variable = variableOf(args[0], why, issues);
    if (variable === undefined) return undefined;
    return one({ call, range: target, variable, second: undefined, args: args.slice(1) });
  }
  const two = Object.hasOwn(overTwo, key) ? overTwo[key] : undefined;
  if (two === undefined) return undefined;
  const variable = variableOf(args[0], 'argument must be a simple name', issues);
  const second = variable === undefined ? undefined : variableOf(args[1], 'argument must be a simple name', issues);
  if (variable === undefined || second === undefined) return undefined;
  if (variable === second) {
    issues.push({ at: args[1]?.at ?? call.at, message: `duplicate variable name: ${variable}` });
    return undefined;
  }
  return two({ call, range: target, variable, second, args: args.slice(2) });
}

function variableOf(argument: Expression | undefined, why: string, issues: Issue[]): string | undefined {
  if (argument?.kind !== 'ident') {
    issues.push({ at: argument?.at ?? 0, message: why });
    return undefined;
  }
  if (argument.name !== '__result__') return argument.name;
  issues.push({ at: argument.at, message: 'iteration variable overwrites accumulator variable' });
  return undefined;
}

function presence(call: CallExpression, issues: Issue[]): Expression | undefined {
  const [argument] = call.args;
  if (argument?.kind === 'select' && argument.mode === 'value')
    return { kind: 'select', at: call.at, operand: argument.operand, field: argument.field, mode: 'test' };
  issues.push({ at: argument?.at ?? call.at, message: 'invalid argument to has() macro' });
  return undefined;
}

function all(loop: Loop): Expression {
  const [test] = loop.args;
  return fold(loop, {
    initial: literal(loop, true),
    condition: apply(loop, '@not_strictly_false', accumulated(loop)),
    step: apply(loop, '_&&_', accumulated(loop), test),
    result: accumulated(loop),
  });
}

function exists(loop: Loop): Expression {
  const [test] = loop.args;
  return fold(loop, {
    initial: literal(loop, false),
    condition: apply(loop, '@not_strictly_false', apply(loop, '!_', accumulated(loop))),
    step: apply(loop, '_||_', accumulated(loop), test),
    result: accumulated(loop),
  });
}

function existsOne(loop: Loop): Expression {
  const [test] = loop.args;
  const more = apply(loop, '_+_', accumulated(loop), literal(loop, 1n));
  return fold(loop, {
    initial: literal(loop, 0n),
    condition: literal(loop, true),
    step: apply(loop, '_?_:_', test, more, accumulated(loop)),
    result: apply(loop, '_==_', accumulated(loop), literal(loop, 1n)),
  });
}

/** `map(x, value)` and `map(x, test, value)`; `transformList` is the same with two variables. */
function collect(loop: Loop): Expression {
  const value = loop.args.at(-1);
  return gather(loop, loop.args.length > 1 ? loop.args[0] : undefined, value);
}

function filter(loop: Loop): Expression {
  return gather(loop, loop.args[0], ident(loop, loop.variable, loop.call.args[0]?.at));
}

function gather(loop: Loop, test: Expression | undefined, value: Expression | undefined): Expression {
  const items = value === undefined ? [] : [{ value, optional: false }];
  const longer = apply(loop, '_+_', accumulated(loop), { kind: 'list', at: loop.call.at, items });
  return fold(loop, {
    initial: { kind: 'list', at: loop.call.at, items: [] },
    condition: literal(loop, true),
    step: test === undefined ? longer : apply(loop, '_?_:_', test, longer, accumulated(loop)),
    result: accumulated(loop),
  });
}

function insert(loop: Loop, key: Expression[]): Expression {
  const value = loop.args.at(-1);
  const larger = apply(loop, 'cel.@mapInsert', accumulated(loop), ...key, value);
  const test = loop.args.length > 1 ? loop.args[0] : undefined;
  return fold(loop, {
    initial: { kind: 'map', at: loop.call.at, entries: [] },
    condition: literal(loop, true),
    step: test === undefined ? larger : apply(loop, '_?_:_', test, larger, accumulated(loop)),
    result: accumulated(loop),
  });
}

/** `o.optMap(x, value)`: a loop over nothing, whose accumulator is the variable. */
function overOptional(call: CallExpression, target: Expression, issues: Issue[]): Expression | undefined {
  const [variable, body] = call.args;
  if (variable?.kind !== 'ident' || body === undefined) {
    issues.push({ at: variable?.at ?? call.at, message: `${call.name}() variable name must be a simple identifier` });
    return undefined;
  }
  const { at } = call;
  const on = (name: string): Expression => ({ kind: 'call', at, name, target, args: [] });
  const plain = (name: string, args: Expression[]): Expression => ({ kind: 'call', at, name, target: undefined, args });
  const bound: Expression = {
    kind: 'fold',
    at,
    range: { kind: 'list', at, items: [] },
    variable: '#unused',
    second: undefined,
    accumulator: variable.name,
    initial: on('value'),
    condition: { kind: 'literal', at, value: false },
    step: { kind: 'ident', at, name: variable.name },
    result: body,
  };
  const some = call.name === 'optMap' ? plain('optional.of', [bound]) : bound;
  return plain('_?_:_', [on('hasValue'), some, plain('optional.none', [])]);
}

function fold(
  { call, range, variable, second }: Loop,
  parts: Pick<FoldExpression, 'initial' | 'condition' | 'step' | 'result'>,
): Expression {
  return { kind: 'fold', at: call.at, range, variable, second, accumulator: accumulatorName, ...parts };
}

function accumulated({ call }: Loop): Expression {
  return { kind: 'ident', at: call.at, name: accumulatorName };
}

function ident({ call }: Loop, name: string, at = call.at): Expression {
  return { kind: 'ident', at, name };
}

function literal({ call }: Loop, value: CelValue): Expression {
  return { kind: 'literal', at: call.at, value };
}

function apply({ call }: Loop, name: string, ...args: (Expression | undefined)[]): Expression {
  return {
    kind: 'call',
    at: call.at,
    name,
    target: undefined,
    args: args.filter((argument) => argument !== undefined),
  };
}
