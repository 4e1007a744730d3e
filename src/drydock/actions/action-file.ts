import { parse as parseYaml } from 'yaml';
import { AppError } from '#base/errors.ts';
import { literalString, member, members, type Template, templateOf } from './template.ts';
import { type StepDefinition, stepOf } from './workflow.ts';
import { actionParser, workflowParser } from './workflow-library.ts';

interface ActionInterface {
  inputDefaults: Template;
  requiredInputs: string[];
}

export type ActionDefinition = ActionInterface &
  (
    | { kind: 'composite'; steps: StepDefinition[]; outputs: Template }
    | { kind: 'node'; main: string; post: string | undefined }
  );

/** Parses an `action.yml`; actions that need a container engine are refused as unsupported. */
export function parseActionFile(name: string, content: string): ActionDefinition {
  const parsed = actionParser.parseAction({ name, content }, new workflowParser.NoOperationTraceWriter());
  const problems = parsed.context.errors.getErrors().map((error) => error.message);
  if (problems.length > 0 || parsed.value === undefined) {
    throw new AppError('bad-input', problems.slice(0, 10).join('\n') || `${name}: the file is empty`);
  }
  const root = templateOf(parseYaml(content, { uniqueKeys: false }));
  const inputs = members(member(root, 'inputs'));
  const common: ActionInterface = {
    inputDefaults: mappingOf(inputs, 'default'),
    requiredInputs: inputs
      .filter(([, input]) => literalString(member(input, 'required')) === 'true' && !member(input, 'default'))
      .map(([key]) => key.toLowerCase()),
  };
  const runs = member(root, 'runs');
  const using = literalString(member(runs, 'using')) ?? '';
  const main = literalString(member(runs, 'main'));
  if (using === 'composite') {
    const steps = member(runs, 'steps');
    const outputs = mappingOf(members(member(root, 'outputs')), 'value');
    return {
      ...common,
      kind: 'composite',
      steps: steps?.kind === 'sequence' ? steps.items.map(compositeStep) : [],
      outputs,
    };
  }
  if (/^node\d+$/.test(using) && main !== undefined) {
    return { ...common, kind: 'node', main, post: literalString(member(runs, 'post')) };
  }
  throw new AppError('unsupported', `${name}: actions that run with ${using || 'nothing'} are not supported`, {
    hint: 'composite and node actions are',
  });
}

function mappingOf(entries: [string, Template][], key: string): Template {
  return {
    kind: 'mapping',
    entries: entries.flatMap(([name, entry]) => {
      const value = member(entry, key);
      return value === undefined ? [] : [{ key: { kind: 'literal', value: name.toLowerCase() } as const, value }];
    }),
  };
}

function compositeStep(step: Template): StepDefinition {
  const written = member(step, 'if');
  const expression = written?.kind === 'expression' ? written.expression : literalString(written)?.trim();
  return stepOf(step, { id: '', if: withStatusFunction(expression ?? '') });
}

/** A condition that calls no status function holds only while everything before it succeeded. */
function withStatusFunction(condition: string): string {
  if (condition === '') return 'success()';
  const code = condition.replace(/'(?:[^']|'')*'/g, "''");
  return /\b(?:success|failure|cancelled|always)\s*\(/i.test(code) ? condition : `success() && (${condition})`;
}
