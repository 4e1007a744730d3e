import { AppError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';

/** A value of a workflow file as plain data: literals, and expressions still to be evaluated. */
export type Template =
  | { kind: 'literal'; value: string | number | boolean | null }
  | { kind: 'expression'; expression: string }
  /** Text with expressions in it: literal text at even places, expressions at odd ones. */
  | { kind: 'text'; parts: string[] }
  | { kind: 'sequence'; items: Template[] }
  | { kind: 'mapping'; entries: { key: Template; value: Template }[] };

/** The template of a YAML value. `${{ }}` inside quotes of an expression does not end it, as on GitHub. */
export function templateOf(value: unknown): Template {
  if (typeof value === 'string') return textTemplate(value);
  if (typeof value === 'number' || typeof value === 'boolean') return { kind: 'literal', value };
  if (Array.isArray(value)) return { kind: 'sequence', items: value.map(templateOf) };
  if (isObject(value)) {
    const entries = Object.entries(value).map(([key, item]) => ({ key: textTemplate(key), value: templateOf(item) }));
    return { kind: 'mapping', entries };
  }
  return { kind: 'literal', value: null };
}

function textTemplate(text: string): Template {
  const parts: string[] = [];
  let from = 0;
  for (let open = text.indexOf('${{'); open >= 0; open = text.indexOf('${{', from)) {
    const close = endOfExpression(text, open + 3);
    parts.push(text.slice(from, open), text.slice(open + 3, close).trim());
    from = close + 2;
  }
  if (parts.length === 0) return { kind: 'literal', value: text };
  const rest = text.slice(from);
  const [before = '', expression = ''] = parts;
  if (parts.length === 2 && before === '' && rest === '') return { kind: 'expression', expression };
  return { kind: 'text', parts: [...parts, rest] };
}

function endOfExpression(text: string, start: number): number {
  let inString = false;
  for (let at = start; at < text.length; at += 1) {
    if (text[at] === "'") inString = !inString;
    else if (!inString && text.startsWith('}}', at)) return at;
  }
  throw new AppError('bad-input', `the expression ${JSON.stringify(text.slice(start - 3, start + 40))} is not closed`);
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
