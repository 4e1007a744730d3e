import type { Json } from '#base/json.ts';
import { checkNames } from './check.ts';
import { Evaluation } from './evaluate.ts';
import { parseJq } from './parser.ts';
import type { Node } from './syntax.ts';
import { JqError, JqLimit, toJson } from './value.ts';

export { JqError, JqLimit } from './value.ts';

/** About what a second of a small machine is worth; counted, so that an answer is the same everywhere. */
export const defaultFuel = 1_000_000;
const maxResults = 100_000;
const maxResultLength = 16_000_000;
const maxExpressionLength = 20_000;

/** A program that was read and found to use only what there is. */
export interface JqProgram {
  readonly text: string;
  readonly node: Node;
}

/** Throws AppError bad-input that quotes the expression and says where it is wrong. */
export function compileJq(text: string): JqProgram {
  if (text.length > maxExpressionLength)
    throw new JqLimit(`an expression of more than ${maxExpressionLength} characters`);
  const node = parseJq(text);
  checkNames(text, node);
  return { text, node };
}

/**
 * All results for an input, which stays as it is. Throws JqError for what the program itself raises, JqLimit when it takes
 * too many steps, makes too much, or calls itself too deeply. It sees no environment, no files, no clock.
 */
export function runJq(program: JqProgram, input: Json, fuel: number = defaultFuel): Json[] {
  const evaluation = new Evaluation(fuel);
  const out: Json[] = [];
  try {
    for (const value of evaluation.values(program.node, undefined, input)) {
      out.push(value);
      // Parts that stand in a result many times over make it larger than what was made.
      toJson(value, maxResultLength);
      if (out.length > maxResults) throw new JqLimit(`more than ${maxResults} results`);
    }
  } catch (error) {
    if (error instanceof RangeError) throw new JqLimit('the expression calls itself too deeply');
    throw error;
  }
  return out;
}

/** The program that deletes what a path expression names, as `jqPathExpressions` means it. */
export function compileDeletion(expression: string): JqProgram {
  return compileJq(`del(${expression})`);
}

/** The one result of a program; JqError when there is none or several. */
export function runOnce(program: JqProgram, input: Json): Json {
  const results = runJq(program, input);
  const [result] = results;
  if (result === undefined || results.length > 1)
    throw new JqError(`${program.text} gives ${results.length} results, not one`);
  return result;
}
