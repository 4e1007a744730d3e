import {
  type Expression,
  expression,
  expressionList,
  functionBody,
  member,
  nameExpression,
  suffixed,
  values,
} from './expressions.ts';
import type { Ending, Evaluate, Execute, Frame } from './frame.ts';
import { call, failure, setIndex } from './machine.ts';
import type { Reader } from './reader.ts';
import { type LuaValue, truthy } from './value.ts';

const blockEnds = new Set(['end', 'else', 'elseif', 'until', 'end of file']);
const broken: Ending = { how: 'break' };

interface Block {
  statements: Execute[];
  labels: Map<string, number>;
}

function run(block: Block, frame: Frame): Ending {
  const { statements, labels } = block;
  for (let at = 0; at < statements.length; at += 1) {
    const ending = statements[at]?.(frame);
    if (ending === undefined) continue;
    const label = ending.how === 'goto' ? labels.get(ending.label) : undefined;
    if (label === undefined) return ending;
    frame.machine.budget.step();
    at = label - 1;
  }
  return undefined;
}

function statementsOf(reader: Reader): Execute {
  const block: Block = { statements: [], labels: new Map() };
  while (!blockEnds.has(reader.token.kind)) {
    if (reader.takes(';')) continue;
    if (reader.takes('::')) {
      block.labels.set(reader.expect('name').text, block.statements.length);
      reader.expect('::');
      continue;
    }
    const last = reader.is('return') || reader.is('break');
    block.statements.push(reader.nested(() => statement(reader)));
    if (last) {
      reader.takes(';');
      if (!blockEnds.has(reader.token.kind)) throw reader.error('syntax error');
    }
  }
  return (frame) => run(block, frame);
}

/** The statements up to the word that ends them, in a block of their own. */
export function blockOf(reader: Reader): Execute {
  reader.scope.openBlock();
  const block = statementsOf(reader);
  reader.scope.closeBlock();
  return block;
}

function ifStatement(reader: Reader): Execute {
  const branches: { when: Evaluate; block: Execute }[] = [];
  let otherwise: Execute | undefined;
  do {
    reader.take();
    const when = expression(reader).one;
    reader.expect('then');
    branches.push({ when, block: blockOf(reader) });
  } while (reader.is('elseif'));
  if (reader.takes('else')) otherwise = blockOf(reader);
  reader.expect('end');
  return (frame) => {
    for (const { when, block } of branches) if (truthy(when(frame))) return block(frame);
    return otherwise?.(frame);
  };
}

function whileStatement(reader: Reader): Execute {
  const line = reader.take().line;
  const when = expression(reader).one;
  reader.expect('do');
  const block = blockOf(reader);
  reader.expect('end');
  return (frame) => {
    while (truthy(when(frame))) {
      frame.machine.budget.line = line;
      frame.machine.budget.step();
      const ending = block(frame);
      if (ending !== undefined) return ending.how === 'break' ? undefined : ending;
    }
    return undefined;
  };
}

/** The condition sees the locals of the block. */
function repeatStatement(reader: Reader): Execute {
  const line = reader.take().line;
  reader.scope.openBlock();
  const block = statementsOf(reader);
  reader.expect('until');
  const until = expression(reader).one;
  reader.scope.closeBlock();
  return (frame) => {
    do {
      frame.machine.budget.line = line;
      frame.machine.budget.step();
      const ending = block(frame);
      if (ending !== undefined) return ending.how === 'break' ? undefined : ending;
    } while (!truthy(until(frame)));
    return undefined;
  };
}

function numericFor(reader: Reader, name: string, line: number): Execute {
  const bounds = expressionList(reader).map((bound) => bound.one);
  if (bounds.length < 2 || bounds.length > 3) throw reader.error('syntax error');
  reader.expect('do');
  reader.scope.openBlock();
  const slot = reader.scope.declare(name);
  const block = blockOf(reader);
  reader.scope.closeBlock();
  reader.expect('end');
  return (frame) => {
    const { budget } = frame.machine;
    const [start, limit, step = 1] = bounds.map((bound, at) => {
      const number = bound(frame);
      if (typeof number === 'number') return number;
      budget.line = line;
      throw failure(frame.machine, `for statement ${['init', 'limit', 'step'][at]} must be a number`);
    });
    if (start === undefined || limit === undefined) return undefined;
    for (let at = start; step > 0 ? at <= limit : at >= limit; at += step) {
      budget.line = line;
      budget.step();
      frame.locals[slot] = { value: at };
      const ending = block(frame);
      if (ending !== undefined) return ending.how === 'break' ? undefined : ending;
    }
    return undefined;
  };
}

