import { type Checked, check, type Declarations } from './check.ts';
import { type Evaluation, evaluate } from './evaluate.ts';
import { library } from './library.ts';
import { checkLiterals, conversionMistake } from './literal-check.ts';
import { parse } from './parse.ts';
import { type Expression, issuesText, partsOf } from './syntax.ts';
import type { CelType } from './type.ts';
import type { CelValue } from './value.ts';

/** An expression that parsed and fits its declarations. */
export interface Program {
  expression: Expression;
  checked: Checked;
  type: CelType;
  /** The variables it names. */
  uses(variable: string): boolean;
  run(variables: ReadonlyMap<string, CelValue>, limit: number): Evaluation;
}

/** `checking` is told as cel-go prints it; `preparing` is one that shows when literals are converted. */
export type Mistakes = { checking: string } | { preparing: string };

/** Parses and type-checks. */
export function compile(source: string, variables: ReadonlyMap<string, CelType>): Program | Mistakes {
  const { expression, issues } = parse(source);
  if (issues.length > 0) return { checking: issuesText(source, issues) };
  const found = [...issues];
  const declarations: Declarations = { variables, functions: library };
  const checked = check(expression, declarations, found);
  if (found.length === 0) checkLiterals(expression, checked, found);
  if (found.length > 0) return { checking: issuesText(source, found) };
  const preparing = conversionMistake(expression);
  if (preparing !== undefined) return { preparing };
  return {
    expression,
    checked,
    type: checked.type,
    uses: (variable) => names(expression, variable),
    run: (values, limit) => evaluate(expression, checked, { variables: values, limit }),
  };
}

function names(expression: Expression, variable: string): boolean {
  for (const part of partsOf(expression)) if (part.kind === 'ident' && part.name === variable) return true;
  return false;
}
