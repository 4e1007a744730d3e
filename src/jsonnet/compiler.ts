import { unreachable } from '#base/assert.ts';
import { add, binaryOperation, elementAt, slice } from './access.ts';
import { JsonnetError, placeOf, type Source } from './error.ts';
import type { Import } from './lexer.ts';
import { toText } from './manifest.ts';
import { arrayOf, booleanOf, complement, functionOf, integerOf, numberOf, textOf } from './operators.ts';
import type { Assertion, Binding, Field, Node, Spec } from './syntax.ts';
import {
  type Code,
  Environment,
  type FieldDefinition,
  JsonnetArray,
  JsonnetFunction,
  JsonnetObject,
  type Layer,
  Thunk,
  type Value,
} from './values.ts';

/** What a program can reach beside itself. */
export interface Surroundings {
  source: Source;
  load: (what: Import) => Value;
}

interface Scope {
  names: string[];
  up: Scope | undefined;
  /** Inside an object: `self` and `$` mean something. */
  inObject: boolean;
}

const maxTrace = 10;

/** Turns trees into code. Names are found here, once, so unknown ones are reported whether the code runs or not. */
export class Compiler {
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** The code of a whole program, run in a scope whose only slot is `std`. */
  program(node: Node): Code {
    return this.#code(node, { names: ['std'], up: undefined, inObject: false });
  }

