import { constants } from 'node:fs';
import { access, open, readlink, stat } from 'node:fs/promises';
import { isAbsolute, join, normalize, relative } from 'node:path';
import { AppError } from '#base/errors.ts';
import type { ImageConfig } from './image.ts';

export interface CommandInput {
  /** The container's own, which replace the image's. */
  command: readonly string[];
  args: readonly string[];
  workingDir: string | undefined;
  config: ImageConfig;
  /** Root directory as the container sees it. */
  root: string;
  /** The container's PATH, in its own terms. */
  path: string;
  /** For programs every machine has and small images lack: `sh`. */
  hostPath: string;
}

export interface ResolvedCommand {
  file: string;
  args: string[];
  cwd: string;
}

export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The argument vector by the image specification's rule: a container's command drops the image's Cmd too. */
export function argumentVector(input: Pick<CommandInput, 'command' | 'args' | 'config'>): string[] {
  const { command, args, config } = input;
  if (command.length > 0) return [...command, ...args];
  return [...(config.Entrypoint ?? []), ...(args.length > 0 ? args : (config.Cmd ?? []))];
}

/**
 * The program to start. There is no mount namespace, so the program is looked for below `root`, `#!` lines are followed
 * here and not by the kernel, and an argument that is an absolute path existing below `root` is given as its real path.
 * Throws AppError with the words of a container runtime.
 */
export async function resolveCommand(input: CommandInput): Promise<ResolvedCommand> {
  const [program, ...rest] = argumentVector(input);
  if (program === undefined || program === '')
    throw new AppError('bad-input', 'no command specified: neither the container nor its image says what to run');
  const workingDir = input.workingDir ?? (input.config.WorkingDir || '/');
  const cwd = join(input.root, normalize(`/${workingDir}`));
  const found = await findProgram(program, { ...input, cwd });
  const file = found.at(-1) ?? '';
  const mapped: string[] = [];
  for (const argument of rest) mapped.push(await mapArgument(argument, input.root));
  const script = await interpreterOf(file);
  if (!script) return { file, args: mapped, cwd };
  const [interpreter = '', ...options] = script;
  const [real = ''] = (await findProgram(interpreter, { ...input, cwd })).slice(-1);
  return { file: real, args: [...options, file, ...mapped], cwd };
}

async function findProgram(program: string, at: CommandInput & { cwd: string }): Promise<string[]> {
  const fail = (why: string): AppError =>
    new AppError('bad-input', `exec: "${program}": ${why}`, {
      hint: 'Check the command of the container and the ENTRYPOINT and CMD of its image.',
    });
  if (program.includes('/')) {
    const path = isAbsolute(program) ? join(at.root, normalize(program)) : join(at.cwd, program);
    const real = await executable(path, at.root);
    if (real !== undefined) return [real];
    if (/^\/(usr\/)?bin\/sh$/.test(program)) return [await hostShell(at.hostPath, fail)];
    throw fail(`stat ${program}: no such file or directory`);
  }
  for (const directory of at.path.split(':')) {
    if (directory === '') continue;
    const real = await executable(join(at.root, normalize(`/${directory}`), program), at.root);
    if (real !== undefined) return [real];
  }
  if (program === 'sh') return [await hostShell(at.hostPath, fail)];
  throw fail('executable file not found in $PATH');
}

async function hostShell(hostPath: string, fail: (why: string) => AppError): Promise<string> {
  for (const directory of hostPath.split(':')) {
    if (directory === '') continue;
    const path = join(directory, 'sh');
    if (await isExecutable(path)) return path;
  }
  throw fail('executable file not found in $PATH');
}

/** Follows symbolic links by hand, because an absolute link inside an image means a path of the image. */
async function executable(path: string, root: string): Promise<string | undefined> {
  let at = path;
  for (let depth = 0; depth < 16; depth += 1) {
    const target = await readlink(at).catch(() => undefined);
    if (target === undefined) return (await isExecutable(at)) ? at : undefined;
    // The tree of a container with volumes links into the image's own tree: such a link is real already.
    const real = isAbsolute(target) && !(await isExecutable(target)) ? join(root, target) : target;
    at = isAbsolute(real) ? real : join(at, '..', real);
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    if (!(await stat(path)).isFile()) return false;
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function mapArgument(argument: string, root: string): Promise<string> {
  if (!isAbsolute(argument) || argument === '/') return argument;
  const path = join(root, normalize(argument));
  if (relative(root, path).startsWith('..')) return argument;
  return (await stat(path).catch(() => undefined)) ? path : argument;
}

/** The words of a `#!` line; `/usr/bin/env x` becomes `x`. */
async function interpreterOf(file: string): Promise<string[] | undefined> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0);
    const head = buffer.toString('latin1', 0, bytesRead);
    if (!head.startsWith('#!')) return undefined;
    const line = head.slice(2).split('\n', 1)[0]?.trim() ?? '';
    const words = line.split(/\s+/);
    if (words[0]?.endsWith('/env')) return words.slice(words[1] === '-S' ? 2 : 1);
    const [interpreter = '', ...rest] = words;
    return rest.length > 0 ? [interpreter, rest.join(' ')] : [interpreter];
  } finally {
    await handle.close();
  }
}
