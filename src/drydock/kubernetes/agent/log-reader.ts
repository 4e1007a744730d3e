import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
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
const followBytes = 1024 * 1024;

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
  const older = await readFile(`${path}.1`, 'utf8').catch(() => '');
  // Opened together with its generation, before anything can be turned over.
  let file: OpenLog | undefined = openCurrent(path, live);
  try {
    const current = file ? readWhole(file, Number.POSITIVE_INFINITY) : '';
    let lines = splitLines(older + current).filter((line) => isSince(line, options.sinceMs));
    if (options.tailLines !== undefined) lines = options.tailLines === 0 ? [] : lines.slice(-options.tailLines);
    for (let at = 0; at < lines.length && left > 0; at += chunkLines)
      yield cut(
        lines
          .slice(at, at + chunkLines)
          .map((line) => format(line, options.timestamps))
          .join(''),
      );
    while (follow && live && file && !signal.aborted && left > 0) {
      const wasOpen = live.open;
      const text = readWhole(file, followBytes);
      if (text !== '') {
        const shown = splitLines(text).map((line) => format(line, options.timestamps));
        yield cut(shown.join(''));
      } else if (live.generation > file.generation) {
        closeSync(file.fd);
        file = openAfter(path, live, file.generation);
      } else if (!wasOpen) return;
      else await changed(live, signal);
    }
  } finally {
    if (file) closeSync(file.fd);
  }
}

/** One file of a log. It is read through its descriptor, which stays good when the file is turned over. */
interface OpenLog {
  fd: number;
  generation: number;
  offset: number;
}

function openCurrent(path: string, live: ContainerLog | undefined): OpenLog | undefined {
  return openFile(path, live?.generation ?? 0);
}

/** The file after `generation`: the current one, or the one before it when that is already turned over too. */
function openAfter(path: string, live: ContainerLog, generation: number): OpenLog | undefined {
  if (live.generation === generation + 1) return openFile(path, live.generation);
  return openFile(`${path}.1`, live.generation - 1);
}

function openFile(path: string, generation: number): OpenLog | undefined {
  try {
    return { fd: openSync(path, 'r'), generation, offset: 0 };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whole lines from where the last read ended, at most `limit` bytes of them. */
function readWhole(file: OpenLog, limit: number): string {
  const length = Math.min(Math.max(0, fstatSync(file.fd).size - file.offset), limit);
  const buffer = Buffer.alloc(length);
  const bytes = readSync(file.fd, buffer, 0, length, file.offset);
  const whole = buffer.subarray(0, bytes).lastIndexOf(10) + 1;
  file.offset += whole;
  return buffer.toString('utf8', 0, whole);
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
