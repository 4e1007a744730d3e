import { callCost } from './call-cost.ts';
import type { Checked } from './check.ts';
import { isTypeName, qualifiedName } from './check.ts';
import { equal } from './equality.ts';
import { isOfType, type Overload } from './overload.ts';
import type { CallExpression, Expression, FoldExpression, SelectExpression } from './syntax.ts';
import { dyn } from './type.ts';
import {
  type CelValue,
  EvaluationError,
  isTagged,
  type ListValue,
  listValue,
  type MapValue,
  mapValue,
  none,
  noSuchOverload,
  optionalValue,
  plainText,
  typeNameOf,
} from './value.ts';

/** Thrown when an expression cost more than it may; nothing swallows it. */
export class CostExceeded extends Error {
  override name = 'CostExceeded';
}

interface Scope {
  readonly name: string;
  readonly value: CelValue;
  readonly parent: Scope | undefined;
}

interface Run {
  checked: Checked;
  variables: ReadonlyMap<string, CelValue>;
  cost: number;
  limit: number;
}

export type Evaluation = { cost: number } & ({ value: CelValue } | { error: EvaluationError | CostExceeded });

/** Runs a checked expression. Its cost is counted as upstream does, and the run ends when it passes `limit`. */
export function evaluate(
  expression: Expression,
  checked: Checked,
  { variables, limit }: { variables: ReadonlyMap<string, CelValue>; limit: number },
): Evaluation {
  const run: Run = { checked, variables, cost: 0, limit };
  try {
    const value = evaluateIn(run, expression, undefined);
    return { value, cost: run.cost };
  } catch (error) {
    if (!(error instanceof EvaluationError) && !(error instanceof CostExceeded)) throw error;
    return { error, cost: run.cost };
  }
}

function spend(run: Run, cost: number): void {
  run.cost += cost;
  if (run.cost > run.limit) throw new CostExceeded('operation cancelled: actual cost limit exceeded');
}

const identCost = 1;
const selectCost = 1;
const listCost = 10;
const mapCost = 30;

function evaluateIn(run: Run, expression: Expression, scope: Scope | undefined): CelValue {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'ident':
      spend(run, identCost);
      return resolveName(run, expression.name, scope);
    case 'select':
      return evaluateSelect(run, expression, scope);
    case 'call':
      return evaluateCall(run, expression, scope);
    case 'list': {
      const items: CelValue[] = [];
      for (const { value, optional } of expression.items) {
        const item = evaluateIn(run, value, scope);
        if (!optional) items.push(item);
        else if (!isTagged(item, 'optional')) throw noSuchOverload();
        else if (item.value !== undefined) items.push(item.value);
      }
      spend(run, listCost);
      return listValue(items);
    }
    case 'map': {
      const entries: [CelValue, CelValue][] = [];
      for (const { key, value, optional } of expression.entries) {
        const name = evaluateIn(run, key, scope);
        const item = evaluateIn(run, value, scope);
        if (!optional) entries.push([name, item]);
        else if (!isTagged(item, 'optional')) throw noSuchOverload();
        else if (item.value !== undefined) entries.push([name, item.value]);
      }
      spend(run, mapCost);
      return mapValue(entries);
    }
    case 'struct':
      throw noSuchOverload();
    case 'fold':
      return evaluateFold(run, expression, scope);
  }
}

function resolveName(run: Run, name: string, scope: Scope | undefined): CelValue {
  for (let at = scope; at !== undefined; at = at.parent) if (at.name === name) return at.value;
  const value = run.variables.get(name);
  if (value !== undefined) return value;
  if (isTypeName(name)) return { kind: 'type', name };
  throw new EvaluationError(`no such attribute(s): ${name}`);
}

function evaluateSelect(run: Run, expression: SelectExpression, scope: Scope | undefined): CelValue {
  const { field, mode } = expression;
  const name = qualifiedName(expression);
  if (name !== undefined && isTypeName(name)) return { kind: 'type', name };
  const operand = evaluateIn(run, expression.operand, scope);
  // Upstream counts nothing for has().
  if (mode !== 'test') spend(run, selectCost);
  const isOptional = isTagged(operand, 'optional');
  const target = isOptional ? operand.value : operand;
  if (target === undefined) return mode === 'test' ? false : none;
  if (!isTagged(target, 'map')) {
    if (mode === 'optional') return none;
    throw noSuchOverload();
  }
  const found = target.get(field);
  if (mode === 'test') return found !== undefined;
  if (mode === 'optional' || isOptional) return found === undefined ? none : optionalValue(found);
  if (found === undefined) throw new EvaluationError(`no such key: ${field}`);
  return found;
}

