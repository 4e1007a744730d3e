import { appendFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { AppError } from '#base/errors.ts';
import type { ActionContext, BuiltinAction } from '../action.ts';
import { runStepProcess } from '../step-process.ts';

const supported = new Set([
  'repository',
  'ref',
  'token',
  'path',
  'fetch-depth',
  'fetch-tags',
  'clean',
  'persist-credentials',
  'set-safe-directory',
  'show-progress',
  'submodules',
  'lfs',
]);

/** `actions/checkout`: the run's commit in the workspace, on a branch that `git push` works from. */
export function checkout(gitPath: string): BuiltinAction {
  return async (context, signal) => {
    const wanted = readInputs(context);
    const git = gitRunner(gitPath, context, signal);
    await mkdir(wanted.directory, { recursive: true });
    const run = (...args: string[]) => git(args, wanted.directory);
    await emptyDirectory(wanted.directory);
    await run('init', '-q', '-b', wanted.branch ?? 'detached');
    const header = `AUTHORIZATION: basic ${Buffer.from(`x-access-token:${wanted.token}`).toString('base64')}`;
    context.addMask(header.split(' ').at(-1) ?? '');
    await appendFile(join(wanted.directory, '.git', 'config'), configOf(wanted, header), { mode: 0o600 });
    const depth = wanted.depth > 0 ? [`--depth=${wanted.depth}`] : [];
    const tags = wanted.depth === 0 || wanted.fetchTags ? ['--tags'] : ['--no-tags'];
    const all = wanted.depth === 0 ? ['+refs/heads/*:refs/remotes/origin/*'] : [];
    await run('fetch', '-q', '--no-recurse-submodules', ...depth, ...tags, 'origin', ...all, ...wanted.refspecs);
    const how = wanted.branch === undefined ? ['--detach'] : ['--no-track', '-B', wanted.branch];
    await run('checkout', '-q', '--force', ...how, wanted.start);
    if (!wanted.persist) await run('config', '--unset-all', headerKey(wanted));
    const sha =
      wanted.sha ?? (await capture(gitPath, context, { args: ['rev-parse', 'HEAD'], cwd: wanted.directory, signal }));
    context.log(`HEAD is now at ${sha}`);
    return { outputs: { ref: wanted.ref, commit: sha } };
  };
}

function headerKey(wanted: Wanted): string {
  return `http.${wanted.serverUrl}/.extraheader`;
}

/** Written at once rather than by one `git config` for each line. The upstream is set so that a plain `git push` works. */
function configOf(wanted: Wanted, header: string): string {
  const quoted = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  const lines = [
    '[remote "origin"]',
    `\turl = ${quoted(wanted.url)}`,
    '\tfetch = +refs/heads/*:refs/remotes/origin/*',
    '[gc]',
    '\tauto = 0',
    `[http ${quoted(`${wanted.serverUrl}/`)}]`,
    `\textraheader = ${quoted(header)}`,
  ];
  if (wanted.branch !== undefined) {
    const merge = quoted(`refs/heads/${wanted.branch}`);
    lines.push(`[branch ${quoted(wanted.branch)}]`, '\tremote = origin', `\tmerge = ${merge}`);
  }
  return `${lines.join('\n')}\n`;
}

interface Wanted {
  /** Known beforehand when it is the commit of the run. */
  sha: string | undefined;
  directory: string;
  serverUrl: string;
  url: string;
  token: string;
  ref: string;
  /** Local branch to be on; undefined for a detached head. */
  branch: string | undefined;
  refspecs: string[];
  start: string;
  depth: number;
  fetchTags: boolean;
  persist: boolean;
}

function readInputs(context: ActionContext): Wanted {
  const { inputs, github, workspace } = context;
  const text = (name: string) => (typeof github[name] === 'string' ? github[name] : '');
  const unknown = Object.keys(inputs).filter((name) => !supported.has(name));
  if (unknown.length > 0)
    throw new AppError('unsupported', `${context.uses}: the input ${unknown.join(', ')} is not supported here`);
  for (const name of ['submodules', 'lfs']) {
    if (inputs[name] !== undefined && inputs[name] !== 'false')
      throw new AppError('unsupported', `${context.uses}: ${name} is not supported here`);
  }
  const repository = inputs['repository'] || text('repository');
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository))
    throw new AppError('bad-input', `${context.uses}: ${JSON.stringify(repository)} is no repository`);
  const isOwn = repository.toLowerCase() === text('repository').toLowerCase();
  const directory = resolve(workspace, inputs['path'] || '.');
  if (directory !== workspace && !directory.startsWith(workspace + sep)) {
    throw new AppError('bad-input', `${context.uses}: path ${inputs['path']} lies outside the workspace`);
  }
  const serverUrl = text('server_url');
  return {
    directory,
    serverUrl,
    url: `${serverUrl}/${repository}`,
    token: inputs['token'] || text('token'),
    depth: depthOf(inputs['fetch-depth']),
    fetchTags: inputs['fetch-tags'] === 'true',
    persist: inputs['persist-credentials'] !== 'false',
    ...revisionOf(inputs['ref'] ?? '', isOwn ? { ref: text('ref'), sha: text('sha') } : undefined),
  };
}

