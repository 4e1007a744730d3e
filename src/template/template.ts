import type { Clock, Entropy } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import { Evaluator, type Limits, type MissingKey } from './evaluator.ts';
import type { FunctionMap } from './function.ts';
import { templateFunctions } from './functions/all.ts';
import type { Definition } from './nodes.ts';
import { parseTemplate } from './parser.ts';

export interface TemplateDeps {
  clock: Pick<Clock, 'now'>;
  entropy: Entropy;
}

export interface CompileOptions {
  /** As errors name it. */
  name?: string;
  missingKey?: MissingKey;
  /** Beside Go's own and sprig's. */
  functions?: FunctionMap;
  limits?: Partial<Limits>;
}

export interface Template {
  /** Throws AppError bad-input in Go's words and with the place, or limit. Data is left as it is but for sprig's set and merge. */
  render(data: unknown, deps: TemplateDeps): string;
}

const defaultLimits: Limits = { outputLength: 1_000_000, steps: 1_000_000, depth: 100 };
const longestText = 1_000_000;

const kept = new Map<string, Definition[]>();
const mostKept = 2000;

function parsed(name: string, text: string, functions: FunctionMap): Definition[] {
  const isFunction = (word: string) => Object.hasOwn(functions, word);
  if (functions !== templateFunctions) return parseTemplate(name, text, isFunction);
  const id = `${name}\n${text}`;
  const known = kept.get(id);
  if (known) return known;
  const definitions = parseTemplate(name, text, isFunction);
  if (kept.size >= mostKept) kept.clear();
  kept.set(id, definitions);
  return definitions;
}

/** Reads a Go template. Throws AppError bad-input in Go's words. */
export function compileTemplate(text: string, options: CompileOptions = {}): Template {
  const { name = 'base', missingKey = 'default' } = options;
  if (text.length > longestText) throw new AppError('limit', `a template is longer than ${longestText} characters`);
  const functions = options.functions ? { ...templateFunctions, ...options.functions } : templateFunctions;
  const definitions = parsed(name, text, functions);
  const limits = { ...defaultLimits, ...options.limits };
  return {
    render: (data, deps) => new Evaluator({ name, text, definitions, functions, missingKey, limits }, deps).run(data),
  };
}

/** Go's Template.Option: `missingkey=default|invalid|zero|error`. */
export function missingKeyOf(options: readonly string[]): MissingKey {
  let missingKey: MissingKey = 'default';
  for (const option of options) {
    const value = /^missingkey=(default|invalid|zero|error)$/.exec(option)?.[1];
    if (value === undefined)
      throw new AppError('bad-input', `unrecognized option: ${option}`, {
        hint: 'goTemplateOptions knows missingkey=default, missingkey=zero and missingkey=error',
      });
    missingKey = value === 'zero' || value === 'error' ? value : 'default';
  }
  return missingKey;
}
