import type { Json } from '#base/json.ts';
import type { Evaluation } from './evaluate.ts';
import { indexOf } from './paths.ts';
import type { Item, Scope } from './scope.ts';
import type { Pattern } from './syntax.ts';
import { JqError, shown } from './value.ts';

export interface Binding {
  patterns: readonly Pattern[];
  value: Json;
  scope: Scope;
  /** What expressions inside a pattern are asked of. */
  input: Item;
}

/**
 * Runs `body` for every way in which the value fits the pattern. Of several patterns the next one is tried when one does
 * not fit or its body fails; all their variables are known, as null, in each.
 */
export function* bindPatterns<T>(
  evaluation: Evaluation,
  binding: Binding,
  body: (scope: Scope) => Generator<T>,
): Generator<T> {
  const { patterns, value, input } = binding;
  let scope = binding.scope;
  if (patterns.length > 1)
    for (const name of new Set(patterns.flatMap(namesOf)))
      scope = { kind: 'variable', name, value: null, outer: scope };
  for (const [at, pattern] of patterns.entries()) {
    const last = at === patterns.length - 1;
    try {
      for (const inner of bindOne(evaluation, pattern, value, { scope, input: input.value })) yield* body(inner);
      return;
    } catch (error) {
      if (last || !(error instanceof JqError)) throw error;
    }
  }
}

export function namesOf(pattern: Pattern): string[] {
  if (pattern.kind === 'variable') return [pattern.name];
  if (pattern.kind === 'array') return pattern.items.flatMap(namesOf);
  return pattern.entries.flatMap(({ variable, value }) => [
    ...(variable === undefined ? [] : [variable]),
    ...(value ? namesOf(value) : []),
  ]);
}

interface Place {
  scope: Scope;
  input: Json;
}

function* bindOne(evaluation: Evaluation, pattern: Pattern, value: Json, place: Place): Generator<Scope> {
  evaluation.spend();
  switch (pattern.kind) {
    case 'variable':
      yield { kind: 'variable', name: pattern.name, value, outer: place.scope };
      return;
    case 'array':
      if (value !== null && !Array.isArray(value)) throw new JqError(`expected an array but got: ${shown(value)}`);
      yield* bindItems(evaluation, pattern.items, 0, value ?? [], place);
      return;
    default:
      yield* bindEntries(evaluation, pattern.entries, value, place);
  }
}

function* bindItems(
  evaluation: Evaluation,
  items: readonly Pattern[],
  at: number,
  list: readonly Json[],
  place: Place,
): Generator<Scope> {
  const item = items[at];
  if (!item) {
    yield place.scope;
    return;
  }
  for (const scope of bindOne(evaluation, item, list[at] ?? null, place))
    yield* bindItems(evaluation, items, at + 1, list, { ...place, scope });
}

function* bindEntries(
  evaluation: Evaluation,
  entries: (Pattern & { kind: 'object' })['entries'],
  value: Json,
  place: Place,
): Generator<Scope> {
  const [entry, ...rest] = entries;
  if (!entry) {
    yield place.scope;
    return;
  }
  for (const key of evaluation.values(entry.key, place.scope, place.input)) {
    if (typeof key !== 'string') throw new JqError(`expected a string for object key but got: ${shown(key)}`);
    const found = indexOf(value, key);
    let scope = place.scope;
    if (entry.variable !== undefined) scope = { kind: 'variable', name: entry.variable, value: found, outer: scope };
    const inner = entry.value ? bindOne(evaluation, entry.value, found, { ...place, scope }) : [scope];
    for (const next of inner) yield* bindEntries(evaluation, rest, value, { ...place, scope: next });
  }
}
