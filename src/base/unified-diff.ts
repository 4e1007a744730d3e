/** One run of equal, removed or added lines. */
export interface DiffRun {
  kind: 'same' | 'removed' | 'added';
  lines: string[];
}

export interface DiffHunk {
  /** First line on either side, from 1; the number before it when that side has no line here, as diff(1) counts. */
  oldStart: number;
  oldLines: number;
  newStart: number;
  newLines: number;
  /** Each starts with ' ', '-' or '+'. */
  lines: string[];
}

/** Beyond this many edits the middle is shown as replaced: exact, but not the shortest. */
const editsMax = 1000;

function linesOf(text: string): string[] {
  if (text === '') return [];
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
}

/** The hunks that turn `before` into `after`, with `context` equal lines around; none when they are equal. */
export function unifiedDiff(before: string, after: string, context = 3): DiffHunk[] {
  return hunksOf(diffLines(linesOf(before), linesOf(after)), context);
}

/** As `diff -u` prints the hunks, without file names. */
export function renderHunks(hunks: DiffHunk[]): string {
  return hunks
    .map((hunk) => {
      const range = (start: number, count: number) => (count === 1 ? `${start}` : `${start},${count}`);
      const head = `@@ -${range(hunk.oldStart, hunk.oldLines)} +${range(hunk.newStart, hunk.newLines)} @@`;
      return `${[head, ...hunk.lines].join('\n')}\n`;
    })
    .join('');
}

/** The shortest edit script (Myers 1986) as runs; removed before added where both meet. */
export function diffLines(a: string[], b: string[]): DiffRun[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const middle = diffMiddle(a.slice(start, a.length - end), b.slice(start, b.length - end));
  const runs: DiffRun[] = [
    { kind: 'same', lines: a.slice(0, start) },
    ...middle,
    { kind: 'same', lines: a.slice(a.length - end) },
  ];
  return runs.filter(({ lines }) => lines.length > 0);
}

function diffMiddle(a: string[], b: string[]): DiffRun[] {
  const trace = searchPath(a, b);
  if (trace === undefined) {
    return [
      { kind: 'removed', lines: a },
      { kind: 'added', lines: b },
    ];
  }
  return joinRuns(walkBack(trace, a, b));
}

/** The furthest reaching x of every diagonal, per number of edits; undefined when there are too many edits. */
function searchPath(a: string[], b: string[]): Map<number, number>[] | undefined {
  const trace: Map<number, number>[] = [];
  let reach = new Map<number, number>([[1, 0]]);
  for (let edits = 0; edits <= Math.min(a.length + b.length, editsMax); edits += 1) {
    const next = new Map<number, number>();
    trace.push(reach);
    for (let k = -edits; k <= edits; k += 2) {
      let x = stepDown(reach, k, edits) ? (reach.get(k + 1) ?? 0) : (reach.get(k - 1) ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      next.set(k, x);
      if (x >= a.length && x - k >= b.length) return trace;
    }
    reach = next;
  }
  return undefined;
}

function stepDown(reach: Map<number, number>, k: number, edits: number): boolean {
  return k === -edits || (k !== edits && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
}

function walkBack(trace: Map<number, number>[], a: string[], b: string[]): { kind: DiffRun['kind']; line: string }[] {
  const found: { kind: DiffRun['kind']; line: string }[] = [];
  let x = a.length;
  let y = b.length;
  for (let edits = trace.length - 1; edits >= 0; edits -= 1) {
    const reach = trace[edits] ?? new Map<number, number>();
    const k = x - y;
    const down = stepDown(reach, k, edits);
    const fromK = down ? k + 1 : k - 1;
    const fromX = edits === 0 ? 0 : (reach.get(fromK) ?? 0);
    const fromY = edits === 0 ? 0 : fromX - fromK;
    while (x > fromX && y > fromY) {
      x -= 1;
      y -= 1;
      found.push({ kind: 'same', line: a[x] ?? '' });
    }
    if (edits === 0) break;
    if (down) {
      y -= 1;
      found.push({ kind: 'added', line: b[y] ?? '' });
    } else {
      x -= 1;
      found.push({ kind: 'removed', line: a[x] ?? '' });
    }
  }
  return found.reverse();
}

function joinRuns(steps: { kind: DiffRun['kind']; line: string }[]): DiffRun[] {
  const runs: DiffRun[] = [];
  let removed: string[] = [];
  let added: string[] = [];
  const flush = () => {
    if (removed.length > 0) runs.push({ kind: 'removed', lines: removed });
    if (added.length > 0) runs.push({ kind: 'added', lines: added });
    removed = [];
    added = [];
  };
  for (const { kind, line } of steps) {
    if (kind === 'removed') removed.push(line);
    else if (kind === 'added') added.push(line);
    else {
      flush();
      const last = runs.at(-1);
      if (last?.kind === 'same') last.lines.push(line);
      else runs.push({ kind: 'same', lines: [line] });
    }
  }
  flush();
  return runs;
}

function hunksOf(runs: DiffRun[], context: number): DiffHunk[] {
  const hunks: DiffHunk[] = [];
  let open: DiffHunk | undefined;
  let oldLine = 0;
  let newLine = 0;
  const begin = (before: string[]): DiffHunk => ({
    oldStart: oldLine - before.length + 1,
    newStart: newLine - before.length + 1,
    oldLines: before.length,
    newLines: before.length,
    lines: before.map((line) => ` ${line}`),
  });
  const close = () => {
    if (!open) return;
    if (open.oldLines === 0) open.oldStart -= 1;
    if (open.newLines === 0) open.newStart -= 1;
    hunks.push(open);
    open = undefined;
  };
  let before: string[] = [];
  for (const [index, { kind, lines }] of runs.entries()) {
    if (kind === 'same') {
      const isLast = index === runs.length - 1;
      if (open) {
        const joins = !isLast && lines.length <= 2 * context;
        const shown = joins ? lines : lines.slice(0, context);
        open.lines.push(...shown.map((line) => ` ${line}`));
        open.oldLines += shown.length;
        open.newLines += shown.length;
        if (!joins) close();
      }
      oldLine += lines.length;
      newLine += lines.length;
      before = context === 0 ? [] : lines.slice(-context);
      continue;
    }
    open ??= begin(before);
    open.lines.push(...lines.map((line) => `${kind === 'removed' ? '-' : '+'}${line}`));
    if (kind === 'removed') {
      open.oldLines += lines.length;
      oldLine += lines.length;
    } else {
      open.newLines += lines.length;
      newLine += lines.length;
    }
  }
  close();
  return hunks;
}
