import { spawn } from 'node:child_process';
import { AppError } from '#base/errors.ts';

export interface ToolRun {
  path: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
  timeoutMs: number;
  maxOutputBytes: number;
}

export interface ToolResult {
  code: number;
  stdout: string;
  stderr: string;
}

const maxErrorBytes = 64 * 1024;

/** Runs an outside program to its end. Throws AppError missing-tool, timeout, limit or canceled; its exit code is a value. */
export async function runTool(run: ToolRun, signal: AbortSignal): Promise<ToolResult> {
  const limit = AbortSignal.timeout(run.timeoutMs);
  return await new Promise((resolve, reject) => {
    const child = spawn(run.path, run.args, {
      cwd: run.cwd,
      env: run.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: AbortSignal.any([signal, limit]),
      killSignal: 'SIGKILL',
    });
    const out: Buffer[] = [];
    const errors: Buffer[] = [];
    let outBytes = 0;
    let errorBytes = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      outBytes += chunk.length;
      if (outBytes <= run.maxOutputBytes) out.push(chunk);
      else child.kill('SIGKILL');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errorBytes += chunk.length;
      if (errorBytes <= maxErrorBytes) errors.push(chunk);
    });
    child.on('error', (cause) => {
      if (signal.aborted) reject(new AppError('canceled', `${run.path} was stopped`, { cause }));
      else if (limit.aborted)
        reject(new AppError('timeout', `${run.path} took longer than ${run.timeoutMs} ms`, { cause }));
      else
        reject(
          new AppError('missing-tool', `${run.path} cannot be run: ${cause.message}`, {
            cause,
            hint: 'run "slipway doctor" to see which tools were found',
          }),
        );
    });
    child.on('close', (code) => {
      if (outBytes > run.maxOutputBytes)
        reject(new AppError('limit', `${run.path} printed more than ${run.maxOutputBytes} bytes`));
      else
        resolve({
          code: code ?? 1,
          stdout: Buffer.concat(out).toString('utf8'),
          stderr: Buffer.concat(errors).toString('utf8'),
        });
    });
  });
}
