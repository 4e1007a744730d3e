import { assign, assignAll, freshen, moreGeneral, type Substitutions, substitute } from './assign.ts';
import { isKeyword } from './escape.ts';
import type { Overload } from './overload.ts';
import type { CallExpression, Expression, FoldExpression, Issue, SelectExpression } from './syntax.ts';
import {
  bool,
  bytes,
  type CelType,
  double,
  durationType,
  dyn,
  errorType,
  int,
  isDynamic,
  listOf,
  mapOf,
  nullType,
  optionalOf,
  param,
  paramOf,
  string,
  timestampType,
  typeOf,
  typeText,
  uint,
} from './type.ts';
import type { CelValue } from './value.ts';

export interface Declarations {
  variables: ReadonlyMap<string, CelType>;
  functions: ReadonlyMap<string, readonly Overload[]>;
}

/** What is known of an expression that has no mistakes. */
export interface Checked {
  type: CelType;
  typeOf(expression: Expression): CelType;
  /** The overloads that fit a call; more than one when an argument is dynamic. */
  overloadsOf(call: CallExpression): readonly Overload[];
  /** A call that names a function by a path, as `optional.of(x)`, has no receiver. */
  isQualified(call: CallExpression): boolean;
}

interface State {
  declarations: Declarations;
  substitutions: Substitutions;
  types: Map<Expression, CelType>;
  overloads: Map<CallExpression, readonly Overload[]>;
  qualified: Set<CallExpression>;
  scopes: Map<string, CelType>[];
  fresh: number;
  issues: Issue[];
}

/** Gives every part of an expression its type, and every call its overloads; mistakes go to `issues`. */
export function check(expression: Expression, declarations: Declarations, issues: Issue[]): Checked {
  const state: State = {
    declarations,
    substitutions: new Map(),
    types: new Map(),
    overloads: new Map(),
    qualified: new Set(),
    scopes: [],
    fresh: 0,
    issues,
  };
  const type = infer(state, expression);
  const settled = (of: CelType): CelType => substitute(state.substitutions, of, 'dyn');
  return {
    type: settled(type),
    typeOf: (part) => settled(state.types.get(part) ?? dyn),
    overloadsOf: (call) => state.overloads.get(call) ?? [],
    isQualified: (call) => state.qualified.has(call),
  };
}

/** Names of types as expressions: `type(x) == int`. */
const typeNames = new Map<string, CelType>([
  ['bool', bool],
  ['bytes', bytes],
  ['double', double],
  ['dyn', dyn],
  ['int', int],
  ['list', listOf(dyn)],
  ['map', mapOf(dyn, dyn)],
  ['null_type', nullType],
  ['string', string],
  ['type', typeOf(dyn)],
  ['uint', uint],
  ['optional_type', optionalOf(dyn)],
  ['google.protobuf.Timestamp', timestampType],
  ['google.protobuf.Duration', durationType],
]);

export function isTypeName(name: string): boolean {
  return typeNames.has(name);
}

function infer(state: State, expression: Expression): CelType {
  const type = inferKind(state, expression);
  state.types.set(expression, type);
  return type;
}

function inferKind(state: State, expression: Expression): CelType {
  switch (expression.kind) {
    case 'literal':
      return literalType(expression.value);
    case 'ident':
      return lookup(state, expression.name) ?? undeclared(state, expression.at, expression.name);
    case 'select':
      return inferSelect(state, expression);
    case 'call':
      return inferCall(state, expression);
    case 'list':
      return inferList(state, expression.items);
    case 'map':
      return inferMap(state, expression.entries);
    case 'struct':
      return undeclared(state, expression.at, expression.name);
    case 'fold':
      return inferFold(state, expression);
  }
}

function literalType(value: CelValue): CelType {
  if (value === null) return nullType;
  switch (typeof value) {
    case 'boolean':
      return bool;
    case 'bigint':
      return int;
    case 'number':
      return double;
    case 'string':
      return string;
    default:
      return value instanceof Uint8Array ? bytes : uint;
  }
}

function report(state: State, at: number, message: string): CelType {
  state.issues.push({ at, message });
  return errorType;
}

