import { unreachable } from '#base/assert.ts';
import type { Json } from '#base/json.ts';
import { binary } from './arithmetic.ts';
import { bindPatterns } from './bind.ts';
import { type Builtin, builtinOf } from './builtins.ts';
import { formatText } from './formats.ts';
import { deletePaths, getPath, indexOf, updatePath } from './paths.ts';
import { preludeDefinition } from './prelude.ts';
import { assertOnTrail, functionOf, type Item, labelOf, type Scope, stepsOf, type Trail, variableOf } from './scope.ts';
import type { Definition, Node, UpdateOperator } from './syntax.ts';
import { isJqObject, JqError, JqLimit, maxTextLength, shown, sortedKeys, toText, truthy } from './value.ts';

class Break extends Error {
  readonly id: object;
  constructor(id: object) {
    super('break');
    this.id = id;
  }
}

const maxDepth = 1500;

/** One run of a program: its limits, and the walk over its tree. */
export class Evaluation {
  #fuel: number;
  #depth = 0;

  constructor(fuel: number) {
    this.#fuel = fuel;
  }

  /** Counts work; throws JqLimit when the program has used up what it may. */
  spend(amount = 1): void {
    this.#fuel -= amount;
    if (this.#fuel < 0) throw new JqLimit('the expression takes too many steps');
  }

  /** What was made has to be kept, too. */
  #spendOn(made: Json): void {
    if (typeof made === 'string') this.spend(1 + (made.length >> 4));
    else this.spend(Array.isArray(made) ? 1 + made.length : isJqObject(made) ? 1 + Object.keys(made).length : 1);
  }

  *run(node: Node, scope: Scope, input: Item): Generator<Item> {
    this.spend();
    switch (node.kind) {
      case 'identity':
        yield input;
        return;
      case 'literal':
        yield { value: node.value, trail: input.trail };
        return;
      case 'variable':
        yield { value: variableOf(scope, node.name), trail: input.trail };
        return;
      case 'pipe':
        for (const left of this.run(node.left, scope, input)) yield* this.run(node.right, scope, left);
        return;
      case 'comma':
        yield* this.run(node.left, scope, input);
        yield* this.run(node.right, scope, input);
        return;
      case 'index':
      case 'slice':
      case 'iterate':
        yield* this.#access(node, scope, input);
        return;
      case 'if':
        yield* this.#conditional(node, scope, input);
        return;
      case 'try':
        yield* this.#attempt(node, scope, input);
        return;
      case 'alternative':
        yield* this.#alternative(node, scope, input);
        return;
      case 'reduce':
      case 'foreach':
        yield* this.#fold(node, scope, input);
        return;
      case 'bind':
        for (const value of this.values(node.source, scope, input.value))
          yield* bindPatterns(this, { patterns: node.patterns, value, scope, input }, (inner) =>
            this.run(node.body, inner, input),
          );
        return;
      case 'label':
        yield* this.#label(node, scope, input);
        return;
      case 'break':
        throw new Break(labelOf(scope, node.name));
      case 'define':
        yield* this.run(node.body, { kind: 'function', definition: node.definition, outer: scope }, input);
        return;
      case 'call':
        // Handing a result up through all callers costs, too.
        for (const item of this.#call(node, scope, input)) {
          this.spend();
          yield item;
        }
        return;
      default:
        for (const value of this.#computed(node, scope, input.value)) yield { value, trail: input.trail };
    }
  }

  /** The values of a filter, without the paths to them. */
  *values(node: Node, scope: Scope, value: Json): Generator<Json> {
    for (const item of this.run(node, scope, { value, trail: undefined })) yield item.value;
  }

  *#computed(node: Node, scope: Scope, input: Json): Generator<Json> {
    switch (node.kind) {
      case 'negate':
        for (const value of this.values(node.of, scope, input)) {
          if (typeof value !== 'number') throw new JqError(`cannot negate: ${shown(value)}`);
          yield -value;
        }
        return;
      case 'binary':
        for (const right of this.values(node.right, scope, input))
          for (const left of this.values(node.left, scope, input)) {
            const made = binary(node.operator, left, right);
            this.#spendOn(made);
            yield made;
          }
        return;
      case 'and':
      case 'or':
        for (const left of this.values(node.left, scope, input)) {
          if (truthy(left) === (node.kind === 'or')) yield node.kind === 'or';
          else for (const right of this.values(node.right, scope, input)) yield truthy(right);
        }
        return;
      case 'update':
        yield* this.#update(node, scope, input);
        return;
      case 'array':
        yield node.of ? this.#collect(node.of, scope, input) : [];
        return;
      case 'object':
        yield* this.#object(node.entries, 0, { scope, input, made: {} });
        return;
      case 'text':
        yield* this.#text(node, 0, '', { scope, input });
        return;
      case 'format':
        yield formatText(node.format, input);
        return;
      default:
        throw new Error(`${node.kind} is no computed value`);
    }
  }

