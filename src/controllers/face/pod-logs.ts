import type { LogLine } from '#apps/port.ts';
import { messageOf } from '#base/errors.ts';

/** One line of a log with timestamps: `2026-01-02T03:04:05.678901234Z text`. */
export function parseLogLine(pod: string, line: string): LogLine {
  const space = line.indexOf(' ');
  const time = space < 0 ? line : line.slice(0, space);
  if (!/^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/.test(time)) return { pod, time: '', text: line };
  return { pod, time, text: space < 0 ? '' : line.slice(space + 1) };
}

/** Chunks of text as lines; a line longer than `lineMax` is cut. */
export async function* linesOf(chunks: AsyncIterable<string>, lineMax = 1024 * 1024): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    rest += chunk;
    let from = 0;
    for (let at = rest.indexOf('\n'); at >= 0; at = rest.indexOf('\n', from)) {
      yield rest.slice(from, at).replace(/\r$/, '');
      from = at + 1;
    }
    rest = rest.slice(from);
    if (rest.length <= lineMax) continue;
    yield rest;
    rest = '';
  }
  if (rest !== '') yield rest;
}

/** A pod's log; where it cannot be read, the reason is its one line. */
export async function* podLines(
  pod: string,
  chunks: AsyncIterable<string>,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  try {
    for await (const line of linesOf(chunks)) yield parseLogLine(pod, line);
  } catch (error) {
    if (!signal.aborted) yield { pod, time: '', text: messageOf(error) };
  }
}

interface Head {
  source: AsyncGenerator<LogLine>;
  next: Promise<{ head: Head; result: IteratorResult<LogLine> }>;
  line: LogLine | undefined;
}

function advance(head: Head): void {
  head.line = undefined;
  head.next = head.source.next().then((result) => ({ head, result }));
}

/**
 * Several logs as one. Logs that end are merged by time; with `follow` a line is passed on as it comes, older ones first
 * among those that are there.
 */
export async function* mergeLogs(
  sources: AsyncGenerator<LogLine>[],
  options: { follow: boolean },
): AsyncGenerator<LogLine> {
  const heads = new Set<Head>();
  for (const source of sources) {
    const head: Head = { source, line: undefined, next: Promise.resolve() as never };
    advance(head);
    heads.add(head);
  }
  const settle = ({ head, result }: { head: Head; result: IteratorResult<LogLine> }) => {
    if (result.done) heads.delete(head);
    else head.line = result.value;
  };
  try {
    while (heads.size > 0) {
      const waiting = [...heads].filter(({ line }) => line === undefined);
      if (options.follow && waiting.length < heads.size) await Promise.resolve();
      else if (options.follow) settle(await Promise.race(waiting.map(({ next }) => next)));
      else for (const head of waiting) settle(await head.next);
      const ready = [...heads].filter((head): head is Head & { line: LogLine } => head.line !== undefined);
      const [first] = ready.sort((a, b) => (a.line.time < b.line.time ? -1 : 1));
      if (!first) continue;
      yield first.line;
      advance(first);
    }
  } finally {
    for (const { source } of heads) source.return(undefined).catch(() => undefined);
  }
}
