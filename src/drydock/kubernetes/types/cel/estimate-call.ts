import { regexFactor, traversalFactor } from './call-cost.ts';
import { stepsOf } from './estimate-path.ts';
import {
  type Bounds,
  declaredSize,
  entriesOf,
  fixed,
  pathOf,
  plus,
  product,
  type State,
  scaled,
  sizeOr,
  times,
  union,
  unknown,
} from './estimate-state.ts';
import type { Overload } from './overload.ts';
import type { CallExpression, Expression } from './syntax.ts';
import { dyn, libraryTypes, paramOf } from './type.ts';

export interface CallSite {
  overload: Overload;
  operands: readonly Expression[];
  costs: readonly Bounds[];
}

export interface Estimate {
  cost: Bounds;
  size?: Bounds | undefined;
}

/** What a call costs beside its arguments. */
export function workOf(state: State, call: CallExpression, { overload, operands }: CallSite): Estimate {
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
    case 'sets.contains':
    case 'sets.intersects':
      return { cost: plus(times(sizeAt(first), sizeAt(second)), fixed(1)) };
    case 'sets.equivalent':
      return { cost: plus(scaled(times(sizeAt(first), sizeAt(second)), 2), fixed(1)) };
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
