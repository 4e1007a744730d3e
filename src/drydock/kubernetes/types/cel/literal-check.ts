import type { Checked } from './check.ts';
import { formatMistake } from './functions/format-text.ts';
import { compilePattern } from './functions/pattern.ts';
import { parseDuration, parseTimestamp } from './functions/time-text.ts';
import { library } from './library.ts';
import { type CallExpression, type Expression, type Issue, partsOf } from './syntax.ts';
import { type CelType, paramOf, sameType, typeText } from './type.ts';
import { EvaluationError } from './value.ts';

/** Literals that can never work are mistakes of the rule: durations, times, patterns, formats, and mixed lists and maps. */
export function checkLiterals(expression: Expression, checked: Checked, issues: Issue[]): void {
  const exempt = new Set<Expression>();
  for (const part of partsOf(expression)) {
    if (part.kind === 'call') {
      checkCall(part, checked, issues);
      // Arguments of a format may be of all types.
      if (part.name === 'format')
        for (const argument of part.args) for (const each of partsOf(argument)) exempt.add(each);
    }
    if (!exempt.has(part)) checkElements(part, checked, issues);
  }
}

function checkCall(call: CallExpression, checked: Checked, issues: Issue[]): void {
  const last = call.args.at(-1);
  if (call.name === 'format' && call.target?.kind === 'literal' && typeof call.target.value === 'string') {
    if (last?.kind !== 'list') return;
    const types = last.items.map(({ value }) => checked.typeOf(value));
    const mistake = formatMistake(call.target.value, types);
    if (mistake === undefined) return;
    const at = mistake.argument === undefined ? call.at : last.items[mistake.argument]?.value.at;
    issues.push({ at: at ?? call.at, message: mistake.message });
    return;
  }
  const written = last?.kind === 'literal' && typeof last.value === 'string' ? last.value : undefined;
  if (written === undefined || last === undefined || issues.some(({ at }) => at === last.at)) return;
  if (!literalWorks(call.name, written)) issues.push({ at: last.at, message: `invalid ${call.name} argument` });
}

function literalWorks(name: string, written: string): boolean {
  try {
    if (name === 'duration') parseDuration(written);
    else if (name === 'timestamp') parseTimestamp(written);
    else if (name === 'matches') return compilePattern(written) !== undefined;
    return true;
  } catch (error) {
    if (error instanceof EvaluationError) return false;
    throw error;
  }
}

function checkElements(part: Expression, checked: Checked, issues: Issue[]): void {
  const typeOf = (value: Expression, optional: boolean): CelType =>
    optional ? paramOf(checked.typeOf(value), 0) : checked.typeOf(value);
  const compare = (value: Expression, wanted: CelType, found: CelType): boolean => {
    if (sameType(wanted, found)) return true;
    issues.push({ at: value.at, message: `expected type '${typeText(wanted)}' but found '${typeText(found)}'` });
    return false;
  };
  if (part.kind === 'list') {
    const [first, ...rest] = part.items;
    if (first === undefined) return;
    const wanted = typeOf(first.value, first.optional);
    rest.every(({ value, optional }) => compare(value, wanted, typeOf(value, optional)));
  }
  if (part.kind !== 'map') return;
  const [first, ...rest] = part.entries;
  if (first === undefined) return;
  for (const { key, value, optional } of rest) {
    compare(key, checked.typeOf(first.key), checked.typeOf(key));
    compare(value, typeOf(first.value, first.optional), typeOf(value, optional));
  }
}

const folded = new Set(['bool', 'bytes', 'double', 'duration', 'int', 'string', 'timestamp', 'uint']);

/** A conversion of a literal is done when the rule is compiled, and its failure refuses the rule. */
export function conversionMistake(expression: Expression): string | undefined {
  for (const part of partsOf(expression)) {
    const [argument] = part.kind === 'call' && part.target === undefined ? part.args : [];
    if (part.kind !== 'call' || !folded.has(part.name) || argument?.kind !== 'literal') continue;
    try {
      const { value } = argument;
      library.get(part.name)?.[0]?.call([value]);
    } catch (error) {
      if (error instanceof EvaluationError) return error.message;
      throw error;
    }
  }
  return undefined;
}
