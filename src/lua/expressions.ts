import type { Evaluate, EvaluateMany, Frame, Variable } from './frame.ts';
import { readLocal } from './frame.ts';
import {
  type Arithmetic,
  arithmetic,
  call,
  concatenate,
  equal,
  index,
  lengthOf,
  less,
  lessOrEqual,
  type Machine,
  negate,
  rawSet,
} from './machine.ts';
import type { Reader } from './reader.ts';
import { Scope } from './scope.ts';
import { blockOf } from './statements.ts';
import { type LuaFunction, LuaTable, type LuaValue, truthy } from './value.ts';

/** An expression; `many` is there where it may give any number of values, `assign` where it may be written to. */
export interface Expression {
  one: Evaluate;
  many?: EvaluateMany;
  call?: true;
  assign?: (frame: Frame, value: LuaValue) => void;
  target?: { object: Evaluate; key: Evaluate; line: number };
}

export function values(list: readonly Expression[]): EvaluateMany {
  const last = list.at(-1);
  const ones = list.map((expression) => expression.one);
  const many = last?.many;
  if (many === undefined) return (frame) => ones.map((one) => one(frame));
  const first = ones.slice(0, -1);
  return (frame) => {
    const results = first.map((one) => one(frame));
    for (const value of many(frame)) results.push(value);
    return results;
  };
}

export function expressionList(reader: Reader): Expression[] {
  const list = [expression(reader)];
  while (reader.takes(',')) list.push(expression(reader));
  return list;
}

export function nameExpression(reader: Reader, name: string): Expression {
  const place = reader.scope.resolve(name);
  switch (place.at) {
    case 'local':
      return {
        one: (frame) => readLocal(frame, place.slot),
        assign: (frame, value) => {
          const variable = frame.locals[place.slot];
          if (variable !== undefined) variable.value = value;
        },
      };
    case 'captured':
      return {
        one: (frame) => frame.captured[place.slot]?.value,
        assign: (frame, value) => {
          const variable = frame.captured[place.slot];
          if (variable !== undefined) variable.value = value;
        },
      };
    case 'global':
      return {
        one: (frame) => frame.machine.globals.get(name),
        assign: (frame, value) => rawSet(frame.machine, frame.machine.globals, name, value),
      };
  }
}

export function member(object: Evaluate, key: Evaluate, line: number): Expression {
  return {
    one: (frame) => {
      const value = object(frame);
      const at = key(frame);
      if (value instanceof LuaTable) {
        const found = value.get(at);
        if (found !== undefined) return found;
      }
      frame.machine.budget.line = line;
      return index(frame.machine, value, at);
    },
    target: { object, key, line },
  };
}

function calling(callee: Evaluate, args: EvaluateMany, line: number): Expression {
  const many: EvaluateMany = (frame) => {
    const target = callee(frame);
    const given = args(frame);
    frame.machine.budget.line = line;
    return call(frame.machine, target, given);
  };
  return { one: (frame) => many(frame)[0], many, call: true };
}

function callingMethod(object: Evaluate, method: { name: string; args: EvaluateMany; line: number }): Expression {
  const many: EvaluateMany = (frame) => {
    const self = object(frame);
    frame.machine.budget.line = method.line;
    const target = index(frame.machine, self, method.name);
    const given = [self, ...method.args(frame)];
    frame.machine.budget.line = method.line;
    return call(frame.machine, target, given);
  };
  return { one: (frame) => many(frame)[0], many, call: true };
}

function callArguments(reader: Reader): EvaluateMany {
  if (reader.is('string')) {
    const text = reader.take().text;
    return () => [text];
  }
  if (reader.is('{')) return values([tableConstructor(reader)]);
  reader.expect('(');
  const list = reader.is(')') ? [] : expressionList(reader);
  reader.expect(')');
  return values(list);
}

/** A name or a parenthesis with what follows it: members, indexes, calls. */
export function suffixed(reader: Reader): Expression {
  let at: Expression;
  if (reader.takes('(')) {
    const inner = expression(reader);
    reader.expect(')');
    at = { one: inner.one };
  } else at = nameExpression(reader, reader.expect('name').text);
  for (;;) {
    const line = reader.line;
    const object = at.one;
    if (reader.takes('.')) {
      const name = reader.expect('name').text;
      at = member(object, () => name, line);
    } else if (reader.takes('[')) {
      const key = expression(reader);
      reader.expect(']');
      at = member(object, key.one, line);
    } else if (reader.takes(':')) {
      const name = reader.expect('name').text;
      at = callingMethod(object, { name, args: callArguments(reader), line });
    } else if (reader.is('(') || reader.is('string') || reader.is('{'))
      at = calling(object, callArguments(reader), line);
    else return at;
  }
}

function tableConstructor(reader: Reader): Expression {
  reader.expect('{');
  const pairs: { key: Evaluate; value: Evaluate }[] = [];
  const items: Expression[] = [];
  while (!reader.is('}')) {
    if (reader.is('name') && reader.followedBy('=')) {
      const name = reader.take().text;
      reader.expect('=');
      pairs.push({ key: () => name, value: expression(reader).one });
    } else if (reader.takes('[')) {
      const key = expression(reader).one;
      reader.expect(']');
      reader.expect('=');
      pairs.push({ key, value: expression(reader).one });
    } else items.push(expression(reader));
    if (!reader.takes(',') && !reader.takes(';')) break;
  }
  reader.expect('}');
  const list = values(items);
  return {
    one: (frame) => {
      const table = new LuaTable();
      frame.machine.budget.step();
      frame.machine.budget.allocate(64);
      for (const { key, value } of pairs) rawSet(frame.machine, table, key(frame), value(frame));
      list(frame).forEach((value, at) => {
        rawSet(frame.machine, table, at + 1, value);
      });
      return table;
    },
  };
}

