import { JsonnetError } from './error.ts';
import { formatText } from './format.ts';
import { toText } from './manifest.ts';
import { bitOperation, compare, equal, finite, integerOf, numberOf, textOf } from './operators.ts';
import type { BinaryOperator } from './syntax.ts';
import { charactersOf, JsonnetArray, JsonnetObject, Thunk, typeOf, type Value } from './values.ts';

/** `target[index]`. */
export function elementAt(target: Value, index: Value): Value {
  if (target instanceof JsonnetObject) {
    const name = textOf(index, 'the index of an object');
    const value = target.get(name);
    if (value === undefined) throw new JsonnetError(`field does not exist: ${name}`);
    return value;
  }
  if (target instanceof JsonnetArray) {
    const at = integerOf(index, 'the index of an array');
    const item = target.items[at];
    if (!item || at < 0) throw new JsonnetError(`index ${at} out of bounds, not within [0, ${target.items.length})`);
    return item.force();
  }
  if (typeof target === 'string') {
    const at = integerOf(index, 'the index of a string');
    const character = charactersOf(target)[at];
    if (character === undefined) throw new JsonnetError(`index ${at} out of bounds of a string`);
    return character;
  }
  throw new JsonnetError(`${typeOf(target)} cannot be indexed`);
}

/** `target[from:to:step]`; negative bounds count from the end. */
export function slice(
  target: Value,
  bounds: { from: number | undefined; to: number | undefined; step: number | undefined },
): Value {
  const text = typeof target === 'string';
  if (!text && !(target instanceof JsonnetArray)) throw new JsonnetError(`${typeOf(target)} cannot be sliced`);
  const items: readonly (string | Thunk)[] = text ? charactersOf(target) : target.items;
  const step = bounds.step ?? 1;
  if (step <= 0) throw new JsonnetError(`the step of a slice must be greater than 0, got ${step}`);
  const { length } = items;
  const place = (bound: number | undefined, fallback: number) =>
    bound === undefined ? fallback : bound < 0 ? Math.max(0, length + bound) : Math.min(bound, length);
  const out: (string | Thunk)[] = [];
  const end = place(bounds.to, length);
  for (let at = place(bounds.from, 0); at < end; at += step) {
    const item = items[at];
    if (item !== undefined) out.push(item);
  }
  return text ? out.join('') : new JsonnetArray(out.filter((item) => item instanceof Thunk));
}

export function add(left: Value, right: Value): Value {
  if (typeof left === 'number' && typeof right === 'number') return finite(left + right);
  if (typeof left === 'string' || typeof right === 'string') return toText(left) + toText(right);
  if (left instanceof JsonnetArray && right instanceof JsonnetArray)
    return new JsonnetArray([...left.items, ...right.items]);
  if (left instanceof JsonnetObject && right instanceof JsonnetObject) return left.join(right);
  throw new JsonnetError(`${typeOf(left)} and ${typeOf(right)} cannot be added`);
}

export function remainder(left: Value, right: Value): Value {
  if (typeof left === 'string') return formatText(left, right);
  const divisor = numberOf(right, 'the right side of %');
  if (divisor === 0) throw new JsonnetError('division by zero');
  return numberOf(left, 'the left side of %') % divisor;
}

type Operation = (left: Value, right: Value) => Value;

const operations: Record<Exclude<BinaryOperator, '&&' | '||'>, Operation> = {
  '+': add,
  '-': (left, right) => finite(numberOf(left, 'the left side of -') - numberOf(right, 'the right side of -')),
  '*': (left, right) => finite(numberOf(left, 'the left side of *') * numberOf(right, 'the right side of *')),
  '/': (left, right) => {
    const divisor = numberOf(right, 'the right side of /');
    if (divisor === 0) throw new JsonnetError('division by zero');
    return finite(numberOf(left, 'the left side of /') / divisor);
  },
  '%': remainder,
  '<<': (left, right) => bitOperation('<<', left, right),
  '>>': (left, right) => bitOperation('>>', left, right),
  '<': (left, right) => compare(left, right) < 0,
  '>': (left, right) => compare(left, right) > 0,
  '<=': (left, right) => compare(left, right) <= 0,
  '>=': (left, right) => compare(left, right) >= 0,
  in: (left, right) => {
    if (!(right instanceof JsonnetObject))
      throw new JsonnetError(`the right side of in must be an object, got ${typeOf(right)}`);
    return right.has(textOf(left, 'the left side of in'), true);
  },
  '==': equal,
  '!=': (left, right) => !equal(left, right),
  '&': (left, right) => bitOperation('&', left, right),
  '^': (left, right) => bitOperation('^', left, right),
  '|': (left, right) => bitOperation('|', left, right),
};

export function binaryOperation(operator: Exclude<BinaryOperator, '&&' | '||'>): Operation {
  return operations[operator];
}