function evaluateCall(run: Run, call: CallExpression, scope: Scope | undefined): CelValue {
  switch (call.name) {
    case '_&&_':
      return evaluateLogic(run, call, { scope, decisive: false });
    case '_||_':
      return evaluateLogic(run, call, { scope, decisive: true });
    case '_?_:_':
      return evaluateChoice(run, call, scope);
    case '@not_strictly_false':
      return isNotStrictlyFalse(run, call, scope);
    case '_[_]':
    case '_[?_]':
      return evaluateIndex(run, call, scope);
    case 'or':
    case 'orValue':
      return evaluateAlternative(run, call, scope);
    default:
  }
  const args = evaluateOperands(run, call, scope);
  if (call.name === '_==_' || call.name === '_!=_') {
    const [left = null, right = null] = args;
    spend(run, callCost({ name: call.name, args, result: undefined, overload: undefined }));
    return equal(left, right) === (call.name === '_==_');
  }
  const overload = fittingOverload(run.checked.overloadsOf(call), args);
  const result = appendInPlace(call, args) ?? overload.call(args);
  spend(run, callCost({ name: overload.name, args, result, overload }));
  return result;
}

function evaluateOperands(run: Run, call: CallExpression, scope: Scope | undefined): CelValue[] {
  const args: CelValue[] = [];
  if (call.target !== undefined && !run.checked.isQualified(call)) args.push(evaluateIn(run, call.target, scope));
  for (const argument of call.args) args.push(evaluateIn(run, argument, scope));
  return args;
}

function fittingOverload(overloads: readonly Overload[], args: readonly CelValue[]): Overload {
  for (const overload of overloads) {
    const { args: types } = overload;
    let fits = types.length === args.length;
    for (let at = 0; fits && at < types.length; at += 1) fits = isOfType(args[at] ?? null, types[at] ?? dyn);
    if (fits) return overload;
  }
  throw noSuchOverload();
}

/** A macro's growing list belongs to its loop alone, so that it need not be copied for each item. */
function appendInPlace(call: CallExpression, [left, right]: readonly CelValue[]): CelValue | undefined {
  const [first, second] = call.args;
  if (call.name !== '_+_' || first?.kind !== 'ident' || first.name !== '@result' || second?.kind !== 'list')
    return undefined;
  if (left === undefined || right === undefined || !isTagged(left, 'list') || !isTagged(right, 'list'))
    return undefined;
  const growing = growingLists.get(left);
  if (growing === undefined) return undefined;
  growing.push(...right.items);
  return left;
}

const growingLists = new WeakMap<ListValue, CelValue[]>();

function growingList(): ListValue {
  const items: CelValue[] = [];
  const value = listValue(items);
  growingLists.set(value, items);
  return value;
}

