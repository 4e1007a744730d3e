import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, messageOf } from '#base/errors.ts';
import { globMatch } from '#base/glob.ts';
import { parseJson } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import type { KubeObject } from '#kube/port.ts';
import { checkOut } from './checkout.ts';
import { splitJsonStream } from './json-stream.ts';
import { manifestsOf } from './manifests.ts';
import { parsePluginBlock, pluginEnvironment } from './plugin-environment.ts';
import type { Plugin } from './plugin-manifest.ts';
import type { LinkedRequest, ResolvedSource } from './source.ts';
import { runTool, type ToolResult } from './tool.ts';
import { parseYamlDocuments } from './yaml.ts';

/** Plugins that the operator allows, and what their commands get of the machine. */
export interface PluginHost {
  plugins: readonly Plugin[];
  /** PATH of the commands. */
  searchPath: string;
  /** For each command. */
  timeoutMs?: number;
}

const defaultTimeoutMs = 90_000;
const discoverTimeoutMs = 15_000;
const maxOutputBytes = 64 * 1024 * 1024;
const maxMessage = 2000;

export interface PluginPlan {
  plugin: Plugin;
  environment: Record<string, string>;
  /** Folder of the repository that is checked out. */
  from: string;
  key: unknown;
}

interface Work {
  host: PluginHost;
  logger: Logger;
  /** Runs in a new empty folder that is removed afterwards. */
  inFolder: <T>(run: (folder: string) => Promise<T>) => Promise<T>;
}

/** Finds out which plugin a folder belongs to; answers are remembered by the folder's content. */
export class PluginFinder {
  readonly #work: Work;
  readonly #known = new Map<string, boolean>();

  constructor(work: Work) {
    this.#work = work;
  }

