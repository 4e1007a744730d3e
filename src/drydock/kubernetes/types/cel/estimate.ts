import { regexFactor, traversalFactor } from './call-cost.ts';
import { isTypeName, qualifiedName } from './check.ts';
import { extended, newPath, type Path, stepsOf } from './estimate-path.ts';
import type { Overload } from './overload.ts';
import type { Program } from './program.ts';
import type { CallExpression, Expression, FoldExpression } from './syntax.ts';
import { type CelType, dyn, libraryTypes, paramOf } from './type.ts';

/** The least and most of a size or a cost. */
export interface Bounds {
  min: number;
  max: number;
}

interface Entries {
  key: Bounds;
  value: Bounds;
}

interface Local {
  path: Path | undefined;
  size: Bounds | undefined;
  entries: Entries | undefined;
}

interface State {
  program: Program;
  root: CelType;
  locals: Map<string, Local[]>;
  paths: Map<Expression, Path>;
  sizes: Map<Expression, Bounds>;
  entries: Map<Expression, Entries>;
}

const unknown: Bounds = { min: 0, max: Number.POSITIVE_INFINITY };
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

function fixed(value: number): Bounds {
  return { min: value, max: value };
}

function plus(...parts: Bounds[]): Bounds {
  return {
    min: parts.reduce((sum, { min }) => sum + min, 0),
    max: parts.reduce((sum, { max }) => sum + max, 0),
  };
}

function times(a: Bounds, b: Bounds): Bounds {
  return { min: product(a.min, b.min), max: product(a.max, b.max) };
}

/** Nothing times without limit is nothing. */
function product(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b;
}

export function scaled({ min, max }: Bounds, factor: number): Bounds {
  return { min: Math.ceil(min * factor), max: Math.ceil(max * factor) };
}

