import { isTypeName, qualifiedName } from './check.ts';
import { type CallSite, type Estimate, workOf } from './estimate-call.ts';
import { extended, newPath } from './estimate-path.ts';
import {
  type Bounds,
  entriesOf,
  fixed,
  type Local,
  localOf,
  pathOf,
  plus,
  type State,
  sizeOf,
  sizeOr,
  times,
  union,
  withLocal,
} from './estimate-state.ts';
import type { Program } from './program.ts';
import type { CallExpression, Expression, FoldExpression } from './syntax.ts';
import type { CelType } from './type.ts';

const listCost = 10;
const mapCost = 30;
const structCost = 40;

/** The most that a run of an expression can cost, from what the schema of `self` allows its values to be. */
export function estimateCost(program: Program, self: CelType): number {
  const state: State = {
    program,
    root: self,
    locals: new Map(),
    paths: new Map(),
    sizes: new Map(),
    entries: new Map(),
  };
  return cost(state, program.expression).max;
}

function cost(state: State, expression: Expression): Bounds {
  switch (expression.kind) {
    case 'literal':
      return fixed(0);
    case 'ident': {
      const local = localOf(state, expression.name);
      const path = local === undefined ? newPath(expression.name) : local.path;
      if (path !== undefined) state.paths.set(expression, path);
      return fixed(1);
    }
    case 'select': {
      const qualified = qualifiedName(expression);
      if (qualified !== undefined && isTypeName(qualified)) {
        state.paths.set(expression, newPath(qualified));
        return fixed(1);
      }
      const operand = cost(state, expression.operand);
      if (expression.mode === 'test') return operand;
      const path = pathOf(state, expression.operand);
      state.paths.set(expression, extended(path, expression.field));
      const { kind } = state.program.checked.typeOf(expression.operand);
      // An optional selection is a call to upstream, with a literal as its second argument.
      if (expression.mode === 'optional') return plus(operand, fixed(1));
      return ['map', 'object', 'param'].includes(kind) ? plus(operand, fixed(1)) : operand;
    }
    case 'call':
      return costOfCall(state, expression);
    case 'list':
      return costOfList(state, expression);
    case 'map':
      return costOfMap(state, expression);
    case 'struct':
      return plus(...expression.values.map((value) => cost(state, value)), fixed(structCost));
    case 'fold':
      return isBinding(expression) ? costOfBinding(state, expression) : costOfFold(state, expression);
  }
}

function costOfList(state: State, expression: Extract<Expression, { kind: 'list' }>): Bounds {
  const costs = expression.items.map(({ value }) => cost(state, value));
  const value = expression.items
    .map(({ value: item }) => sizeOr(state, item))
    .reduce(union, emptyUnion(expression.items));
  state.entries.set(expression, { key: fixed(1), value });
  return plus(...costs, fixed(listCost));
}

function emptyUnion(items: readonly unknown[]): Bounds {
  return { min: items.length === 0 ? 0 : Number.POSITIVE_INFINITY, max: 0 };
}

function costOfMap(state: State, expression: Extract<Expression, { kind: 'map' }>): Bounds {
  const { entries } = expression;
  const costs = entries.flatMap(({ key, value }) => [cost(state, key), cost(state, value)]);
  const start = emptyUnion(entries);
  state.entries.set(expression, {
    key: entries.map(({ key }) => sizeOr(state, key)).reduce(union, start),
    value: entries.map(({ value }) => sizeOr(state, value)).reduce(union, start),
  });
  return plus(...costs, fixed(mapCost));
}

/** A loop over nothing whose accumulator is a variable: `optMap`. */
function isBinding(fold: FoldExpression): boolean {
  return (
    fold.range.kind === 'list' &&
    fold.range.items.length === 0 &&
    fold.condition.kind === 'literal' &&
    fold.condition.value === false
  );
}

function costOfBinding(state: State, fold: FoldExpression): Bounds {
  const before = plus(cost(state, fold.range), cost(state, fold.initial));
  const result = withLocal(state, [[fold.accumulator, localFrom(state, fold.initial)]], () => cost(state, fold.result));
  const size = sizeOf(state, fold.result);
  if (size !== undefined) state.sizes.set(fold, size);
  const entries = entriesOf(state, fold.result);
  if (entries !== undefined) state.entries.set(fold, entries);
  return plus(before, result);
}