  /** The first plugin whose discovery says that the folder is its own. */
  async discover(request: LinkedRequest, path: string, signal: AbortSignal): Promise<Plugin | undefined> {
    for (const plugin of this.#work.host.plugins) {
      if (plugin.discovery.kind === 'none') continue;
      if (await this.#matches(plugin, { request, path }, signal)) return plugin;
    }
    return undefined;
  }

  /** The plugin that the source names, or that discovers it. Throws AppError when there is none. */
  async find(request: LinkedRequest, resolved: ResolvedSource, signal: AbortSignal): Promise<Plugin> {
    const name = parsePluginBlock(resolved.source.plugin).name ?? '';
    const { plugins } = this.#work.host;
    const allowed = plugins.map(({ id }) => id).join(', ');
    const hint =
      plugins.length === 0
        ? 'start with "slipway serve --plugins FOLDER", a folder of ConfigManagementPlugin files that may run here'
        : `plugins that may run here: ${allowed}`;
    const place = `${resolved.path || 'the repository'} (${request.tree.place})`;
    if (name === '') {
      const found = await this.discover(request, resolved.path, signal);
      if (found) return found;
      throw new AppError('not-found', `no plugin supports ${place}`, { hint });
    }
    const plugin = plugins.find(({ id }) => id === name);
    if (!plugin)
      throw new AppError('not-found', `the plugin "${name}" that renders ${place} may not run here`, { hint });
    if (plugin.discovery.kind === 'none') return plugin;
    if (await this.#matches(plugin, { request, path: resolved.path }, signal)) return plugin;
    throw new AppError(
      'bad-input',
      `the plugin "${name}" does not support ${place}: its discovery finds nothing there`,
      {
        hint: 'correct spec.source.path or the discovery of the plugin',
      },
    );
  }

  async #matches(
    plugin: Plugin,
    where: { request: LinkedRequest; path: string },
    signal: AbortSignal,
  ): Promise<boolean> {
    const { request, path } = where;
    const from = plugin.discovery.kind === 'command' && plugin.reads === 'repository' ? '' : path;
    const key = [plugin.digest, path, await request.tree.objectId(from, signal)].join(' ');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = await this.#ask(plugin, where, signal);
    if (this.#known.size >= maxKnown) this.#known.clear();
    this.#known.set(key, found);
    return found;
  }

  async #ask(plugin: Plugin, where: { request: LinkedRequest; path: string }, signal: AbortSignal): Promise<boolean> {
    const { discovery } = plugin;
    const { request, path } = where;
    if (discovery.kind === 'none') return false;
    if (discovery.kind !== 'command') {
      const start = path === '' ? 0 : path.length + 1;
      const files = (await request.tree.listFiles(path, signal)).map((entry) => entry.path.slice(start));
      const pattern = discovery.pattern.replace(/^\.\//, '');
      const wanted = discovery.kind === 'glob' ? expandDoubleStar(pattern) : [pattern];
      return [...files, ...foldersOf(files)].some((file) => wanted.some((glob) => globMatch(glob, file, '/')));
    }
    try {
      const block = request.source.plugin && parsePluginBlock(request.source.plugin);
      const environment = pluginEnvironment(request, block || undefined);
      return await this.#work.inFolder(async (folder) => {
        const run: PluginRun = { host: this.#work.host, plugin, environment, folder, path };
        await preparePlugin(request, { ...run, from: plugin.reads === 'repository' ? '' : path }, signal);
        const result = await runPlugin(run, { words: discovery.words, timeoutMs: discoverTimeoutMs }, signal);
        return result.stdout.trim() !== '';
      });
    } catch (error) {
      if (signal.aborted) throw error;
      this.#work.logger.warn({ plugin: plugin.id, path }, `the plugin's discovery failed: ${messageOf(error)}`);
      return false;
    }
  }
}

const maxKnown = 20_000;

/** `**` between slashes also stands for no folder at all. */
function expandDoubleStar(pattern: string): string[] {
  return [pattern, pattern.replaceAll('**/', '')];
}

function foldersOf(files: readonly string[]): Set<string> {
  const out = new Set<string>();
  for (const file of files)
    for (let at = file.indexOf('/'); at > 0; at = file.indexOf('/', at + 1)) out.add(file.slice(0, at));
  return out;
}

export async function planPlugin(
  finder: PluginFinder,
  request: LinkedRequest,
  resolved: ResolvedSource,
  signal: AbortSignal,
): Promise<PluginPlan> {
  const plugin = await finder.find(request, resolved, signal);
  if (plugin.wantsCredentials)
    throw new AppError(
      'unsupported',
      `the plugin ${plugin.id} asks for Git credentials, which are not given to plugins`,
      {
        hint: 'remove spec.provideGitCreds from it; it gets a checkout of the repository',
      },
    );
  const block = resolved.source.plugin && parsePluginBlock(resolved.source.plugin);
  const environment = pluginEnvironment(request, block || undefined);
  const from = plugin.reads === 'repository' ? '' : resolved.path;
  if (plugin.reads === 'path' && !mentionsRevision(plugin))
    for (const name of Object.keys(environment)) if (name.startsWith('ARGOCD_APP_REVISION')) delete environment[name];
  const tree = await request.tree.objectId(from, signal);
  return { plugin, environment, from, key: { plugin: plugin.digest, path: resolved.path, tree, environment } };
}

/** Held to its folder, a plugin is told the revision only when its commands name it: a commit elsewhere then runs nothing. */
function mentionsRevision(plugin: Plugin): boolean {
  return [...(plugin.init ?? []), ...plugin.generate].some((word) => word.includes('ARGOCD_APP_REVISION'));
}

interface PluginRun {
  host: PluginHost;
  plugin: Plugin;
  environment: Record<string, string>;
  folder: string;
  path: string;
}

async function preparePlugin(
  request: LinkedRequest,
  run: PluginRun & { from: string },
  signal: AbortSignal,
): Promise<void> {
  const to = join(run.folder, 'repository');
  await mkdir(join(run.folder, 'home'), { recursive: true });
  await mkdir(join(run.folder, 'tmp'), { recursive: true });
  const submodules = run.from === run.path && run.path !== '' ? 'refuse' : 'leave-out';
  await checkOut(
    request.tree,
    { from: run.from, to, wholePath: true, modes: run.plugin.preserveFileMode, submodules },
    signal,
  );
  await mkdir(join(to, run.path), { recursive: true });
}

async function runPlugin(
  run: PluginRun,
  command: { words: readonly string[]; timeoutMs: number },
  signal: AbortSignal,
): Promise<ToolResult> {
  const [program = '', ...args] = command.words;
  const result = await runTool(
    {
      path: program,
      args,
      cwd: join(run.folder, 'repository', run.path),
      env: {
        ...run.environment,
        PATH: run.host.searchPath,
        HOME: join(run.folder, 'home'),
        TMPDIR: join(run.folder, 'tmp'),
      },
      timeoutMs: command.timeoutMs,
      maxOutputBytes,
      group: true,
    },
    signal,
  );
  if (result.code === 0) return result;
  const said = result.stderr.trim() || result.stdout.trim() || 'it said nothing';
  throw new AppError(
    'tool-failed',
    `the plugin ${run.plugin.id} failed in ${run.path || 'the repository'}: "${command.words.join(' ').slice(0, 200)}" ended with exit code ${result.code}: ${said.replaceAll(`${join(run.folder, 'repository')}/`, '').slice(0, maxMessage)}`,
    { hint: 'run the command in a checkout of the repository to see the same' },
  );
}

/** Runs the plugin's init and generate in a new checkout below `folder`. */
export async function renderPlugin(
  work: Pick<Work, 'host'>,
  job: { request: LinkedRequest; resolved: ResolvedSource; plan: PluginPlan; folder: string },
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const { plan, request, resolved, folder } = job;
  const { plugin, environment, from } = plan;
  const run: PluginRun = { host: work.host, plugin, environment, folder, path: resolved.path };
  await preparePlugin(request, { ...run, from }, signal);
  const timeoutMs = work.host.timeoutMs ?? defaultTimeoutMs;
  if (plugin.init) await runPlugin(run, { words: plugin.init, timeoutMs }, signal);
  const { stdout } = await runPlugin(run, { words: plugin.generate, timeoutMs }, signal);
  const what = `the output of the plugin ${plugin.id} in ${resolved.path || 'the repository'}`;
  const stream = splitJsonStream(stdout);
  const documents = stream ? stream.map((text) => parseJson(text, what)) : parseYamlDocuments(stdout, what);
  return manifestsOf(documents, what);
}
