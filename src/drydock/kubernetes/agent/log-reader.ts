import { open, readFile } from 'node:fs/promises';
import type { ContainerLog } from './container-log.ts';

export interface LogReadOptions {
  follow: boolean;
  timestamps: boolean;
  tailLines?: number;
  /** Epoch milliseconds; earlier lines are left out. */
  sinceMs?: number;
  limitBytes?: number;
}

const chunkLines = 500;

/** Reads a container's log from disk and, when `live` is given and `follow` asked, goes on until it is closed. */
export async function* readLog(
  path: string,
  live: ContainerLog | undefined,
  options: LogReadOptions & { signal: AbortSignal },
): AsyncGenerator<string> {
  const { follow, signal } = options;
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  const cut = (text: string): string => {
    const bytes = Buffer.byteLength(text);
    if (bytes <= left) {
      left -= bytes;
      return text;
    }
    const part = Buffer.from(text).toString('utf8', 0, left);
    left = 0;
    return part;
  };
  let generation = live?.generation ?? 0;
  const older = await readFile(`${path}.1`, 'utf8').catch(() => '');
  const current = await readFile(path).catch(() => Buffer.alloc(0));
  let offset = current.lastIndexOf(10) + 1;
  let lines = splitLines(older + current.toString('utf8', 0, offset)).filter((line) => isSince(line, options.sinceMs));
  if (options.tailLines !== undefined) lines = options.tailLines === 0 ? [] : lines.slice(-options.tailLines);
  for (let at = 0; at < lines.length && left > 0; at += chunkLines)
    yield cut(
      lines
        .slice(at, at + chunkLines)
        .map((line) => format(line, options.timestamps))
        .join(''),
    );
  if (!follow || !live) return;
  while (!signal.aborted && left > 0) {
    const wasOpen = live.open;
    if (live.generation !== generation) {
      const rest = await readFrom(`${path}.1`, live.generation === generation + 1 ? offset : 0);
      generation = live.generation;
      offset = 0;
      if (rest.text !== '')
        yield cut(
          splitLines(rest.text)
            .map((line) => format(line, options.timestamps))
            .join(''),
        );
    }
    const next = await readFrom(path, offset);
    offset = next.offset;
    if (next.text !== '') {
      yield cut(
        splitLines(next.text)
          .map((line) => format(line, options.timestamps))
          .join(''),
      );
      continue;
    }
    if (!wasOpen) return;
    await changed(live, signal);
  }
}

async function readFrom(path: string, offset: number): Promise<{ text: string; offset: number }> {
  const handle = await open(path, 'r').catch(() => undefined);
  if (!handle) return { text: '', offset };
  try {
    const { size } = await handle.stat();
    const length = Math.min(Math.max(0, size - offset), 1024 * 1024);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
    const whole = buffer.subarray(0, bytesRead).lastIndexOf(10) + 1;
    return { text: buffer.toString('utf8', 0, whole), offset: offset + whole };
  } finally {
    await handle.close();
  }
}

function changed(live: ContainerLog, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stop();
      signal.removeEventListener('abort', done);
      clearTimeout(timer);
      resolve();
    };
    // A change between the last read and this subscription would go unseen: look again after a while in any case.
    const timer = setTimeout(done, 250);
    const stop = live.onAppend(done);
    signal.addEventListener('abort', done, { once: true });
  });
}

function splitLines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

function isSince(line: string, sinceMs: number | undefined): boolean {
  return sinceMs === undefined || Date.parse(line.slice(0, line.indexOf(' '))) >= sinceMs;
}

/** `time stream F text` to `text` and a newline; a part of a long line has none. */
function format(line: string, timestamps: boolean): string {
  const afterTime = line.indexOf(' ');
  const afterStream = line.indexOf(' ', afterTime + 1);
  const text = line.slice(afterStream + 3);
  const end = line[afterStream + 1] === 'P' ? '' : '\n';
  return timestamps ? `${line.slice(0, afterTime)} ${text}${end}` : `${text}${end}`;
}