function depthOf(text: string | undefined): number {
  const depth = text === undefined || text === '' ? 1 : Number(text);
  if (!Number.isInteger(depth) || depth < 0)
    throw new AppError('bad-input', `actions/checkout: fetch-depth ${text} is not a number`);
  return depth;
}

type Revision = Pick<Wanted, 'ref' | 'sha' | 'branch' | 'refspecs' | 'start'>;

/** What to fetch and where to stand. Without an input it is exactly the commit of the run, whatever its branch does since. */
function revisionOf(input: string, own: { ref: string; sha: string } | undefined): Revision {
  if (input.startsWith('-')) throw new AppError('bad-input', `actions/checkout: ${JSON.stringify(input)} is no ref`);
  const ref = input === '' ? (own?.ref ?? 'HEAD') : input;
  const sha = input === '' || input === own?.ref ? own?.sha : undefined;
  if (/^[0-9a-f]{40}$/.test(ref)) return { ref, sha: ref, branch: undefined, refspecs: [ref], start: ref };
  const branch = ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : undefined;
  if (branch !== undefined) {
    const tracking = `refs/remotes/origin/${branch}`;
    return { ref, sha, branch, refspecs: [`+${sha ?? ref}:${tracking}`], start: tracking };
  }
  if (ref.startsWith('refs/'))
    return { ref, sha, branch: undefined, refspecs: [`+${sha ?? ref}:${localRef(ref)}`], start: localRef(ref) };
  return { ref, sha: undefined, branch: undefined, refspecs: [ref], start: 'FETCH_HEAD' };
}

function localRef(ref: string): string {
  return ref.startsWith('refs/pull/') ? ref.replace('refs/pull/', 'refs/remotes/pull/') : ref;
}

async function emptyDirectory(directory: string): Promise<void> {
  for (const entry of await readdir(directory)) await rm(join(directory, entry), { recursive: true, force: true });
}

function gitRunner(gitPath: string, context: ActionContext, signal: AbortSignal) {
  return async (args: string[], cwd: string): Promise<void> => {
    const output: string[] = [];
    const env = { ...context.env, GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1' };
    const onLine = (line: string) => output.push(line);
    const code = await runStepProcess({ command: gitPath, args, cwd, env, onLine, killGraceMs: 1000 }, signal);
    for (const line of output) context.log(line);
    if (code !== 0) throw new AppError('tool-failed', `git ${args[0]} ended with code ${code}: ${output.at(-1) ?? ''}`);
  };
}

async function capture(
  gitPath: string,
  context: ActionContext,
  { args, cwd, signal }: { args: string[]; cwd: string; signal: AbortSignal },
): Promise<string> {
  const lines: string[] = [];
  const onLine = (line: string) => lines.push(line);
  await runStepProcess({ command: gitPath, args, cwd, env: context.env, onLine, killGraceMs: 1000 }, signal);
  return lines[0] ?? '';
}