  #fault(message: string, at: number): JsonnetError {
    return new JsonnetError(message, placeOf(this.#around.source, at));
  }

  /** Errors of the code get this place, unless they have one. */
  #placed(at: number, code: Code): Code {
    return (environment) => {
      try {
        return code(environment);
      } catch (error) {
        if (error instanceof JsonnetError && error.place === undefined) error.place = placeOf(this.#around.source, at);
        throw error;
      }
    };
  }

  #code(node: Node, scope: Scope): Code {
    switch (node.kind) {
      case 'literal': {
        const { value } = node;
        return () => value;
      }
      case 'self':
        this.#needObject('self', node.at, scope);
        return selfOf;
      case 'dollar':
        this.#needObject('$', node.at, scope);
        return this.#variable('$', node.at, scope);
      case 'variable':
        return this.#variable(node.name, node.at, scope);
      case 'array': {
        const items = node.items.map((item) => this.#lazy(item, scope));
        return (environment) => new JsonnetArray(items.map((item) => item(environment)));
      }
      case 'array-comprehension':
        return this.#arrayComprehension(node, scope);
      case 'object':
        return this.#object(node, scope);
      case 'object-comprehension':
        return this.#objectComprehension(node, scope);
      case 'index': {
        const target = this.#code(node.target, scope);
        const index = this.#code(node.index, scope);
        return this.#placed(node.at, (environment) => elementAt(target(environment), index(environment)));
      }
      case 'super-index':
        return this.#superIndex(node, scope);
      case 'in-super':
        return this.#inSuper(node, scope);
      case 'slice':
        return this.#slice(node, scope);
      case 'call':
        return this.#call(node, scope);
      case 'local':
        return this.#local(node.bindings, node.body, scope);
      case 'if':
        return this.#if(node, scope);
      case 'binary':
        return this.#binary(node, scope);
      case 'unary':
        return this.#unary(node, scope);
      case 'function':
        return this.#function(node.parameters, node.body, scope);
      case 'assert': {
        const check = this.#assertion(node.assertion, node.at, scope);
        const body = this.#code(node.body, scope);
        return (environment) => {
          check(environment);
          return body(environment);
        };
      }
      case 'import': {
        const { what } = node;
        return this.#placed(node.at, () => this.#around.load(what));
      }
      case 'error': {
        const message = this.#code(node.message, scope);
        return this.#placed(node.at, (environment) => {
          throw new JsonnetError(toText(message(environment)));
        });
      }
      default:
        return unreachable(node);
    }
  }

  #needObject(what: string, at: number, scope: Scope): void {
    if (!scope.inObject) throw this.#fault(`can't use ${what} outside of an object`, at);
  }

  #arrayComprehension(node: Node & { kind: 'array-comprehension' }, scope: Scope): Code {
    const { specs, inner } = this.#specs(node.specs, scope);
    const body = this.#lazy(node.body, inner);
    return this.#placed(node.at, (environment) => {
      const items: Thunk[] = [];
      specs(environment, (each) => items.push(body(each)));
      return new JsonnetArray(items);
    });
  }

  #superIndex(node: Node & { kind: 'super-index' }, scope: Scope): Code {
    this.#needObject('super', node.at, scope);
    const index = this.#code(node.index, scope);
    return this.#placed(node.at, (environment) => {
      const name = textOf(index(environment), 'the index of super');
      const self = selfOf(environment);
      if (environment.layer === 0) throw new JsonnetError('attempt to use super when there is no super class');
      const value = self.getBelow(name, environment.layer);
      if (value === undefined) throw new JsonnetError(`field does not exist: ${name}`);
      return value;
    });
  }

  #inSuper(node: Node & { kind: 'in-super' }, scope: Scope): Code {
    this.#needObject('super', node.at, scope);
    const index = this.#code(node.index, scope);
    return this.#placed(node.at, (environment) =>
      selfOf(environment).hasBelow(textOf(index(environment), 'the left side of in'), environment.layer),
    );
  }

  #slice(node: Node & { kind: 'slice' }, scope: Scope): Code {
    const target = this.#code(node.target, scope);
    const [from, to, step] = [node.from, node.to, node.step].map((part) => part && this.#code(part, scope));
    return this.#placed(node.at, (environment) => {
      const part = (code: Code | undefined) => {
        const value = code?.(environment) ?? null;
        return value === null ? undefined : integerOf(value, 'the bound of a slice');
      };
      return slice(target(environment), { from: part(from), to: part(to), step: part(step) });
    });
  }

  #if(node: Node & { kind: 'if' }, scope: Scope): Code {
    const condition = this.#code(node.condition, scope);
    const then = this.#code(node.then, scope);
    const otherwise = node.otherwise ? this.#code(node.otherwise, scope) : () => null;
    const check = this.#placed(node.at, (environment) => booleanOf(condition(environment), 'the condition of if'));
    return (environment) => (check(environment) === true ? then(environment) : otherwise(environment));
  }

  #unary(node: Node & { kind: 'unary' }, scope: Scope): Code {
    const operand = this.#code(node.operand, scope);
    const { operator } = node;
    return this.#placed(node.at, (environment) => {
      const value = operand(environment);
      if (operator === '!') return !booleanOf(value, 'the operand of !');
      if (operator === '~') return complement(value);
      const number = numberOf(value, `the operand of ${operator}`);
      return operator === '-' ? -number : number;
    });
  }

  #variable(name: string, at: number, scope: Scope): Code {
    let up = 0;
    for (let place: Scope | undefined = scope; place; place = place.up) {
      const slot = place.names.indexOf(name);
      if (slot >= 0) return variableCode(up, slot);
      up += 1;
    }
    throw this.#fault(`unknown variable: ${name}`, at);
  }

  /** A thunk of the expression; constants are made once. */
  #lazy(node: Node, scope: Scope): (environment: Environment) => Thunk {
    if (node.kind === 'literal') {
      const thunk = Thunk.of(node.value);
      return () => thunk;
    }
    const code = this.#code(node, scope);
    return (environment) => new Thunk(code, environment);
  }

  /** Puts thunks of bindings into a new scope, each of which sees all of them. */
  #bindings(bindings: readonly Binding[], scope: Scope): (environment: Environment) => void {
    const values = bindings.map(({ value }) => this.#code(value, scope));
    return (environment) => {
      for (const value of values) environment.slots.push(new Thunk(value, environment));
    };
  }

  #local(bindings: readonly Binding[], body: Node, scope: Scope): Code {
    const inner: Scope = { names: bindings.map(({ name }) => name), up: scope, inObject: scope.inObject };
    const bind = this.#bindings(bindings, inner);
    const code = this.#code(body, inner);
    return (environment) => {
      const own = new Environment(environment);
      bind(own);
      return code(own);
    };
  }

  #function(parameters: readonly { name: string; fallback: Node | undefined }[], body: Node, scope: Scope): Code {
    const inner: Scope = { names: parameters.map(({ name }) => name), up: scope, inObject: scope.inObject };
    const fallbacks = parameters.map(({ fallback }) => fallback && this.#code(fallback, inner));
    const code = this.#code(body, inner);
    const shown = parameters.map(({ name, fallback }) => ({ name, optional: fallback !== undefined }));
    return (environment) =>
      new JsonnetFunction(shown, (args) => {
        const own = new Environment(environment);
        for (const [at, fallback] of fallbacks.entries()) own.slots.push(args[at] ?? new Thunk(fallback, own));
        return code(own);
      });
  }

  #call(node: Node & { kind: 'call' }, scope: Scope): Code {
    const target = this.#code(node.target, scope);
    const positional = node.positional.map((argument) => this.#lazy(argument, scope));
    const named = node.named.map(({ name, value }) => [name, this.#lazy(value, scope)] as const);
    return (environment) => {
      try {
        const args = positional.map((argument) => argument(environment));
        const byName = named.map(([name, argument]) => [name, argument(environment)] as const);
        if (node.strict) for (const argument of args) argument.force();
        return functionOf(target(environment), 'what is called').call(args, byName);
      } catch (error) {
        if (error instanceof JsonnetError) {
          const place = placeOf(this.#around.source, node.at);
          if (error.place === undefined) error.place = place;
          else if (error.trace.length < maxTrace) error.trace.push(place);
        }
        throw error;
      }
    };
  }

  #binary(node: Node & { kind: 'binary' }, scope: Scope): Code {
    const left = this.#code(node.left, scope);
    const right = this.#code(node.right, scope);
    const { operator } = node;
    if (operator === '&&' || operator === '||') {
      const stop = operator === '||';
      return this.#placed(node.at, (environment) => {
        if (booleanOf(left(environment), `the left side of ${operator}`) === stop) return stop;
        return booleanOf(right(environment), `the right side of ${operator}`);
      });
    }
    const operation = binaryOperation(operator);
    return this.#placed(node.at, (environment) => operation(left(environment), right(environment)));
  }

  #assertion(assertion: Assertion, at: number, scope: Scope): Code {
    const condition = this.#code(assertion.condition, scope);
    const message = assertion.message && this.#code(assertion.message, scope);
    return this.#placed(at, (environment) => {
      if (booleanOf(condition(environment), 'the condition of assert')) return null;
      throw new JsonnetError(message ? toText(message(environment)) : 'object assertion failed');
    });
  }

  /** The scope of an object's fields: its locals, and `$` when no object is around it. */
  #objectScope(locals: readonly Binding[], scope: Scope): { inner: Scope; bind: Layer['bind'] } {
    const outermost = !scope.inObject;
    const names = locals.map(({ name }) => name);
    const inner: Scope = { names: outermost ? ['$', ...names] : names, up: scope, inObject: true };
    const bind = this.#bindings(locals, inner);
    return {
      inner,
      bind: (environment) => {
        if (outermost) environment.slots.push(Thunk.of(selfOf(environment)));
        bind(environment);
      },
    };
  }

  #object(node: Node & { kind: 'object' }, scope: Scope): Code {
    const { inner, bind } = this.#objectScope(node.locals, scope);
    const fields = node.fields.map((field) => this.#field(field, { outer: scope, inner }));
    const assertions = node.assertions.map((assertion) => this.#assertion(assertion, assertion.condition.at, inner));
    return this.#placed(node.at, (environment) => {
      const layer: Layer = { fields: new Map(), bind, assertions: [] };
      for (const check of assertions) layer.assertions.push({ check, around: environment });
      for (const field of fields) field(environment, layer.fields);
      return new JsonnetObject([layer]);
    });
  }

  #objectComprehension(node: Node & { kind: 'object-comprehension' }, scope: Scope): Code {
    const { specs, inner: each } = this.#specs(node.specs, scope);
    const { inner, bind } = this.#objectScope(node.locals, each);
    const field = this.#field(node.field, { outer: each, inner });
    return this.#placed(node.at, (environment) => {
      const layer: Layer = { fields: new Map(), bind, assertions: [] };
      specs(environment, (around) => field(around, layer.fields));
      return new JsonnetObject([layer]);
    });
  }

  /** Adds a field to those of an object that stands in an environment. */
  #field(
    field: Field,
    scopes: { outer: Scope; inner: Scope },
  ): (around: Environment, fields: Map<string, FieldDefinition>) => void {
    const name = this.#code(field.name, scopes.outer);
    const code = this.#code(field.value, scopes.inner);
    return (around, fields) => {
      const given = name(around);
      if (given === null) return;
      const key = textOf(given, 'the name of a field');
      if (fields.has(key)) throw new JsonnetError(`duplicate field name: ${JSON.stringify(key)}`);
      fields.set(key, { visibility: field.visibility, body: field.plus ? plusCode(key, code) : code, around });
    };
  }

  #specs(
    specs: readonly Spec[],
    scope: Scope,
  ): { specs: (environment: Environment, visit: (each: Environment) => void) => void; inner: Scope } {
    type Walk = (environment: Environment, visit: (each: Environment) => void) => void;
    let walk: Walk = (environment, visit) => visit(environment);
    let inner = scope;
    for (const spec of specs) {
      const before = walk;
      if (spec.kind === 'if') {
        const condition = this.#code(spec.condition, inner);
        walk = (environment, visit) =>
          before(environment, (each) => {
            if (booleanOf(condition(each), 'the condition of a comprehension')) visit(each);
          });
        continue;
      }
      const over = this.#code(spec.over, inner);
      inner = { names: [spec.name], up: inner, inObject: inner.inObject };
      walk = (environment, visit) =>
        before(environment, (each) => {
          for (const item of arrayOf(over(each), 'what a comprehension goes over').items) {
            const own = new Environment(each);
            own.slots.push(item);
            visit(own);
          }
        });
    }
    return { specs: walk, inner };
  }
}

function selfOf(environment: Environment): JsonnetObject {
  if (!environment.self) throw new JsonnetError("can't use self outside of an object");
  return environment.self;
}

function variableCode(up: number, slot: number): Code {
  return (environment) => {
    let place: Environment | undefined = environment;
    for (let left = up; left > 0; left -= 1) place = place?.up;
    const thunk = place?.slots[slot];
    if (!thunk) throw new JsonnetError('a variable is used before it exists');
    return thunk.force();
  };
}

/** `name+: value`: added to what the lower layers say, if they say something. */
function plusCode(name: string, code: Code): Code {
  return (environment): Value => {
    const below = environment.self?.getBelow(name, environment.layer);
    const own = code(environment);
    return below === undefined ? own : add(below, own);
  };
}
