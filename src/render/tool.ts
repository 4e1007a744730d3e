import { spawn } from 'node:child_process';
import { AppError } from '#base/errors.ts';

export interface ToolRun {
  path: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  timeoutMs: number;
  maxOutputBytes: number;
  /** The program may start others: they end with it. */
  group?: boolean;
}

export interface ToolResult {
  code: number;
  stdout: string;
  stderr: string;
}

const maxErrorBytes = 64 * 1024;

/** Runs an outside program to its end. Throws AppError missing-tool, timeout, limit or canceled; its exit code is a value. */
export async function runTool(run: ToolRun, signal: AbortSignal): Promise<ToolResult> {
  return await new Promise((resolve, reject) => {
    const child = spawn(run.path, run.args, {
      cwd: run.cwd,
      env: run.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: run.group ?? false,
    });
    const kill = () => {
      if (!run.group || child.pid === undefined) child.kill('SIGKILL');
      else killGroup(child.pid);
    };
    let reason: AppError | undefined;
    const stop = (why: AppError) => {
      reason ??= why;
      kill();
    };
    const aborted = () => stop(new AppError('canceled', `${run.path} was stopped`));
    const timer = setTimeout(
      () =>
        stop(
          new AppError('timeout', `${run.path} took longer than ${run.timeoutMs} ms`, {
            hint: 'does it wait for something, or work without end?',
          }),
        ),
      run.timeoutMs,
    );
    signal.addEventListener('abort', aborted, { once: true });
    if (signal.aborted) aborted();
    const settled = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
    };
    const out: Buffer[] = [];
    const errors: Buffer[] = [];
    let outBytes = 0;
    let errorBytes = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      outBytes += chunk.length;
      if (outBytes <= run.maxOutputBytes) out.push(chunk);
      else stop(new AppError('limit', `${run.path} printed more than ${run.maxOutputBytes} bytes`));
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errorBytes += chunk.length;
      if (errorBytes <= maxErrorBytes) errors.push(chunk);
    });
    child.on('error', (cause) => {
      settled();
      reject(
        reason ??
          new AppError('missing-tool', `${run.path} cannot be run: ${cause.message}`, {
            cause,
            hint: 'run "slipway doctor" to see which tools were found',
          }),
      );
    });
    // What the program left running would keep the pipes open.
    child.on('exit', () => run.group && child.pid !== undefined && killGroup(child.pid));
    child.on('close', (code) => {
      settled();
      if (reason) reject(reason);
      else
        resolve({
          code: code ?? 1,
          stdout: Buffer.concat(out).toString('utf8'),
          stderr: Buffer.concat(errors).toString('utf8'),
        });
    });
  });
}

/** All processes that still run of a group; none is no fault. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