interface Prototype {
  scope: Scope;
  parameters: number[];
  body: (frame: Frame) => LuaValue[];
}

function parameterNames(reader: Reader): { names: string[]; varargs: boolean } {
  const names: string[] = [];
  let varargs = false;
  reader.expect('(');
  while (!reader.is(')')) {
    if (reader.takes('...')) {
      varargs = true;
      break;
    }
    names.push(reader.expect('name').text);
    if (!reader.takes(',')) break;
  }
  reader.expect(')');
  return { names, varargs };
}

function instantiate(prototype: Prototype, captured: readonly Variable[]): LuaFunction {
  const { parameters, body, scope } = prototype;
  return {
    call: (machine: Machine, args) => {
      const locals: Variable[] = [];
      parameters.forEach((slot, at) => {
        locals[slot] = { value: args[at] };
      });
      return body({ machine, locals, captured, varargs: scope.varargs ? args.slice(parameters.length) : [] });
    },
  };
}

/** A function from its parameters on; `self` for one that was declared with a colon. */
export function functionBody(reader: Reader, self: boolean): Expression {
  const { names, varargs } = parameterNames(reader);
  const scope = new Scope(reader.scope, varargs);
  reader.scope = scope;
  const parameters = (self ? ['self', ...names] : names).map((name) => scope.declare(name));
  const block = blockOf(reader);
  reader.expect('end');
  reader.scope = scope.parent ?? scope;
  const prototype: Prototype = {
    scope,
    parameters,
    body: (frame) => {
      const ending = block(frame);
      return ending?.how === 'return' ? ending.values : [];
    },
  };
  return {
    one: (frame) => {
      frame.machine.budget.allocate(64);
      const captured = scope.captures.map(({ fromLocal, slot }) => {
        const variable = fromLocal ? frame.locals[slot] : frame.captured[slot];
        return variable ?? { value: undefined };
      });
      return instantiate(prototype, captured);
    },
  };
}

function simple(reader: Reader): Expression {
  const { kind } = reader.token;
  switch (kind) {
    case 'number': {
      const { value } = reader.take();
      return { one: () => value };
    }
    case 'string': {
      const { text } = reader.take();
      return { one: () => text };
    }
    case 'nil':
      reader.take();
      return { one: () => undefined };
    case 'true':
    case 'false':
      reader.take();
      return { one: () => kind === 'true' };
    case '...':
      if (!reader.scope.varargs) throw reader.error("cannot use '...' outside a vararg function");
      reader.take();
      return { one: (frame) => frame.varargs[0], many: (frame) => [...frame.varargs] };
    case '{':
      return tableConstructor(reader);
    case 'function':
      reader.take();
      return functionBody(reader, false);
    default:
      return suffixed(reader);
  }
}

/** Left and right binding power. */
const powers: Record<string, readonly [number, number]> = {
  or: [1, 1],
  and: [2, 2],
  '<': [3, 3],
  '>': [3, 3],
  '<=': [3, 3],
  '>=': [3, 3],
  '~=': [3, 3],
  '==': [3, 3],
  '..': [5, 4],
  '+': [6, 6],
  '-': [6, 6],
  '*': [7, 7],
  '/': [7, 7],
  '%': [7, 7],
  '^': [10, 9],
};
const unaryPower = 8;

const operations: Record<string, Arithmetic> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'mod',
  '^': 'pow',
};

type Operate = (machine: Machine, a: LuaValue, b: LuaValue) => LuaValue;

const comparisons: Record<string, Operate> = {
  '==': equal,
  '~=': (machine, a, b) => !equal(machine, a, b),
  '<': less,
  '<=': lessOrEqual,
  '>': (machine, a, b) => less(machine, b, a),
  '>=': (machine, a, b) => lessOrEqual(machine, b, a),
  '..': concatenate,
};

function binary(operator: string, sides: { left: Evaluate; right: Evaluate }, line: number): Evaluate {
  const { left, right } = sides;
  if (operator === 'and')
    return (frame) => {
      const value = left(frame);
      return truthy(value) ? right(frame) : value;
    };
  if (operator === 'or')
    return (frame) => {
      const value = left(frame);
      return truthy(value) ? value : right(frame);
    };
  const operation = operations[operator];
  const operate: Operate | undefined =
    operation === undefined ? comparisons[operator] : (machine, a, b) => arithmetic(machine, operation, [a, b]);
  return (frame) => {
    const a = left(frame);
    const b = right(frame);
    frame.machine.budget.line = line;
    return operate?.(frame.machine, a, b);
  };
}

function unary(reader: Reader): Expression {
  const line = reader.line;
  const operator = reader.token.kind;
  if (operator !== 'not' && operator !== '-' && operator !== '#') return simple(reader);
  reader.take();
  const { one } = expression(reader, unaryPower);
  if (operator === 'not') return { one: (frame) => !truthy(one(frame)) };
  const operate = operator === '-' ? negate : lengthOf;
  return {
    one: (frame) => {
      const value = one(frame);
      frame.machine.budget.line = line;
      return operate(frame.machine, value);
    },
  };
}

function operators(reader: Reader, limit: number): Expression {
  let left = unary(reader);
  for (;;) {
    const operator = reader.token.kind;
    const [binds, then] = powers[operator] ?? [0, 0];
    if (binds <= limit) return left;
    const line = reader.line;
    reader.take();
    const right = expression(reader, then);
    left = { one: binary(operator, { left: left.one, right: right.one }, line) };
  }
}

/** An expression whose operators bind stronger than `limit`. */
export function expression(reader: Reader, limit = 0): Expression {
  return reader.nested(() => operators(reader, limit));
}
