import { spawn } from 'node:child_process';
import { dirname, isAbsolute } from 'node:path';
import { AppError } from '#base/errors.ts';

export interface GitOptions {
  gitPath: string;
  /** Directory that stands in for a home directory, so that nobody's configuration is read. */
  home: string;
}

export interface GitCall {
  /** Git directory the command works on. */
  repository?: string | undefined;
  input?: string | Uint8Array | undefined;
  env?: Record<string, string> | undefined;
  /** Exit codes that are an answer rather than a failure. */
  okCodes?: number[];
}

export const zeroSha = '0'.repeat(40);

const outputLimit = 64 * 1024 * 1024;

/** The git program, run with a clean environment. */
export class Git {
  readonly #options: GitOptions;

  constructor(options: GitOptions) {
    this.#options = options;
  }

  get path(): string {
    return this.#options.gitPath;
  }

  /** What every git process of the forge is given. */
  get env(): Record<string, string> {
    const { gitPath, home } = this.#options;
    const path = isAbsolute(gitPath)
      ? `${dirname(gitPath)}:/usr/local/bin:/usr/bin:/bin`
      : '/usr/local/bin:/usr/bin:/bin';
    return { PATH: path, HOME: home, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C.UTF-8' };
  }

  /** Standard output as text. */
  async text(args: string[], call: GitCall, signal: AbortSignal): Promise<string> {
    return (await this.run(args, call, signal)).stdout.toString('utf8');
  }

  /** Undefined when the command ends with code 1 or 128, as git does for objects that do not exist. */
  async maybeText(args: string[], call: GitCall, signal: AbortSignal): Promise<string | undefined> {
    const { code, stdout } = await this.run(args, { ...call, okCodes: [0, 1, 128] }, signal);
    return code === 0 ? stdout.toString('utf8') : undefined;
  }

  async run(args: string[], call: GitCall, signal: AbortSignal): Promise<{ code: number; stdout: Buffer }> {
    const { repository, input, env = {}, okCodes = [0] } = call;
    const where = repository === undefined ? [] : ['--git-dir', repository];
    const child = spawn(this.path, [...where, ...args], { env: { ...this.env, ...env }, stdio: 'pipe', signal });
    const out: Buffer[] = [];
    let size = 0;
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > outputLimit) child.kill('SIGKILL');
      else out.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (stderr.length < 4096) stderr += chunk.toString('utf8');
    });
    // The program may end before it has read everything; its exit code tells.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', (cause) => reject(startFailure(this.path, cause)));
      child.once('close', (status) => resolve(status ?? 128 + 9));
    });
    if (size > outputLimit) throw new AppError('limit', `git ${args[0]} wrote more than ${outputLimit} bytes`);
    if (!okCodes.includes(code)) {
      throw new AppError('tool-failed', `git ${args[0]} ended with code ${code}: ${stderr.trim()}`);
    }
    return { code, stdout: Buffer.concat(out) };
  }
}

function startFailure(path: string, cause: Error): AppError {
  if (cause.name === 'AbortError') return new AppError('canceled', 'git was canceled', { cause });
  return new AppError('missing-tool', `git could not be started from ${path}: ${cause.message}`, {
    cause,
    hint: 'install git, or name its path',
  });
}
