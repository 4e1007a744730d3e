import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { AppError, throwIfAborted } from '#base/errors.ts';
import { authorizationOf, type PreparedAccess, prepareAccess, sshCommand } from './access.ts';
import type { GitAccess } from './port.ts';
import type { Slots } from './slots.ts';

/** How git is run: one program, one empty home, and the few variables of the environment it may see. */
export interface GitProgram {
  gitPath: string;
  /** An empty folder: no configuration of the machine's user is read. */
  home: string;
  /** Passed on as they are, e.g. PATH, HTTPS_PROXY, SSH_AUTH_SOCK. */
  env: Readonly<Record<string, string>>;
  /** How many short-lived programs run at once. */
  slots: Slots;
}

export interface GitRun {
  args: string[];
  gitDir?: string | undefined;
  stdin?: Uint8Array | string | undefined;
  /** How the remote is reached, for commands that speak to it. */
  credentials?: GitAccess | undefined;
  /** More variables, e.g. the author of a commit. */
  env?: Record<string, string> | undefined;
  /** Of stdout. Reaching it stops the program and throws AppError `limit`. */
  maxBytes?: number;
  timeoutMs?: number;
}

export interface GitResult {
  code: number;
  stdout: Buffer;
  stderr: string;
}

const defaultMaxBytes = 64 * 1024 * 1024;
const stderrLimit = 64 * 1024;
const killAfterMs = 2_000;

const fixedConfig: [string, string][] = [
  ['core.hooksPath', '/dev/null'],
  ['core.quotePath', 'false'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['protocol.version', '2'],
  ['protocol.allow', 'never'],
  ['protocol.http.allow', 'always'],
  ['protocol.https.allow', 'always'],
  ['protocol.ssh.allow', 'always'],
  ['advice.objectNameWarning', 'false'],
];

/** Runs one git command to its end. Any exit code is a result; not starting, time and size limits are AppErrors. */
export function runGit(program: GitProgram, run: GitRun, signal: AbortSignal): Promise<GitResult> {
  return program.slots.run(signal, () => runToEnd(program, run, signal));
}

async function runToEnd(program: GitProgram, run: GitRun, signal: AbortSignal): Promise<GitResult> {
  await using access = await prepareAccess(run.credentials, program);
  return await runWith({ program, run, access }, signal);
}

async function runWith(
  { program, run, access }: { program: GitProgram; run: GitRun; access: PreparedAccess },
  signal: AbortSignal,
): Promise<GitResult> {
  const { maxBytes = defaultMaxBytes, timeoutMs = 60_000 } = run;
  const child = spawnGit(program, run, access);
  const what = `git ${run.args[0]}`;
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  let outSize = 0;
  let errSize = 0;
  let failure: AppError | undefined;
  const stop = (reason: AppError) => {
    failure ??= reason;
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), killAfterMs).unref();
  };
  const onAbort = () => stop(new AppError('canceled', `${what} was canceled`));
  const timer = setTimeout(() => stop(new AppError('timeout', `${what} took longer than ${timeoutMs} ms`)), timeoutMs);
  signal.addEventListener('abort', onAbort, { once: true });
  child.stdout.on('data', (chunk: Buffer) => {
    outSize += chunk.byteLength;
    if (outSize > maxBytes) stop(new AppError('limit', `${what} printed more than ${maxBytes} bytes`));
    else out.push(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errSize += chunk.byteLength;
    if (errSize <= stderrLimit) err.push(chunk);
  });
  // A program that ends before it has read its input says why on stderr and by its exit code.
  child.stdin.on('error', () => {});
  child.stdin.end(run.stdin);
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', (cause) => reject(missing(program, cause)));
      child.once('close', (exit) => resolve(exit ?? -1));
    });
    throwIfAborted(signal);
    if (failure) throw failure;
    return { code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString('utf8') };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/** Starts git with pipes; the caller owns the process. */
export function spawnGit(
  program: GitProgram,
  run: GitRun,
  access?: Pick<PreparedAccess, 'config' | 'env'>,
): ChildProcessWithoutNullStreams {
  const config = [...fixedConfig, ...(access?.config ?? [])];
  const authorization = authorizationOf(run.credentials);
  if (authorization !== undefined) {
    config.push(['http.extraHeader', `Authorization: ${authorization}`]);
    // The header would go to wherever the server redirects.
    config.push(['http.followRedirects', 'false']);
  }
  const env: Record<string, string> = {
    ...program.env,
    ...run.env,
    HOME: program.home,
    XDG_CONFIG_HOME: program.home,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    SSH_ASKPASS: '',
    GIT_SSH_COMMAND: sshCommand(program),
    GIT_LITERAL_PATHSPECS: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_HTTP_LOW_SPEED_LIMIT: '100',
    GIT_HTTP_LOW_SPEED_TIME: '60',
    GIT_CONFIG_COUNT: String(config.length),
    ...access?.env,
  };
  if (run.gitDir) env['GIT_DIR'] = run.gitDir;
  config.forEach(([key, value], index) => {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  });
  return spawn(program.gitPath, run.args, { cwd: program.home, env, stdio: 'pipe' });
}

export function missing(program: GitProgram, cause: unknown): AppError {
  return new AppError('missing-tool', `cannot run ${program.gitPath}`, { cause, hint: 'install git 2.30 or newer' });
}