function evaluateLogic(
  run: Run,
  call: CallExpression,
  { scope, decisive }: { scope: Scope | undefined; decisive: boolean },
): CelValue {
  let failure: EvaluationError | undefined;
  for (const argument of call.args) {
    try {
      const value = evaluateIn(run, argument, scope);
      if (value === decisive) return decisive;
      if (typeof value !== 'boolean') failure ??= noSuchOverload();
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return !decisive;
}

function evaluateChoice(run: Run, call: CallExpression, scope: Scope | undefined): CelValue {
  const [condition, yes, no] = call.args;
  if (condition === undefined || yes === undefined || no === undefined) throw noSuchOverload();
  const chosen = evaluateIn(run, condition, scope);
  if (typeof chosen !== 'boolean') throw noSuchOverload();
  return evaluateIn(run, chosen ? yes : no, scope);
}

/** Loops go on over an element that failed: a later one may decide. */
function isNotStrictlyFalse(run: Run, call: CallExpression, scope: Scope | undefined): CelValue {
  const [argument] = call.args;
  if (argument === undefined) throw noSuchOverload();
  try {
    const value = evaluateIn(run, argument, scope);
    spend(run, 1);
    return value !== false;
  } catch (error) {
    if (error instanceof EvaluationError) return true;
    throw error;
  }
}

function evaluateIndex(run: Run, call: CallExpression, scope: Scope | undefined): CelValue {
  const [operand, index] = call.args;
  if (operand === undefined || index === undefined) throw noSuchOverload();
  const container = evaluateIn(run, operand, scope);
  const key = evaluateIn(run, index, scope);
  spend(run, selectCost);
  const isOptional = isTagged(container, 'optional');
  const target = isOptional ? container.value : container;
  if (target === undefined) return none;
  const wantsOptional = isOptional || call.name === '_[?_]';
  const found = isTagged(target, 'list') ? itemAt(target, key) : isTagged(target, 'map') ? entryAt(target, key) : null;
  if (found === null) throw noSuchOverload();
  if (wantsOptional) return found.value === undefined ? none : optionalValue(found.value);
  if (found.value === undefined) throw new EvaluationError(found.missing);
  return found.value;
}

interface Found {
  value: CelValue | undefined;
  missing: string;
}

function itemAt({ items }: ListValue, key: CelValue): Found {
  const index = isTagged(key, 'uint') ? key.value : key;
  if (typeof index === 'number' && !Number.isInteger(index))
    throw new EvaluationError(`unsupported index value ${plainText(key)} in list`);
  if (typeof index !== 'bigint' && typeof index !== 'number')
    throw new EvaluationError(`unsupported index type '${typeNameOf(key)}' in list`);
  const at = Number(index);
  return { value: at < 0 ? undefined : items[at], missing: `index out of bounds: ${at}` };
}

function entryAt(map: MapValue, key: CelValue): Found {
  return { value: map.get(key), missing: `no such key: ${plainText(key)}` };
}

/** The other value is not looked at when there is one. */
function evaluateAlternative(run: Run, call: CallExpression, scope: Scope | undefined): CelValue {
  const [other] = call.args;
  if (call.target === undefined || other === undefined) throw noSuchOverload();
  const value = evaluateIn(run, call.target, scope);
  if (!isTagged(value, 'optional')) throw noSuchOverload();
  spend(run, 1);
  if (value.value === undefined) return evaluateIn(run, other, scope);
  return call.name === 'or' ? value : value.value;
}

function evaluateFold(run: Run, fold: FoldExpression, scope: Scope | undefined): CelValue {
  const range = evaluateIn(run, fold.range, scope);
  const loop: Loop = { fold, scope, accumulated: initialOf(run, fold, scope) };
  if (isTagged(range, 'list')) {
    const { items } = range;
    const two = fold.second !== undefined;
    for (let at = 0; at < items.length; at += 1) {
      const item = items[at] ?? null;
      if (!evaluateRound(run, loop, two ? [BigInt(at), item] : [item, null])) break;
    }
  } else if (isTagged(range, 'map')) {
    const two = fold.second !== undefined;
    for (const key of range.keys()) if (!evaluateRound(run, loop, [key, two ? (range.get(key) ?? null) : null])) break;
  } else throw noSuchOverload();
  return evaluateIn(run, fold.result, accumulatorScope(loop));
}

interface Loop {
  fold: FoldExpression;
  scope: Scope | undefined;
  accumulated: CelValue | EvaluationError;
}

/** One step of a loop; false when the loop need not go on. A step that fails may be made good by a later one. */
function evaluateRound(run: Run, loop: Loop, [first, second]: [CelValue, CelValue]): boolean {
  const { fold } = loop;
  let scope: Scope = { name: fold.variable, value: first, parent: accumulatorScope(loop) };
  if (fold.second !== undefined) scope = { name: fold.second, value: second, parent: scope };
  if (evaluateIn(run, fold.condition, scope) !== true) return false;
  try {
    loop.accumulated = evaluateIn(run, fold.step, scope);
  } catch (error) {
    if (!(error instanceof EvaluationError)) throw error;
    loop.accumulated = error;
  }
  return true;
}

function initialOf(run: Run, fold: FoldExpression, scope: Scope | undefined): CelValue | EvaluationError {
  try {
    const value = evaluateIn(run, fold.initial, scope);
    return fold.initial.kind === 'list' && fold.initial.items.length === 0 ? growingList() : value;
  } catch (error) {
    if (error instanceof EvaluationError) return error;
    throw error;
  }
}

/** An accumulator that failed fails again when it is read, inside of the `||` or `&&` that may swallow it. */
function accumulatorScope({ fold, scope, accumulated }: Loop): Scope {
  const name = fold.accumulator;
  if (!(accumulated instanceof EvaluationError)) return { name, value: accumulated, parent: scope };
  return {
    name,
    get value(): CelValue {
      throw accumulated;
    },
    parent: scope,
  };
}
