/**
 * Where a value stands in the schema, as the real estimator keeps it: a Go slice. Extending one path writes into room that
 * another, extended from the same, may share, so that a later path can change an earlier one. What rules are estimated at,
 * and refused for, depends on it.
 */
export interface Path {
  readonly cells: string[];
  readonly capacity: number;
  readonly length: number;
}

export function newPath(step: string): Path {
  return { cells: [step], capacity: 1, length: 1 };
}

export function extended(path: Path | undefined, step: string): Path {
  if (path === undefined) return newPath(step);
  const { cells, capacity, length } = path;
  if (length < capacity) {
    cells[length] = step;
    return { cells, capacity, length: length + 1 };
  }
  return { cells: [...cells.slice(0, length), step], capacity: capacity * 2, length: length + 1 };
}

export function stepsOf({ cells, length }: Path): string[] {
  return cells.slice(0, length);
}
