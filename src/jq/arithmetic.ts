import { unreachable } from '#base/assert.ts';
import type { Json } from '#base/json.ts';
import type { BinaryOperator } from './syntax.ts';
import { compare, isJqObject, JqError, JqLimit, type JqObject, maxTextLength, member, shown } from './value.ts';

export function binary(operator: BinaryOperator, left: Json, right: Json): Json {
  switch (operator) {
    case '+':
      return add(left, right);
    case '-':
      return subtract(left, right);
    case '*':
      return multiply(left, right);
    case '/':
      return divide(left, right);
    case '%':
      return modulo(left, right);
    case '==':
      return compare(left, right) === 0;
    case '!=':
      return compare(left, right) !== 0;
    case '<':
      return compare(left, right) < 0;
    case '<=':
      return compare(left, right) <= 0;
    case '>':
      return compare(left, right) > 0;
    case '>=':
      return compare(left, right) >= 0;
    default:
      return unreachable(operator);
  }
}

export function add(left: Json, right: Json): Json {
  if (left === null) return right;
  if (right === null) return left;
  if (typeof left === 'number' && typeof right === 'number') return left + right;
  if (typeof left === 'string' && typeof right === 'string') return limited(left + right);
  if (Array.isArray(left) && Array.isArray(right)) return [...left, ...right];
  if (isJqObject(left) && isJqObject(right)) return { ...left, ...right };
  throw new JqError(`cannot add: ${shown(left)} and ${shown(right)}`);
}

function limited(text: string): string {
  if (text.length > maxTextLength) throw new JqLimit(`a text of more than ${maxTextLength} characters`);
  return text;
}

function subtract(left: Json, right: Json): Json {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (Array.isArray(left) && Array.isArray(right))
    return left.filter((item) => !right.some((other) => compare(item, other) === 0));
  throw new JqError(`cannot subtract: ${shown(left)} and ${shown(right)}`);
}

function multiply(left: Json, right: Json): Json {
  if (typeof left === 'number' && typeof right === 'number') return left * right;
  if (typeof left === 'string' && typeof right === 'number') return repeat(left, right);
  if (typeof left === 'number' && typeof right === 'string') return repeat(right, left);
  if (isJqObject(left) && isJqObject(right)) return deepMerge(left, right);
  throw new JqError(`cannot multiply: ${shown(left)} and ${shown(right)}`);
}

function repeat(text: string, times: number): Json {
  if (Number.isNaN(times) || times < 0) return null;
  if (text.length * times > maxTextLength)
    throw new JqError(`repeat string result too large: ${JSON.stringify(text)} * ${times}`);
  return text.repeat(Math.trunc(times));
}

function deepMerge(left: JqObject, right: JqObject): JqObject {
  const out = { ...left };
  for (const [key, value] of Object.entries(right)) {
    const old = member(left, key);
    const merged = isJqObject(old) && isJqObject(value) ? deepMerge(old, value) : value;
    Object.defineProperty(out, key, { value: merged, enumerable: true, writable: true, configurable: true });
  }
  return out;
}

function divide(left: Json, right: Json): Json {
  if (typeof left === 'number' && typeof right === 'number') {
    if (right === 0) throw new JqError(`cannot divide ${shown(left)} by: ${shown(right)}`);
    return left / right;
  }
  if (typeof left === 'string' && typeof right === 'string') return splitText(left, right);
  throw new JqError(`cannot divide: ${shown(left)} and ${shown(right)}`);
}

export function splitText(text: string, separator: string): string[] {
  if (text === '') return [];
  return separator === '' ? Array.from(text) : text.split(separator);
}

function modulo(left: Json, right: Json): Json {
  if (typeof left !== 'number' || typeof right !== 'number')
    throw new JqError(`cannot modulo: ${shown(left)} and ${shown(right)}`);
  if (Number.isNaN(left) || Number.isNaN(right)) return Number.NaN;
  const divisor = Math.abs(Math.trunc(right));
  if (divisor === 0) throw new JqError(`cannot modulo ${shown(left)} by: ${shown(right)}`);
  const rest = Math.trunc(left) % divisor;
  return rest === 0 ? 0 : rest;
}
