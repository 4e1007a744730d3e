import type { Json } from '#base/json.ts';
import { add } from './arithmetic.ts';
import { collections } from './collections.ts';
import type { Evaluation } from './evaluate.ts';
import { math } from './math.ts';
import { deletePaths, getPath, updatePath } from './paths.ts';
import { regexes } from './regex.ts';
import type { Item } from './scope.ts';
import { texts } from './texts.ts';
import { JqError, JqLimit, shown, truthy, typeOf } from './value.ts';

/** How deep `recurse` and `until` go. */
const maxStack = 10_000;

function deeper(stack: readonly unknown[]): void {
  if (stack.length > maxStack) throw new JqLimit('the expression recurses too deeply');
}

/** An argument of a function that takes filters. */
export interface Filter {
  run(item: Item): Generator<Item>;
  values(value: Json): Generator<Json>;
  paths(value: Json): Generator<Json[]>;
}

export type ValueFunction = (input: Json, given: Json[]) => Json;
type SpecialFunction = (evaluation: Evaluation, input: Item, filters: Filter[]) => Generator<Item>;

export type Builtin = { kind: 'value'; run: ValueFunction } | { kind: 'special'; run: SpecialFunction };

/** Depth first, by a stack of its own: a program may recurse as far as its steps reach. */
function* recurse(evaluation: Evaluation, input: Item, filters: Filter[]): Generator<Item> {
  const [follow, condition] = filters;
  yield input;
  const stack = [below(evaluation, input, follow)];
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const { value: item, done } = top.next();
    evaluation.spend();
    if (done) stack.pop();
    else if (!condition || holds(condition, item.value)) {
      yield item;
      stack.push(below(evaluation, item, follow));
      deeper(stack);
    }
  }
}

function below(evaluation: Evaluation, item: Item, follow: Filter | undefined): Iterator<Item, undefined> {
  if (follow) return Iterator.from(follow.run(item));
  const type = typeOf(item.value);
  return type === 'array' || type === 'object' ? Iterator.from(evaluation.iterate(item)) : Iterator.from([]);
}

function holds(condition: Filter, value: Json): boolean {
  for (const result of condition.values(value)) if (truthy(result)) return true;
  return false;
}

function* numbers(filter: Filter | undefined, input: Json): Generator<number> {
  for (const value of filter ? filter.values(input) : []) {
    if (typeof value !== 'number') throw new JqError(`range cannot be applied to: ${shown(value)}`);
    yield value;
  }
}

function* range(evaluation: Evaluation, input: Item, filters: Filter[]): Generator<Item> {
  const [from, to, by] = filters;
  const { value, trail } = input;
  for (const start of filters.length === 1 ? [0] : numbers(from, value))
    for (const end of numbers(filters.length === 1 ? from : to, value))
      for (const step of by ? numbers(by, value) : [1])
        for (let at = start; step > 0 ? at < end : step < 0 ? at > end : start < end; at += step) {
          evaluation.spend();
          yield { value: at, trail };
        }
}

function count(value: Json, name: string): number {
  if (typeof value !== 'number') throw new JqError(`${name} cannot be applied to: ${shown(value)}`);
  if (value < 0) throw new JqError(`${name} doesn't support negative ${name === 'nth' ? 'index' : 'count'}`);
  return value;
}

function* limit(items: Generator<Item>, most: number): Generator<Item> {
  if (most <= 0) return;
  let left = most;
  for (const item of items) {
    left -= 1;
    yield item;
    if (left <= 0) return;
  }
}

function* skip(items: Generator<Item>, first: number): Generator<Item> {
  let left = first;
  for (const item of items) {
    left -= 1;
    if (left < 0) yield item;
  }
}

/** `limit`, `skip`, `nth`: a number, and a filter of which some results are taken. */
function counted(name: string, choose: (items: Generator<Item>, number: number) => Generator<Item>): SpecialFunction {
  return function* (_evaluation, input, [amount, filter]) {
    for (const value of amount?.values(input.value) ?? [])
      if (filter) yield* choose(filter.run(input), count(value, name));
  };
}

/** `any` and `all`, with their one or two arguments. */
function quantified(wanted: boolean): SpecialFunction {
  return function* (evaluation, input, filters) {
    const condition = filters.at(-1);
    const source = filters.length === 2 ? filters[0]?.run(input) : evaluation.iterate(input);
    let found = false;
    search: for (const item of source ?? [])
      for (const result of condition ? condition.values(item.value) : [item.value])
        if (truthy(result) === wanted) {
          found = true;
          break search;
        }
    yield { value: found === wanted, trail: input.trail };
  };
}