function localFrom(state: State, expression: Expression): Local {
  return { path: pathOf(state, expression), size: sizeOf(state, expression), entries: entriesOf(state, expression) };
}

function costOfFold(state: State, fold: FoldExpression): Bounds {
  const before = plus(cost(state, fold.range), cost(state, fold.initial));
  const rest = withLocal(state, [[fold.accumulator, localFrom(state, fold.initial)]], () => {
    const loop = withLocal(state, loopLocals(state, fold), () => {
      const each = plus(cost(state, fold.condition), cost(state, fold.step));
      return { each, entries: entriesOf(state, fold.step) };
    });
    return { ...loop, result: cost(state, fold.result) };
  });
  const count = sizeOr(state, fold.range);
  if (fold.initial.kind === 'literal') {
    const size = sizeOf(state, fold.initial);
    if (size !== undefined) state.sizes.set(fold, size);
  } else if (fold.initial.kind === 'list' || fold.initial.kind === 'map') {
    state.sizes.set(fold, count);
    if (rest.entries !== undefined) state.entries.set(fold, rest.entries);
  }
  return plus(before, rest.result, times(count, rest.each));
}

function loopLocals(state: State, fold: FoldExpression): [string, Local][] {
  const path = pathOf(state, fold.range);
  const entries = entriesOf(state, fold.range);
  const isList = state.program.checked.typeOf(fold.range).kind === 'list';
  const local = (step: string, size: Bounds | undefined): Local => ({
    path: extended(path, step),
    size,
    entries: undefined,
  });
  const value = local(isList ? '@items' : '@values', entries?.value);
  if (fold.second !== undefined)
    return [
      [fold.variable, local(isList ? '@indices' : '@keys', entries?.key)],
      [fold.second, value],
    ];
  return [[fold.variable, isList ? value : local('@keys', entries?.key)]];
}

function costOfCall(state: State, call: CallExpression): Bounds {
  const [first] = call.args;
  if (call.name === 'dyn' && first !== undefined) {
    const own = cost(state, first);
    const size = sizeOf(state, first);
    if (size !== undefined) state.sizes.set(call, size);
    return plus(own, fixed(1));
  }
  const isMethod = call.target !== undefined && !state.program.checked.isQualified(call);
  const costs = call.args.map((argument) => cost(state, argument));
  const targetCost = isMethod && call.target !== undefined ? cost(state, call.target) : fixed(0);
  const operands = isMethod && call.target !== undefined ? [call.target, ...call.args] : call.args;
  let total: Bounds | undefined;
  let size: Bounds | undefined;
  for (const overload of state.program.checked.overloadsOf(call)) {
    const own = costOfOverload(state, call, { overload, operands, costs });
    total = total === undefined ? own.cost : union(total, own.cost);
    if (own.size !== undefined) size = size === undefined ? own.size : union(size, own.size);
    if (call.name === '_[_]' && first !== undefined) {
      const path = pathOf(state, first);
      const step = overload.args[0]?.kind === 'list' ? '@items' : '@values';
      state.paths.set(call, extended(path, step));
      size = entriesOf(state, first)?.value;
    }
    size ??= sizeOf(state, call);
  }
  if (size !== undefined) state.sizes.set(call, size);
  return plus(targetCost, total ?? fixed(0));
}

function costOfOverload(state: State, call: CallExpression, site: CallSite): Estimate {
  const { costs, operands } = site;
  const args = plus(...costs);
  switch (call.name) {
    case '_||_':
    case '_&&_': {
      const [left = fixed(0)] = costs;
      return { cost: { min: left.min, max: args.max } };
    }
    case '_?_:_': {
      const [condition = fixed(0), yes = fixed(0), no = fixed(0)] = costs;
      const [, a, b] = operands;
      if (a === undefined || b === undefined) return { cost: args };
      const left = entriesOf(state, a);
      const right = entriesOf(state, b);
      if (left !== undefined && right !== undefined)
        state.entries.set(call, { key: union(left.key, right.key), value: union(left.value, right.value) });
      return { cost: plus(condition, union(yes, no)), size: union(sizeOr(state, a), sizeOr(state, b)) };
    }
    default: {
      const own = workOf(state, call, site);
      return { cost: plus(own.cost, args), size: own.size };
    }
  }
}
