import { type Path, stepsOf } from './estimate-path.ts';
import type { Program } from './program.ts';
import type { Expression } from './syntax.ts';
import { type CelType, paramOf } from './type.ts';

/** The least and most of a size or a cost. */
export interface Bounds {
  min: number;
  max: number;
}

export interface Entries {
  key: Bounds;
  value: Bounds;
}

export interface Local {
  path: Path | undefined;
  size: Bounds | undefined;
  entries: Entries | undefined;
}

export interface State {
  program: Program;
  root: CelType;
  locals: Map<string, Local[]>;
  paths: Map<Expression, Path>;
  sizes: Map<Expression, Bounds>;
  entries: Map<Expression, Entries>;
}

export const unknown: Bounds = { min: 0, max: Number.POSITIVE_INFINITY };

export function fixed(value: number): Bounds {
  return { min: value, max: value };
}

export function plus(...parts: Bounds[]): Bounds {
  return {
    min: parts.reduce((sum, { min }) => sum + min, 0),
    max: parts.reduce((sum, { max }) => sum + max, 0),
  };
}

export function times(a: Bounds, b: Bounds): Bounds {
  return { min: product(a.min, b.min), max: product(a.max, b.max) };
}

/** Nothing times without limit is nothing. */
export function product(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b;
}

export function scaled({ min, max }: Bounds, factor: number): Bounds {
  return { min: Math.ceil(min * factor), max: Math.ceil(max * factor) };
}

export function union(a: Bounds, b: Bounds): Bounds {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

export function localOf(state: State, name: string): Local | undefined {
  return state.locals.get(name)?.at(-1);
}

export function withLocal<T>(state: State, locals: [string, Local][], run: () => T): T {
  for (const [name, local] of locals) {
    const stack = state.locals.get(name) ?? [];
    stack.push(local);
    state.locals.set(name, stack);
  }
  const result = run();
  for (const [name] of locals) state.locals.get(name)?.pop();
  return result;
}

export function pathOf(state: State, expression: Expression): Path | undefined {
  if (expression.kind === 'ident') {
    const local = localOf(state, expression.name);
    if (local !== undefined) return local.path;
  }
  return state.paths.get(expression);
}

export function sizeOr(state: State, expression: Expression): Bounds {
  return sizeOf(state, expression) ?? unknown;
}

export function sizeOf(state: State, expression: Expression): Bounds | undefined {
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

export function literalSize(expression: Expression): number | undefined {
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

export function isScalar(type: CelType): boolean {
  if (type.kind === 'optional') return isScalar(paramOf(type, 0));
  return ['bool', 'double', 'duration', 'int', 'timestamp', 'uint'].includes(type.kind);
}

/** What the schema says at a path that starts at `self` or `oldSelf`. */
export function declaredSize(root: CelType, path: readonly string[]): Bounds | undefined {
  const [first, ...rest] = path;
  if (first === undefined) return undefined;
  let type: CelType | undefined = root;
  for (const step of rest) {
    if (step === '@items' || step === '@values') type = type.params[type.params.length - 1];
    else if (step === '@keys') type = type.kind === 'map' ? type.params[0] : undefined;
    else type = type.fields?.get(step);
    if (type === undefined) return undefined;
  }
  return { min: 0, max: type.maxElements ?? 0 };
}

export function entriesOf(state: State, expression: Expression): Entries | undefined {
  const known = state.entries.get(expression);
  if (known !== undefined) return known;
  return expression.kind === 'ident' ? localOf(state, expression.name)?.entries : undefined;
}