function* select(_evaluation: Evaluation, input: Item, [condition]: Filter[]): Generator<Item> {
  for (const result of condition?.values(input.value) ?? []) if (truthy(result)) yield input;
}

/** Steps on until the condition holds, by a stack of its own. */
function* until(evaluation: Evaluation, input: Item, [condition, next]: Filter[]): Generator<Item> {
  const stack: Iterator<Item>[] = [Iterator.from([input])];
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const { value: item, done } = top.next();
    evaluation.spend();
    if (done) stack.pop();
    else
      for (const met of condition?.values(item.value) ?? [])
        if (truthy(met)) yield item;
        else if (next) {
          deeper(stack);
          stack.push(Iterator.from(next.run(item)));
        }
  }
}

const special: Record<string, SpecialFunction> = {
  'empty/0': function* () {},
  'path/1': function* (_evaluation, input, [filter]) {
    for (const path of filter?.paths(input.value) ?? []) yield { value: path, trail: input.trail };
  },
  'del/1': function* (_evaluation, input, [filter]) {
    yield { value: deletePaths(input.value, [...(filter?.paths(input.value) ?? [])]), trail: input.trail };
  },
  'getpath/1': function* (evaluation, input, [path]) {
    for (const steps of path?.values(input.value) ?? []) {
      if (!Array.isArray(steps)) throw new JqError(`getpath cannot be applied to: ${shown(steps)}`);
      let item: Item = input;
      for (const [at, step] of steps.entries())
        item = evaluation.step(item, step, getPath(input.value, steps.slice(0, at + 1)));
      yield item;
    }
  },
  'recurse/0': recurse,
  'recurse/1': recurse,
  'recurse/2': recurse,
  'range/1': range,
  'range/2': range,
  'range/3': range,
  'select/1': select,
  'limit/2': counted('limit', limit),
  'skip/2': counted('skip', skip),
  'nth/2': counted('nth', (items, number) => limit(skip(items, number), 1)),
  'first/1': function* (_evaluation, input, [filter]) {
    if (filter) yield* limit(filter.run(input), 1);
  },
  'last/1': function* (_evaluation, input, [filter]) {
    let last: Item | undefined;
    for (const item of filter?.run(input) ?? []) last = item;
    if (last) yield last;
  },
  'isempty/1': function* (_evaluation, input, [filter]) {
    const { done } = filter?.run(input).next() ?? {};
    yield { value: done === true, trail: input.trail };
  },
  'any/0': quantified(true),
  'any/1': quantified(true),
  'any/2': quantified(true),
  'all/0': quantified(false),
  'all/1': quantified(false),
  'all/2': quantified(false),
  'until/2': until,
  'add/1': function* (evaluation, input, [filter]) {
    let sum: Json = null;
    for (const value of filter?.values(input.value) ?? []) {
      evaluation.spend();
      sum = add(sum, value);
    }
    yield { value: sum, trail: input.trail };
  },
};

const values: Record<string, ValueFunction> = {
  'delpaths/1': (input, [paths = null]) => {
    if (!Array.isArray(paths)) throw new JqError(`delpaths cannot be applied to: ${shown(paths)}`);
    return deletePaths(input, paths);
  },
  'setpath/2': (input, [path = null, value = null]) => {
    if (!Array.isArray(path)) throw new JqError(`setpath cannot be applied to: ${shown(path)}`);
    return updatePath(input, path, () => value);
  },
  'error/0': (input) => {
    throw new JqError(input);
  },
  'error/1': (_input, [message = null]) => {
    throw new JqError(message);
  },
  'env/0': () => ({}),
  'halt_error/0': (input) => {
    throw new JqError(input);
  },
  ...collections,
  ...texts,
  ...regexes,
  ...math,
};

const table = new Map<string, Builtin>([
  ...Object.entries(values).map(([name, run]) => [name, { kind: 'value', run }] as const),
  ...Object.entries(special).map(([name, run]) => [name, { kind: 'special', run }] as const),
]);

export function builtinOf(name: string, parameters: number): Builtin | undefined {
  return table.get(`${name}/${parameters}`);
}