  #collect(node: Node, scope: Scope, input: Json): Json[] {
    const out: Json[] = [];
    for (const value of this.values(node, scope, input)) {
      this.spend();
      out.push(value);
    }
    return out;
  }

  *#access(node: Node & { kind: 'index' | 'slice' | 'iterate' }, scope: Scope, input: Item): Generator<Item> {
    if (node.kind === 'iterate') {
      for (const of of this.run(node.of, scope, input)) if (!node.optional || isIterable(of)) yield* this.iterate(of);
      return;
    }
    if (node.kind === 'index') {
      for (const key of this.#side(node.key, node.optional, scope, input))
        for (const of of this.run(node.of, scope, input)) yield* this.#taken(node.optional, of, key);
      return;
    }
    for (const start of this.#side(node.from, node.optional, scope, input))
      for (const end of this.#side(node.to, node.optional, scope, input))
        for (const of of this.run(node.of, scope, input)) yield* this.#taken(node.optional, of, { start, end });
  }

  *#taken(optional: boolean | undefined, of: Item, key: Json): Generator<Item> {
    let item: Item;
    try {
      item = this.step(of, key, indexOf(of.value, key));
    } catch (error) {
      if (optional && error instanceof JqError) return;
      throw error;
    }
    yield item;
  }

  /** The values of what stands in brackets. */
  *#side(node: Node | undefined, optional: boolean | undefined, scope: Scope, input: Item): Generator<Json> {
    if (!node) yield null;
    else if (optional)
      for (const item of this.#attempt({ kind: 'try', body: node, handler: undefined }, scope, plain(input)))
        yield item.value;
    else yield* this.values(node, scope, input.value);
  }

  /** One step further from an item. */
  step(from: Item, step: Json, value: Json): Item {
    if (!from.trail) return { value, trail: undefined };
    assertOnTrail(from, 'invalid path against');
    return { value, trail: { parent: from.trail, step, value } };
  }

  *iterate(item: Item): Generator<Item> {
    const { value } = item;
    if (Array.isArray(value)) {
      if (item.trail) assertOnTrail(item, 'invalid path on iterating against');
      for (const [index, below] of value.entries()) {
        this.spend();
        yield this.step(item, index, below);
      }
    } else if (isJqObject(value)) {
      if (item.trail) assertOnTrail(item, 'invalid path on iterating against');
      for (const key of sortedKeys(value)) {
        this.spend();
        yield this.step(item, key, value[key] ?? null);
      }
    } else throw new JqError(`cannot iterate over: ${shown(value)}`);
  }

  *#conditional(node: Node & { kind: 'if' }, scope: Scope, input: Item): Generator<Item> {
    for (const condition of this.values(node.condition, scope, input.value)) {
      if (truthy(condition)) yield* this.run(node.yes, scope, input);
      else if (node.no) yield* this.run(node.no, scope, input);
      else yield input;
    }
  }

  *#attempt(node: Node & { kind: 'try' }, scope: Scope, input: Item): Generator<Item> {
    const items = this.run(node.body, scope, input);
    let raised: JqError;
    for (;;) {
      let next: IteratorResult<Item>;
      try {
        next = items.next();
      } catch (error) {
        // Only what the body itself raises: what is done with its results is not tried.
        if (!(error instanceof JqError)) throw error;
        raised = error;
        break;
      }
      if (next.done) return;
      yield next.value;
    }
    if (node.handler) yield* this.run(node.handler, scope, { value: raised.value, trail: input.trail });
  }

  *#alternative(node: { left: Node; right: Node }, scope: Scope, input: Item): Generator<Item> {
    let found = false;
    for (const item of this.run(node.left, scope, input)) {
      if (!truthy(item.value)) continue;
      found = true;
      yield item;
    }
    if (!found) yield* this.run(node.right, scope, input);
  }

  *#fold(node: Node & { kind: 'reduce' | 'foreach' }, scope: Scope, input: Item): Generator<Item> {
    const extract = node.kind === 'foreach' ? node.extract : undefined;
    for (const initial of this.run(node.initial, scope, input)) {
      let state = initial;
      for (const value of this.values(node.source, scope, input.value)) {
        const bound = { patterns: node.patterns, value, scope, input: state };
        const from = state;
        const steps = bindPatterns(this, bound, (inner) => this.#stepped(node.update, extract, inner, from));
        for (const { next, out } of steps) {
          state = next;
          if (node.kind === 'foreach' && out) yield out;
        }
      }
      if (node.kind === 'reduce') yield state;
    }
  }

  *#stepped(
    update: Node,
    extract: Node | undefined,
    scope: Scope,
    from: Item,
  ): Generator<{ next: Item; out: Item | undefined }> {
    for (const next of this.run(update, scope, from)) {
      if (!extract) yield { next, out: next };
      else {
        yield { next, out: undefined };
        for (const out of this.run(extract, scope, next)) yield { next, out };
      }
    }
  }

  *#label(node: Node & { kind: 'label' }, scope: Scope, input: Item): Generator<Item> {
    const id = {};
    try {
      yield* this.run(node.body, { kind: 'label', name: node.name, id, outer: scope }, input);
    } catch (error) {
      if (!(error instanceof Break) || error.id !== id) throw error;
    }
  }

  *#object(
    entries: readonly { key: Node; value: Node }[],
    at: number,
    context: { scope: Scope; input: Json; made: { [key: string]: Json } },
  ): Generator<Json> {
    const entry = entries[at];
    if (!entry) {
      yield context.made;
      return;
    }
    for (const key of this.values(entry.key, context.scope, context.input)) {
      if (typeof key !== 'string') throw new JqError(`expected a string for object key but got: ${shown(key)}`);
      for (const value of this.values(entry.value, context.scope, context.input))
        yield* this.#object(entries, at + 1, { ...context, made: { ...context.made, [key]: value } });
    }
  }

  *#text(
    node: Node & { kind: 'text' },
    at: number,
    before: string,
    context: { scope: Scope; input: Json },
  ): Generator<string> {
    const part = node.parts[at];
    if (part === undefined) {
      yield before;
      return;
    }
    if (before.length > maxTextLength) throw new JqLimit(`a text of more than ${maxTextLength} characters`);
    if (typeof part === 'string') {
      yield* this.#text(node, at + 1, before + part, context);
      return;
    }
    for (const value of this.values(part, context.scope, context.input)) {
      const text = node.format === undefined ? toText(value) : formatText(node.format, value);
      yield* this.#text(node, at + 1, before + text, context);
    }
  }

  *#update(node: Node & { kind: 'update' }, scope: Scope, input: Json): Generator<Json> {
    if (node.operator === '|=') {
      yield this.#modify(node.left, scope, input, (old) => first(this.values(node.right, scope, old)));
      return;
    }
    for (const operand of this.values(node.right, scope, input)) {
      const put = node.operator === '=' ? () => operand : (old: Json) => updated(node.operator, old, operand);
      yield this.#modify(node.left, scope, input, put);
    }
  }

  /** Changes what the paths name, one after the other; those that become nothing are deleted at the end. */
  #modify(paths: Node, scope: Scope, input: Json, change: (old: Json) => Json | undefined): Json {
    let out = input;
    const dropped: Json[] = [];
    for (const path of this.paths(paths, scope, input)) {
      const value = change(getPath(out, path));
      if (value === undefined) dropped.push(path);
      else out = updatePath(out, path, () => value);
      this.spend(path.length);
      this.#spendOn(out);
    }
    return dropped.length === 0 ? out : deletePaths(out, dropped);
  }

  /** The paths that a filter follows. */
  *paths(node: Node, scope: Scope, input: Json): Generator<Json[]> {
    const begin: Trail = { parent: undefined, step: null, value: input };
    for (const item of this.run(node, scope, { value: input, trail: begin })) {
      assertOnTrail(item, 'invalid path against');
      yield stepsOf(item.trail);
    }
  }

  *#call(node: Node & { kind: 'call' }, scope: Scope, input: Item): Generator<Item> {
    this.#depth += 1;
    if (this.#depth > maxDepth) throw new JqLimit('the expression calls itself too deeply');
    try {
      const found = functionOf(scope, node.name, node.parameters.length);
      if (found?.kind === 'filter') yield* this.run(found.closure.body, found.closure.scope, input);
      else if (found) yield* this.#defined(found.definition, found, node.parameters, scope, input);
      else {
        const builtin = builtinOf(node.name, node.parameters.length);
        const prelude = builtin ? undefined : preludeDefinition(node.name, node.parameters.length);
        if (builtin) yield* this.#builtin(builtin, node.parameters, scope, input);
        else if (prelude) yield* this.#defined(prelude, undefined, node.parameters, scope, input);
        else throw new Error(`${node.name}/${node.parameters.length} was not checked`);
      }
    } finally {
      this.#depth -= 1;
    }
  }

  *#defined(definition: Definition, outer: Scope, given: readonly Node[], scope: Scope, input: Item): Generator<Item> {
    let inner: Scope = outer;
    const bound: { name: string; node: Node }[] = [];
    for (const [at, parameter] of definition.parameters.entries()) {
      const body = given[at];
      if (!body) continue;
      const name = parameter.startsWith('$') ? parameter.slice(1) : parameter;
      inner = { kind: 'filter', name, closure: { body, scope }, outer: inner };
      if (parameter.startsWith('$')) bound.push({ name, node: body });
    }
    yield* this.#bound(definition.body, bound, inner, scope, input);
  }

  *#bound(
    body: Node,
    bound: readonly { name: string; node: Node }[],
    inner: Scope,
    scope: Scope,
    input: Item,
  ): Generator<Item> {
    const [next, ...rest] = bound;
    if (!next) {
      yield* this.run(body, inner, input);
      return;
    }
    for (const value of this.values(next.node, scope, input.value))
      yield* this.#bound(body, rest, { kind: 'variable', name: next.name, value, outer: inner }, scope, input);
  }

  *#builtin(builtin: Builtin, given: readonly Node[], scope: Scope, input: Item): Generator<Item> {
    if (builtin.kind === 'special') {
      const filters = given.map((node) => ({
        run: (item: Item) => this.run(node, scope, item),
        values: (value: Json) => this.values(node, scope, value),
        paths: (value: Json) => this.paths(node, scope, value),
      }));
      yield* builtin.run(this, input, filters);
      return;
    }
    for (const values of this.#product(given, scope, input.value)) {
      const value = builtin.run(input.value, values);
      this.#spendOn(value);
      yield { value, trail: input.trail };
    }
  }

  /** All combinations of the arguments, the first one changing fastest. */
  *#product(given: readonly Node[], scope: Scope, input: Json): Generator<Json[]> {
    const last = given.at(-1);
    if (!last) {
      yield [];
      return;
    }
    for (const value of this.values(last, scope, input))
      for (const before of this.#product(given.slice(0, -1), scope, input)) yield [...before, value];
  }
}

function plain(item: Item): Item {
  return { value: item.value, trail: undefined };
}

function isIterable({ value, trail }: Item): boolean {
  const holds = Array.isArray(value) || isJqObject(value);
  return holds && (trail === undefined || trail.value === value);
}

function first(values: Generator<Json>): Json | undefined {
  for (const value of values) return value;
  return undefined;
}

function updated(operator: UpdateOperator, old: Json, operand: Json): Json {
  switch (operator) {
    case '=':
    case '|=':
      return operand;
    case '//=':
      return truthy(old) ? old : operand;
    case '+=':
      return binary('+', old, operand);
    case '-=':
      return binary('-', old, operand);
    case '*=':
      return binary('*', old, operand);
    case '/=':
      return binary('/', old, operand);
    case '%=':
      return binary('%', old, operand);
    default:
      return unreachable(operator);
  }
}