function genericFor(reader: Reader, names: readonly string[], line: number): Execute {
  const given = values(expressionList(reader));
  reader.expect('do');
  reader.scope.openBlock();
  const slots = names.map((name) => reader.scope.declare(name));
  const block = blockOf(reader);
  reader.scope.closeBlock();
  reader.expect('end');
  return (frame) => {
    const [iterator, state, first] = given(frame);
    let control = first;
    for (;;) {
      frame.machine.budget.line = line;
      const results = call(frame.machine, iterator, [state, control]);
      control = results[0];
      if (control === undefined) return undefined;
      slots.forEach((slot, at) => {
        frame.locals[slot] = { value: results[at] };
      });
      const ending = block(frame);
      if (ending !== undefined) return ending.how === 'break' ? undefined : ending;
    }
  };
}

function forStatement(reader: Reader): Execute {
  const { line } = reader.take();
  const names = [reader.expect('name').text];
  if (reader.takes('=')) return numericFor(reader, names[0] ?? '', line);
  while (reader.takes(',')) names.push(reader.expect('name').text);
  reader.expect('in');
  return genericFor(reader, names, line);
}

function functionStatement(reader: Reader): Execute {
  const { line } = reader.take();
  let target = nameExpression(reader, reader.expect('name').text);
  let self = false;
  while (!self && (reader.is('.') || reader.is(':'))) {
    self = reader.take().kind === ':';
    const name = reader.expect('name').text;
    target = member(target.one, () => name, line);
  }
  const body = functionBody(reader, self);
  const write = writer(reader, target);
  return (frame) => {
    write(frame)(body.one(frame));
    return undefined;
  };
}

function localStatement(reader: Reader): Execute {
  reader.take();
  if (reader.takes('function')) {
    const slot = reader.scope.declare(reader.expect('name').text);
    const body = functionBody(reader, false);
    return (frame) => {
      const variable = { value: undefined as LuaValue };
      frame.locals[slot] = variable;
      variable.value = body.one(frame);
      return undefined;
    };
  }
  const names = [reader.expect('name').text];
  while (reader.takes(',')) names.push(reader.expect('name').text);
  const list = reader.takes('=') ? values(expressionList(reader)) : () => [];
  const slots = names.map((name) => reader.scope.declare(name));
  return (frame) => {
    const given = list(frame);
    slots.forEach((slot, at) => {
      frame.locals[slot] = { value: given[at] };
    });
    return undefined;
  };
}

/** Evaluates where to write now, and writes later: in `a, a.b = 1, 2` the old `a` gets `b`. */
function writer(reader: Reader, target: Expression): (frame: Frame) => (value: LuaValue) => void {
  const { assign, target: member } = target;
  if (assign !== undefined) return (frame) => (value) => assign(frame, value);
  if (member === undefined) throw reader.error('syntax error');
  return (frame) => {
    const object = member.object(frame);
    const key = member.key(frame);
    return (value) => {
      frame.machine.budget.line = member.line;
      setIndex(frame.machine, { target: object, key, value });
    };
  };
}

function expressionStatement(reader: Reader): Execute {
  const first = suffixed(reader);
  if (!reader.is('=') && !reader.is(',')) {
    const { many } = first;
    if (first.call === undefined || many === undefined) throw reader.error('syntax error');
    return (frame) => {
      many(frame);
      return undefined;
    };
  }
  const targets = [writer(reader, first)];
  while (reader.takes(',')) targets.push(writer(reader, suffixed(reader)));
  reader.expect('=');
  const list = values(expressionList(reader));
  return (frame) => {
    const writes = targets.map((target) => target(frame));
    const given = list(frame);
    writes.forEach((write, at) => {
      write(given[at]);
    });
    return undefined;
  };
}

function returnStatement(reader: Reader): Execute {
  reader.take();
  const list = blockEnds.has(reader.token.kind) || reader.is(';') ? () => [] : values(expressionList(reader));
  return (frame) => ({ how: 'return', values: list(frame) });
}

function statement(reader: Reader): Execute {
  switch (reader.token.kind) {
    case 'if':
      return ifStatement(reader);
    case 'while':
      return whileStatement(reader);
    case 'do': {
      reader.take();
      const block = blockOf(reader);
      reader.expect('end');
      return block;
    }
    case 'for':
      return forStatement(reader);
    case 'repeat':
      return repeatStatement(reader);
    case 'function':
      return functionStatement(reader);
    case 'local':
      return localStatement(reader);
    case 'return':
      return returnStatement(reader);
    case 'break':
      reader.take();
      return () => broken;
    case 'goto': {
      reader.take();
      const label = reader.expect('name').text;
      return () => ({ how: 'goto', label });
    }
    default:
      return expressionStatement(reader);
  }
}
