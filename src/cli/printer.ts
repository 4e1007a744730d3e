import { stringify } from 'yaml';
import { AppError } from '#base/errors.ts';

export type Format = 'table' | 'wide' | 'json' | 'yaml';

/** What a command hands back; only the printer turns it into text. */
export interface Result {
  /** Printed by `-o json` and `-o yaml`. */
  data: unknown;
  /** Printed by default; `wide` asks for all columns. */
  text: (wide: boolean) => string;
  /** 0 unless told. */
  exit?: number;
}

export function parseFormat(text: string): Format {
  if (text === 'table' || text === 'wide' || text === 'json' || text === 'yaml') return text;
  throw new AppError('bad-input', `-o ${text} is no output format`, { hint: 'one of: table, wide, json, yaml' });
}

export function renderResult(result: Result, format: Format): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(result.data, null, 2)}\n`;
    case 'yaml':
      return stringify(result.data, { aliasDuplicateObjects: false });
    default:
      return result.text(format === 'wide');
  }
}

/** Columns padded to their widest cell, two spaces apart; trailing space is cut. */
export function renderTable(head: string[], rows: string[][]): string {
  const all = head.length > 0 ? [head, ...rows] : rows;
  const widths: number[] = [];
  for (const row of all)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  const line = (row: string[]) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  return all.map((row) => `${line(row)}\n`).join('');
}

/** `Label:   value` lines, values aligned. */
export function renderFields(fields: [string, string | undefined][], width = 20): string {
  return fields
    .filter((field): field is [string, string] => field[1] !== undefined)
    .map(([label, value]) => `${`${label}:`.padEnd(width)}${value}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}

/** Seconds, minutes and hours as people say them: `850ms`, `12s`, `3m5s`, `2h10m`, `4d`. */
export function renderDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}ms`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${seconds % 60 ? `${seconds % 60}s` : ''}`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)}h${minutes % 60 ? `${minutes % 60}m` : ''}`;
  return `${Math.floor(minutes / (24 * 60))}d`;
}
