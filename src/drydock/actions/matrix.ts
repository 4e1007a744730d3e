import { AppError } from '#base/errors.ts';
import { isObject, jsonEqual } from '#base/json.ts';
import type { Value } from './expression.ts';

export type MatrixCell = { [key: string]: Value };

export const matrixLimit = 256;

/** The combinations of `strategy.matrix` with include and exclude, in GitHub's order; one empty cell without a matrix. */
export function expandMatrix(matrix: Value | undefined): MatrixCell[] {
  if (!isObject(matrix)) return [{}];
  const axes = Object.entries(matrix).filter(([key]) => key !== 'include' && key !== 'exclude');
  let cells: MatrixCell[] = axes.length > 0 ? [{}] : [];
  for (const [key, values] of axes) {
    if (!Array.isArray(values)) throw new AppError('bad-input', `strategy.matrix.${key} is not a list`);
    cells = cells.flatMap((cell) => values.map((value: Value) => ({ ...cell, [key]: value })));
    checkSize(cells.length);
  }
  const excluded = cellsOf(matrix['exclude']);
  cells = cells.filter((cell) => !excluded.some((exclude) => covers(exclude, cell)));
  const axisNames = axes.map(([key]) => key);
  const originals = cells.map((cell) => ({ ...cell }));
  for (const include of cellsOf(matrix['include'])) {
    const fits = originals.map((original) =>
      axisNames.every((key) => include[key] === undefined || jsonEqual(include[key], original[key])),
    );
    if (originals.length > 0 && fits.some(Boolean)) {
      fits.forEach((fit, at) => {
        const cell = cells[at];
        if (fit && cell) Object.assign(cell, include);
      });
    } else cells.push({ ...include });
  }
  checkSize(cells.length);
  return cells;
}

function checkSize(size: number): void {
  if (size > matrixLimit) {
    throw new AppError('limit', `strategy.matrix makes ${size} jobs; at most ${matrixLimit} are allowed`);
  }
}

function cellsOf(value: unknown): MatrixCell[] {
  return Array.isArray(value) ? value.filter((item): item is MatrixCell => isObject(item)) : [];
}

function covers(exclude: MatrixCell, cell: MatrixCell): boolean {
  return Object.entries(exclude).every(([key, value]) => jsonEqual(value, cell[key]));
}

/** `name (a, b)`, as GitHub shows the jobs of a matrix. */
export function matrixSuffix(cell: MatrixCell): string {
  const values = Object.values(cell).flatMap(flatText);
  return values.length > 0 ? ` (${values.join(', ')})` : '';
}

function flatText(value: Value): string[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value.flatMap(flatText);
  if (typeof value === 'object') return Object.values(value).flatMap(flatText);
  return [String(value)];
}