function undeclared(state: State, at: number, name: string): CelType {
  return report(state, at, `undeclared reference to '${name}' (in container '')`);
}

function mismatch(state: State, at: number, { wanted, found }: { wanted: CelType; found: CelType }): CelType {
  const shown = (type: CelType): string => typeText(substitute(state.substitutions, type, 'keep'));
  return report(state, at, `expected type '${shown(wanted)}' but found '${shown(found)}'`);
}

function lookup(state: State, name: string): CelType | undefined {
  for (const scope of state.scopes.toReversed()) {
    const found = scope.get(name);
    if (found !== undefined) return found;
  }
  const declared = state.declarations.variables.get(name);
  if (declared !== undefined) return declared;
  const type = typeNames.get(name);
  return type === undefined ? undefined : typeOf(type);
}

/** `a.b.c` of plain selections. */
export function qualifiedName(expression: Expression): string | undefined {
  if (expression.kind === 'ident') return expression.name;
  if (expression.kind !== 'select' || expression.mode !== 'value') return undefined;
  const prefix = qualifiedName(expression.operand);
  return prefix === undefined ? undefined : `${prefix}.${expression.field}`;
}

function inferSelect(state: State, expression: SelectExpression): CelType {
  const { operand, field, mode, at } = expression;
  const name = qualifiedName(expression);
  const typeName = name === undefined ? undefined : typeNames.get(name);
  if (typeName !== undefined) return typeOf(typeName);
  const operandType = substitute(state.substitutions, infer(state, operand), 'keep');
  const isOptional = operandType.kind === 'optional';
  const target = isOptional ? paramOf(operandType, 0) : operandType;
  const found = fieldType(state, target, { field, at });
  if (mode === 'test') return bool;
  return isOptional || mode === 'optional' ? optionalOf(found) : found;
}

function fieldType(state: State, target: CelType, { field, at }: { field: string; at: number }): CelType {
  switch (target.kind) {
    case 'map':
      return paramOf(target, 1);
    case 'object':
      return (
        target.fields?.get(field) ??
        (isKeyword(field) ? target.fields?.get(`__${field}__`) : undefined) ??
        report(state, at, `undefined field '${field}'`)
      );
    case 'param':
      state.substitutions = assign(state.substitutions, dyn, target) ?? state.substitutions;
      return dyn;
    default:
      if (!isDynamic(target)) report(state, at, `type '${typeText(target)}' does not support field selection`);
      return dyn;
  }
}

function inferCall(state: State, call: CallExpression): CelType {
  const { name, target, args } = call;
  const argTypes = args.map((argument) => infer(state, argument));
  const { functions } = state.declarations;
  if (target !== undefined) {
    const prefix = qualifiedName(target);
    const qualified = prefix === undefined ? undefined : functions.get(`${prefix}.${name}`);
    if (qualified !== undefined) {
      state.qualified.add(call);
      return resolve(state, call, { overloads: qualified, argTypes, isMethod: false });
    }
    argTypes.unshift(infer(state, target));
  }
  const overloads = functions.get(name);
  if (overloads === undefined) return undeclared(state, call.at, name);
  return resolve(state, call, { overloads, argTypes, isMethod: target !== undefined });
}

function resolve(
  state: State,
  call: CallExpression,
  { overloads, argTypes, isMethod }: { overloads: readonly Overload[]; argTypes: CelType[]; isMethod: boolean },
): CelType {
  if (call.name === '_&&_' || call.name === '_||_') {
    state.overloads.set(call, overloads);
    return inferLogic(state, call, argTypes);
  }
  const fitting: Overload[] = [];
  let result: CelType | undefined;
  for (const overload of overloads) {
    if (overload.method !== isMethod) continue;
    const [returned = dyn, ...wanted] = freshen([overload.result, ...overload.args], () => nextParam(state));
    const substitutions = assignAll(state.substitutions, argTypes, wanted);
    if (substitutions === undefined) continue;
    state.substitutions = substitutions;
    fitting.push(overload);
    const own = substitute(substitutions, returned, 'keep');
    if (result === undefined) result = own;
    else if (result.kind !== 'dyn' && typeText(result) !== typeText(own)) result = dyn;
  }
  state.overloads.set(call, fitting);
  if (result !== undefined) return result;
  const shown = argTypes.map((type) => typeText(substitute(state.substitutions, type, 'dyn')));
  const [receiver = '', ...rest] = shown;
  const signature = isMethod ? `${receiver}.(${rest.join(', ')})` : `(${shown.join(', ')})`;
  const name = overloads[0]?.name ?? call.name;
  return report(state, call.at, `found no matching overload for '${name}' applied to '${signature}'`);
}