function union(a: Bounds, b: Bounds): Bounds {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
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

function localOf(state: State, name: string): Local | undefined {
  return state.locals.get(name)?.at(-1);
}

function withLocal<T>(state: State, locals: [string, Local][], run: () => T): T {
  for (const [name, local] of locals) {
    const stack = state.locals.get(name) ?? [];
    stack.push(local);
    state.locals.set(name, stack);
  }
  const result = run();
  for (const [name] of locals) state.locals.get(name)?.pop();
  return result;
}

function pathOf(state: State, expression: Expression): Path | undefined {
  if (expression.kind === 'ident') {
    const local = localOf(state, expression.name);
    if (local !== undefined) return local.path;
  }
  return state.paths.get(expression);
}

function sizeOr(state: State, expression: Expression): Bounds {
  return sizeOf(state, expression) ?? unknown;
}

function sizeOf(state: State, expression: Expression): Bounds | undefined {
  const known = state.sizes.get(expression);
  if (known !== undefined) return known;
  const literal = literalSize(expression);
  if (literal !== undefined) return fixed(literal);
  const path = pathOf(state, expression);
  const declared = path === undefined ? undefined : declaredSize(state.root, stepsOf(path));
  if (declared !== undefined) {
    // What was read once stays, whatever becomes of the path.
    state.sizes.set(expression, declared);
    return declared;
  }
  if (isScalar(state.program.checked.typeOf(expression))) return fixed(1);
  return expression.kind === 'ident' ? localOf(state, expression.name)?.size : undefined;
}

function literalSize(expression: Expression): number | undefined {
  switch (expression.kind) {
    case 'literal':
      if (typeof expression.value === 'string') return [...expression.value].length;
      return expression.value instanceof Uint8Array ? expression.value.length : 1;
    case 'list':
      return expression.items.length;
    case 'map':
      return expression.entries.length;
    default:
      return undefined;
  }
}

function isScalar(type: CelType): boolean {
  if (type.kind === 'optional') return isScalar(paramOf(type, 0));
  return ['bool', 'double', 'duration', 'int', 'timestamp', 'uint'].includes(type.kind);
}

/** What the schema says at a path that starts at `self` or `oldSelf`. */
function declaredSize(root: CelType, path: readonly string[]): Bounds | undefined {
  const [first, ...rest] = path;
  if (first === undefined) return undefined;
  let type: CelType | undefined = root;
  for (const step of rest) {
    if (step === '@items' || step === '@values') type = type.params[type.params.length - 1];
    else if (step === '@keys') type = type.kind === 'map' ? type.params[0] : undefined;
    else type = type.fields?.get(step);
    if (type === undefined) return undefined;
  }
  return { min: 0, max: type.maxElements ?? Number.POSITIVE_INFINITY };
}

function entriesOf(state: State, expression: Expression): Entries | undefined {
  const known = state.entries.get(expression);
  if (known !== undefined) return known;
  return expression.kind === 'ident' ? localOf(state, expression.name)?.entries : undefined;
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

interface CallSite {
  overload: Overload;
  operands: readonly Expression[];
  costs: readonly Bounds[];
}

interface Estimate {
  cost: Bounds;
  size?: Bounds | undefined;
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

/** What a call costs beside its arguments. */
function workOf(state: State, call: CallExpression, { overload, operands }: CallSite): Estimate {
  const [first, second, third] = operands;
  const sizeAt = (operand: Expression | undefined): Bounds =>
    operand === undefined ? unknown : sizeOr(state, operand);
  const traversed = (operand: Expression | undefined, factor = traversalFactor): Bounds =>
    scaled(sizeAt(operand), factor);
  const kind = overload.args[0]?.kind;
  switch (overload.name) {
    case 'isSorted':
    case 'sum':
    case 'max':
    case 'min':
    case 'indexOf':
    case 'lastIndexOf':
      return { cost: kind === 'list' && first !== undefined ? elementCost(state, first) : traversed(first) };
    case 'url':
    case 'lowerAscii':
    case 'upperAscii':
    case 'substring':
    case 'trim':
      return { cost: traversed(first), size: sizeAt(first) };
    case 'replace':
      return {
        cost: traversed(first, 2 * traversalFactor),
        size: replacedSize(sizeAt(first), sizeAt(second), sizeAt(third)),
      };
    case 'split': {
      const most =
        third?.kind === 'literal' && typeof third.value === 'bigint' && third.value >= 0n
          ? Number(third.value)
          : undefined;
      return { cost: traversed(first, 2 * traversalFactor), size: { min: 0, max: most ?? sizeAt(first).max } };
    }
    case 'join':
      return joinEstimate(state, first, second);
    case 'find':
    case 'findAll':
      return {
        cost: times(scaled(plus(sizeAt(first), fixed(1)), traversalFactor), traversed(second, regexFactor)),
        size: { min: 0, max: sizeAt(first).max },
      };
    case 'matches':
      // Upstream counts only the method, not the function of that name.
      if (!overload.method) return { cost: fixed(1) };
      return { cost: times(scaled(plus(sizeAt(first), fixed(1)), traversalFactor), traversed(second, regexFactor)) };
    case 'contains':
      return { cost: times(traversed(first), traversed(second)) };
    case 'startsWith':
    case 'endsWith':
      return { cost: traversed(second) };
    case 'strings.quote':
      return { cost: traversed(first), size: { min: sizeAt(first).min + 2, max: sizeAt(first).max * 2 + 2 } };
    case 'format':
      return { cost: traversed(first) };
    case 'cidr':
    case 'isIP':
    case 'isCIDR':
    case 'ip':
    case 'ip.isCanonical':
    case 'quantity':
    case 'isQuantity': {
      if (kind !== 'string') return { cost: fixed(1) };
      return { cost: traversed(first, overload.name === 'ip.isCanonical' ? 2 * traversalFactor : traversalFactor) };
    }
    case 'containsIP':
    case 'containsCIDR': {
      const addresses = { min: 4, max: 16 };
      let own = scaled(plus(addresses, addresses), traversalFactor);
      if (overload.name === 'containsCIDR') own = plus(own, scaled(addresses, traversalFactor), fixed(1));
      return { cost: overload.args[1]?.kind === 'string' ? plus(own, traversed(second)) : own };
    }
    case 'validate':
      return { cost: scaled(traversed(second), 128 * regexFactor) };
    default:
      return operatorWork(state, call, { overload, operands });
  }
}

function operatorWork(state: State, call: CallExpression, { overload, operands }: Omit<CallSite, 'costs'>): Estimate {
  const [first, second] = operands;
  if (first === undefined) return { cost: fixed(1) };
  const left = sizeOr(state, first);
  const right = second === undefined ? unknown : sizeOr(state, second);
  const kind = overload.args[0]?.kind;
  const isText = kind === 'string' || kind === 'bytes';
  switch (overload.name) {
    case '@in':
      return { cost: overload.args[1]?.kind === 'list' ? right : fixed(1) };
    case '_+_': {
      if (kind !== 'list' && !isText) return { cost: fixed(1) };
      const size = plus(left, right);
      const a = entriesOf(state, first);
      const b = second === undefined ? undefined : entriesOf(state, second);
      if (a !== undefined && b !== undefined)
        state.entries.set(call, { key: union(a.key, b.key), value: union(a.value, b.value) });
      return { cost: kind === 'list' ? fixed(1) : scaled(size, traversalFactor), size };
    }
    case '_==_':
    case '_!=_': {
      const types = operands.map((operand) => state.program.checked.typeOf(operand));
      const [{ kind: leftKind, name } = dyn] = types;
      if (leftKind === 'opaque' && types[1]?.name === name)
        return { cost: name === libraryTypes.Format.name ? scaled({ min: 1, max: 64 }, traversalFactor) : fixed(1) };
      return { cost: comparison(left, right) };
    }
    case '_<_':
    case '_<=_':
    case '_>_':
    case '_>=_':
      return { cost: isText ? comparison(left, right) : fixed(1) };
    case 'bytes':
      return kind === 'string'
        ? { cost: scaled(left, traversalFactor), size: { min: left.min, max: left.max * 4 } }
        : { cost: fixed(1) };
    case 'string':
      return kind === 'bytes'
        ? { cost: scaled(left, traversalFactor), size: { min: Math.floor(left.min / 4), max: left.max } }
        : { cost: fixed(1) };
    default:
      return { cost: fixed(1) };
  }
}

function comparison(left: Bounds, right: Bounds): Bounds {
  const max = Math.min(left.max, right.max);
  return scaled({ min: max > 0 ? 1 : 0, max }, traversalFactor);
}

function elementCost(state: State, list: Expression): Bounds {
  const element = paramOf(state.program.checked.typeOf(list), 0);
  const own = fixed(1);
  const each =
    element.kind === 'string' || element.kind === 'bytes'
      ? plus(own, scaled(elementSize(state, list), traversalFactor))
      : own;
  return times(sizeOr(state, list), each);
}

function elementSize(state: State, list: Expression): Bounds {
  const path = pathOf(state, list);
  return (path === undefined ? undefined : declaredSize(state.root, [...stepsOf(path), '@items'])) ?? unknown;
}

function joinEstimate(state: State, list: Expression | undefined, separator: Expression | undefined): Estimate {
  if (list === undefined) return { cost: fixed(1) };
  const count = sizeOr(state, list);
  let size = times(count, elementSize(state, list));
  if (separator !== undefined) {
    const between = { min: Math.max(0, count.min - 1), max: Math.max(0, count.max - 1) };
    size = plus(size, times(sizeOr(state, separator), between));
  }
  return { cost: scaled(size, traversalFactor), size };
}

function replacedSize(whole: Bounds, from: Bounds, to: Bounds): Bounds {
  const max =
    from.min === 0
      ? product(whole.max + 1, to.max) + whole.max
      : to.max <= from.min
        ? whole.max
        : product(Math.ceil(whole.max / from.min), to.max);
  const min =
    from.max === 0
      ? product(whole.min + 1, to.min) + whole.min
      : from.max <= to.min
        ? whole.min
        : product(Math.ceil(whole.min / from.max), to.min);
  return { min, max };
}
