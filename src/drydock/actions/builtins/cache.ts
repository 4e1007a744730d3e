import { cp, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { sha256Hex } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import type { ActionContext, BuiltinAction } from '../action.ts';

const entryLimit = 20;

/** `actions/cache`: directories of the workspace kept by key between the jobs of a repository. */
export const cache: BuiltinAction = async (context) => {
  const key = context.inputs['key'];
  if (!key) throw new AppError('bad-input', `${context.uses}: the input key is missing`);
  const paths = (context.inputs['path'] ?? '')
    .split('\n')
    .map((path) => path.trim())
    .filter(Boolean);
  const directory = join(context.stateDir, 'caches', sha256Hex(paths.join('\n')).slice(0, 16));
  await mkdir(directory, { recursive: true });
  const exact = join(directory, encodeURIComponent(key));
  const hit = await exists(exact);
  const prefixes = (context.inputs['restore-keys'] ?? '')
    .split('\n')
    .map((prefix) => prefix.trim())
    .filter(Boolean);
  const source = hit ? exact : await newestMatch(directory, prefixes);
  if (source !== undefined) await restore(context, source, paths);
  context.log(
    source === undefined
      ? `Cache not found for ${key}`
      : `Cache restored from ${decodeURIComponent(source.slice(directory.length + 1))}`,
  );
  if (!hit) {
    context.addPost(async (jobSucceeded) => {
      if (jobSucceeded) await save(context, exact, paths);
    });
  }
  return { outputs: { 'cache-hit': String(hit) } };
};

async function newestMatch(directory: string, prefixes: string[]): Promise<string | undefined> {
  for (const prefix of prefixes) {
    const names = (await readdir(directory)).filter(
      (name) => !name.endsWith('.new') && decodeURIComponent(name).startsWith(prefix),
    );
    const dated = await Promise.all(
      names.map(async (name) => ({ name, at: (await stat(join(directory, name))).mtimeMs })),
    );
    const newest = dated.sort((a, b) => b.at - a.at)[0];
    if (newest) return join(directory, newest.name);
  }
  return undefined;
}

/** Cached paths are numbered in the entry, since they may lie anywhere below the workspace or the home directory. */
async function restore(context: ActionContext, source: string, paths: string[]): Promise<void> {
  for (const [at, path] of paths.entries()) {
    const from = join(source, String(at));
    if (await exists(from)) await cp(from, locate(context, path), { recursive: true });
  }
}

async function save(context: ActionContext, target: string, paths: string[]): Promise<void> {
  const temporary = `${target}.new`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  for (const [at, path] of paths.entries()) {
    const from = locate(context, path);
    if (await exists(from)) await cp(from, join(temporary, String(at)), { recursive: true });
  }
  await rm(target, { recursive: true, force: true });
  await rename(temporary, target);
  await evict(dirname(target));
}

async function evict(directory: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => !name.endsWith('.new'));
  const dated = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(directory, name))).mtimeMs })),
  );
  for (const { name } of dated.sort((a, b) => b.at - a.at).slice(entryLimit)) {
    await rm(join(directory, name), { recursive: true, force: true });
  }
}

function locate(context: ActionContext, path: string): string {
  if (path.includes('*'))
    throw new AppError('unsupported', `${context.uses}: patterns in path are not supported here: ${path}`);
  const home = context.env['HOME'] ?? context.workspace;
  const full = path.startsWith('~/') ? join(home, path.slice(2)) : resolve(context.workspace, path);
  const inside = [context.workspace, home, context.tempDir].some((root) => {
    const way = relative(root, full);
    return way !== '' && !way.startsWith(`..${sep}`) && way !== '..' && !isAbsolute(way);
  });
  if (!inside)
    throw new AppError('forbidden', `${context.uses}: ${path} lies outside the workspace and the home directory`);
  return full;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