function inferLogic(state: State, call: CallExpression, argTypes: CelType[]): CelType {
  let result = bool;
  for (const [index, type] of argTypes.entries()) {
    const substitutions = assign(state.substitutions, type, bool);
    if (substitutions !== undefined) state.substitutions = substitutions;
    else result = mismatch(state, call.args[index]?.at ?? call.at, { wanted: bool, found: type });
  }
  return result;
}

function nextParam(state: State): string {
  state.fresh += 1;
  return `_var${state.fresh}`;
}

/** Elements of different types make a literal dynamic; whether they may is looked at later. */
function join(state: State, before: CelType | undefined, now: CelType): CelType {
  if (before === undefined) return now;
  const substitutions = assign(state.substitutions, before, now);
  if (substitutions === undefined) return dyn;
  state.substitutions = substitutions;
  return moreGeneral(before, now);
}

function inferList(state: State, items: { value: Expression; optional: boolean }[]): CelType {
  let element: CelType | undefined;
  for (const { value, optional } of items) element = join(state, element, inferElement(state, value, optional));
  return listOf(element ?? param(nextParam(state)));
}

function inferMap(state: State, entries: { key: Expression; value: Expression; optional: boolean }[]): CelType {
  let key: CelType | undefined;
  let value: CelType | undefined;
  for (const entry of entries) {
    key = join(state, key, infer(state, entry.key));
    value = join(state, value, inferElement(state, entry.value, entry.optional));
  }
  return mapOf(key ?? param(nextParam(state)), value ?? param(nextParam(state)));
}

/** `?value` in a literal is the value inside of an optional. */
function inferElement(state: State, value: Expression, optional: boolean): CelType {
  const type = infer(state, value);
  if (!optional) return type;
  const settled = substitute(state.substitutions, type, 'keep');
  if (settled.kind === 'optional') return paramOf(settled, 0);
  if (!isDynamic(settled)) mismatch(state, value.at, { wanted: optionalOf(settled), found: settled });
  return settled;
}

function inferFold(state: State, fold: FoldExpression): CelType {
  const range = substitute(state.substitutions, infer(state, fold.range), 'keep');
  const accumulated = infer(state, fold.initial);
  state.scopes.push(new Map([[fold.accumulator, accumulated]]));
  const [first, second] = loopTypes(state, fold, range);
  const scope = new Map([[fold.variable, first]]);
  if (fold.second !== undefined) scope.set(fold.second, second);
  state.scopes.push(scope);
  requireType(state, fold.condition, bool);
  requireType(state, fold.step, accumulated);
  state.scopes.pop();
  const result = infer(state, fold.result);
  state.scopes.pop();
  return substitute(state.substitutions, result, 'keep');
}

function loopTypes(state: State, fold: FoldExpression, range: CelType): [CelType, CelType] {
  const two = fold.second !== undefined;
  switch (range.kind) {
    case 'list':
      return two ? [int, paramOf(range, 0)] : [paramOf(range, 0), dyn];
    case 'map':
      return [paramOf(range, 0), paramOf(range, 1)];
    case 'dyn':
    case 'error':
      return [dyn, dyn];
    case 'param':
      state.substitutions = assign(state.substitutions, dyn, range) ?? state.substitutions;
      return [dyn, dyn];
    default: {
      const why = 'cannot be range of a comprehension (must be list, map, or dynamic)';
      report(state, fold.range.at, `expression of type '${typeText(range)}' ${why}`);
      return [errorType, errorType];
    }
  }
}

function requireType(state: State, expression: Expression, wanted: CelType): void {
  const found = infer(state, expression);
  const substitutions = assign(state.substitutions, wanted, found);
  if (substitutions !== undefined) state.substitutions = substitutions;
  else mismatch(state, expression.at, { wanted, found });
}
