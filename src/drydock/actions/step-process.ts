import { type ChildProcess, spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { AppError } from '#base/errors.ts';

export interface StepProcessOptions {
  command: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  onLine(line: string): void;
  /** Time between the request to end and the kill. */
  killGraceMs: number;
}

/** How long output of processes left in the background is still taken after the step's own process ended. */
const drainMs = 100;

/**
 * Runs a program in its own process group and hands over its output by lines. Resolves to the exit code (128 + n for a
 * signal). When the signal aborts, the whole group is asked to end and then killed, and the promise still resolves.
 */
export async function runStepProcess(options: StepProcessOptions, signal: AbortSignal): Promise<number> {
  const { command, args, cwd, env, onLine, killGraceMs } = options;
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const flushes = [child.stdout, child.stderr].map((stream) => {
    const reader = lineReader(onLine);
    stream.on('data', reader.take);
    return reader.flush;
  });
  let killTimer: NodeJS.Timeout | undefined;
  const end = () => {
    killGroup(child, 'SIGTERM');
    killTimer = setTimeout(() => killGroup(child, 'SIGKILL'), killGraceMs);
  };
  if (signal.aborted) end();
  else signal.addEventListener('abort', end, { once: true });
  try {
    return await exitOf(child, command);
  } finally {
    signal.removeEventListener('abort', end);
    clearTimeout(killTimer);
    if (signal.aborted) killGroup(child, 'SIGKILL');
    for (const flush of flushes) flush();
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** Ends what the step left running in its process group. */
export function killGroup(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function exitOf(child: ChildProcess, command: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    let code: number | undefined;
    child.once('error', (cause) => {
      const missing = 'code' in cause && cause.code === 'ENOENT';
      reject(
        missing
          ? new AppError('missing-tool', `${command}: not found on the PATH of the runner`, { cause })
          : new AppError('tool-failed', `${command} could not be started: ${cause.message}`, { cause }),
      );
    });
    child.once('exit', (status, signalName) => {
      code = status ?? 128 + signalNumber(signalName);
      timer = setTimeout(() => resolve(code ?? 1), drainMs);
    });
    child.once('close', () => {
      clearTimeout(timer);
      if (code !== undefined) resolve(code);
    });
  });
}

function signalNumber(name: NodeJS.Signals | null): number {
  return name === 'SIGKILL' ? 9 : name === 'SIGINT' ? 2 : 15;
}

const partialLimit = 64 * 1024;

function lineReader(onLine: (line: string) => void): { take(chunk: Buffer): void; flush(): void } {
  const decoder = new StringDecoder('utf8');
  let partial = '';
  const take = (chunk: Buffer) => {
    partial += decoder.write(chunk);
    let from = 0;
    for (let at = partial.indexOf('\n'); at >= 0; at = partial.indexOf('\n', from)) {
      onLine(partial.slice(from, at).replace(/\r$/, ''));
      from = at + 1;
    }
    partial = partial.slice(from);
    if (partial.length > partialLimit) flush();
  };
  const flush = () => {
    if (partial !== '') onLine(partial);
    partial = '';
  };
  return { take, flush };
}
