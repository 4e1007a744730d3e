import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import { compile, type Program } from '../cel/program.ts';
import { type CelType, optionalOf } from '../cel/type.ts';

/** One entry of `x-kubernetes-validations`, as written. */
export interface WrittenRule {
  rule: string;
  message: string;
  messageExpression: string;
  reason: string | undefined;
  fieldPath: string;
  optionalOldSelf: boolean | undefined;
}

export interface CompiledRule {
  written: WrittenRule;
  program: Program | undefined;
  /** Why there is no program. */
  mistake: string | undefined;
  usesOldSelf: boolean;
  message: Program | undefined;
  messageMistake: string | undefined;
}

export function writtenRules(schema: JsonObject): WrittenRule[] {
  const rules = schema['x-kubernetes-validations'];
  return (Array.isArray(rules) ? rules.filter(isObject) : []).map((rule) => ({
    rule: textOf(rule['rule']),
    message: textOf(rule['message']),
    messageExpression: textOf(rule['messageExpression']),
    reason: typeof rule['reason'] === 'string' ? rule['reason'] : undefined,
    fieldPath: textOf(rule['fieldPath']),
    optionalOldSelf: typeof rule['optionalOldSelf'] === 'boolean' ? rule['optionalOldSelf'] : undefined,
  }));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Compiles a rule over a value of type `self`. Mistakes are kept in the result, in the real server's words. */
export function compileRule(written: WrittenRule, self: CelType): CompiledRule {
  const oldSelf = written.optionalOldSelf === true ? optionalOf(self) : self;
  const variables = new Map([
    ['self', self],
    ['oldSelf', oldSelf],
  ]);
  const rule = typedProgram(written.rule, variables, {
    failed: '',
    kind: 'bool',
    otherwise: 'cel expression must evaluate to a bool',
  });
  const usesOldSelf = rule.program?.uses('oldSelf') ?? false;
  const hasMessage = rule.program !== undefined && written.messageExpression !== '';
  const message = hasMessage
    ? typedProgram(written.messageExpression, variables, {
        failed: 'messageExpression ',
        kind: 'string',
        otherwise: 'messageExpression must evaluate to a string',
      })
    : { program: undefined, mistake: undefined };
  return { written, ...rule, usesOldSelf, message: message.program, messageMistake: message.mistake };
}

function typedProgram(
  source: string,
  variables: ReadonlyMap<string, CelType>,
  { failed, kind, otherwise }: { failed: string; kind: string; otherwise: string },
): { program: Program | undefined; mistake: string | undefined } {
  const compiled = compile(source, variables);
  if ('checking' in compiled)
    return { program: undefined, mistake: `${failed}compilation failed: ${compiled.checking}` };
  if ('preparing' in compiled) {
    const what = failed === '' ? 'program ' : failed;
    return { program: undefined, mistake: `${what}instantiation failed: ${compiled.preparing}` };
  }
  if (compiled.type.kind !== kind) return { program: undefined, mistake: otherwise };
  return { program: compiled, mistake: undefined };
}
