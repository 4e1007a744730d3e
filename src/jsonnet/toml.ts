import { JsonnetError } from './error.ts';
import { type Json, membersOf, quote } from './manifest.ts';
import { numberText } from './operators.ts';

type Table = { [name: string]: Json };

function isTable(value: Json | undefined): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Tables, and arrays of nothing but tables, have sections of their own. */
function isSection(value: Json): boolean {
  return isTable(value) || (Array.isArray(value) && value.length > 0 && value.every(isTable));
}

function key(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : quote(name);
}

function valueText(value: Json, indent: string, style: { step: string; inline: boolean }): string {
  if (value === null) throw new JsonnetError('TOML has no null');
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    const inner = style.inline ? '' : indent + style.step;
    const between = style.inline ? ' ' : '\n';
    const items = value.map((item) => inner + valueText(item, '', { ...style, inline: true }));
    return `[${between}${items.join(`,${between}`)}${between}${style.inline ? '' : indent}]`;
  }
  const items = membersOf(value).map(
    ([name, item]) => `${key(name)} = ${valueText(item, '', { ...style, inline: true })}`,
  );
  return `{ ${items.join(', ')} }`;
}

function tableText(table: Table, path: string[], style: { step: string; indent: string }): string {
  const plain = membersOf(table).filter(([, value]) => !isSection(value));
  const sections = membersOf(table).filter(([, value]) => isSection(value));
  const lines = plain.map(
    ([name, value]) =>
      `${style.indent}${key(name)} = ${valueText(value, style.indent, { step: style.step, inline: false })}`,
  );
  const blocks = [lines.join('\n')];
  for (const [name, value] of sections) {
    const own = [...path, key(name)];
    const inner = { ...style, indent: style.indent + style.step };
    const head = own.join('.');
    const parts = Array.isArray(value) ? value : [value];
    for (const part of parts) {
      if (!isTable(part)) continue;
      const title = Array.isArray(value) ? `[[${head}]]` : `[${head}]`;
      const body = tableText(part, own, inner);
      blocks.push(`${style.indent}${title}${body === '' ? '' : `\n${body}`}`);
    }
  }
  return blocks.join('\n\n');
}

export function tomlText(value: Json, step: string): string {
  return isTable(value) ? tableText(value, [], { step, indent: '' }) : '';
}
