import type { TemplateToken } from '@actions/workflow-parser/templates/tokens/template-token';
import {
  isBasicExpression,
  isBoolean,
  isMapping,
  isNumber,
  isSequence,
  isString,
} from '@actions/workflow-parser/templates/tokens/type-guards';

/** A value of a workflow file as plain data: literals, and expressions still to be evaluated. */
export type Template =
  | { kind: 'literal'; value: string | number | boolean | null }
  | { kind: 'expression'; expression: string }
  | { kind: 'sequence'; items: Template[] }
  | { kind: 'mapping'; entries: { key: Template; value: Template }[] };

/** The plain data of a parsed token. `${{ insert }}` keys have no counterpart and become null literals. */
export function templateOf(token: TemplateToken): Template {
  if (isBasicExpression(token)) return { kind: 'expression', expression: token.expression };
  if (isString(token) || isNumber(token) || isBoolean(token)) return { kind: 'literal', value: token.value };
  if (isSequence(token)) {
    const items: Template[] = [];
    for (const item of token) items.push(templateOf(item));
    return { kind: 'sequence', items };
  }
  if (isMapping(token)) {
    const entries: { key: Template; value: Template }[] = [];
    for (const pair of token) entries.push({ key: templateOf(pair.key), value: templateOf(pair.value) });
    return { kind: 'mapping', entries };
  }
  return { kind: 'literal', value: null };
}

/** The value under a literal key of a mapping, undefined when absent or when `template` is no mapping. */
export function member(template: Template | undefined, key: string): Template | undefined {
  if (template?.kind !== 'mapping') return undefined;
  return template.entries.find((entry) => entry.key.kind === 'literal' && String(entry.key.value) === key)?.value;
}

/** Keys and values of a mapping whose keys are literals. */
export function members(template: Template | undefined): [string, Template][] {
  if (template?.kind !== 'mapping') return [];
  return template.entries.flatMap(({ key, value }) =>
    key.kind === 'literal' ? [[String(key.value), value] satisfies [string, Template]] : [],
  );
}

export function literalString(template: Template | undefined): string | undefined {
  return template?.kind === 'literal' && template.value !== null ? String(template.value) : undefined;
}

/** One string or a sequence of strings, as `needs` and filters allow. */
export function literalStrings(template: Template | undefined): string[] {
  if (template?.kind === 'sequence') return template.items.flatMap((item) => literalString(item) ?? []);
  const one = literalString(template);
  return one === undefined ? [] : [one];
}
