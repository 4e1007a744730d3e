import { spawn } from 'node:child_process';
import { AppError } from '#base/errors.ts';

export interface ProgramResult {
  stdout: string;
  stderr: string;
  code: number;
}

export interface ProgramOptions {
  cwd?: string;
  env?: Record<string, string>;
  input?: string;
  /** Exit codes that are no failure. */
  accept?: number[];
  signal: AbortSignal;
}

const outputLimit = 4 << 20;

/** Runs a program to its end; throws AppError tool-failed with what it said when the exit code is not accepted. */
export async function runProgram(path: string, args: string[], options: ProgramOptions): Promise<ProgramResult> {
  const child = spawn(path, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    signal: options.signal,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const chunks = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      if (chunks[name].length < outputLimit) chunks[name] += text;
    });
  }
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', (cause) => reject(new AppError('tool-failed', `${path} could not be run`, { cause })));
    child.on('close', (status, signal) => resolve(status ?? (signal ? 128 : 1)));
  });
  if ((options.accept ?? [0]).includes(code)) return { ...chunks, code };
  const said = (chunks.stderr || chunks.stdout).trim().split('\n').slice(-15).join('\n');
  throw new AppError('tool-failed', `${path.split('/').pop()} ${args.join(' ')} ended with ${code}:\n${said}`);
}
