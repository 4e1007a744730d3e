import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { unreachable } from '#base/assert.ts';
import type { Clock } from '#base/clock.ts';
import { canonicalJson, sha256Hex } from '#base/digest.ts';
import { AppError, isAppError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import type { KubeObject } from '#kube/port.ts';
import { defaultSettings } from '#model/argocd/settings.ts';
import { RenderCache } from './cache.ts';
import type { ChartLibrary } from './charts/port.ts';
import { directoryKey, planDirectory, renderDirectory } from './directory.ts';
import { renderHelm } from './helm.ts';
import { type HelmTool, helmKey, planHelm } from './helm-plan.ts';
import { type KustomizeTool, planKustomize, renderKustomize } from './kustomize.ts';
import { followLinks } from './links.ts';
import { PluginFinder, type PluginHost, planPlugin, renderPlugin } from './plugin.ts';
import type { Renderer, RenderInputs, Rendering, RenderRequest } from './port.ts';
import { type LinkedRequest, overrideFiles, type ResolvedSource, resolveSource } from './source.ts';

export interface RendererDeps {
  cacheDir: string;
  clock: Clock;
  logger: Logger;
  /** Undefined when it is not installed: charts then fail with AppError missing-tool. */
  helm?: HelmTool | undefined;
  /** Undefined where nothing is brought from elsewhere: dependencies must be in charts/, value files in the repository. */
  charts?: ChartLibrary | undefined;
  kubectl?: KustomizeTool | undefined;
  /** Config management plugins that may run here: none unless told. */
  plugins?: PluginHost | undefined;
  /** Tools that run at once. */
  concurrency?: number;
}

/** Part of every key: raised when the same inputs give other manifests than before. */
const rendererVersion = 2;

/** Runs in a new empty folder that is removed afterwards. */
type InFolder = <T>(run: (folder: string) => Promise<T>) => Promise<T>;

interface Prepared extends RenderInputs {
  run: (inFolder: InFolder, signal: AbortSignal) => Promise<KubeObject[]>;
}

/** A renderer whose results stay on disk below `cacheDir`, keyed by what they were made of and never by commit. */
export function createRenderer(deps: RendererDeps): Renderer {
  const cache = new RenderCache({ folder: join(deps.cacheDir, 'renders'), clock: deps.clock, logger: deps.logger });
  const running = new Map<string, Promise<KubeObject[]>>();
  const slots = new Slots(deps.concurrency ?? 2);
  const counts = { renders: 0, cacheHits: 0 };
  const host = deps.plugins ?? { plugins: [], searchPath: '' };
  const finder = new PluginFinder({ host, logger: deps.logger, inFolder: (run) => inFolder(deps, run) });
  const parts: Parts = { ...deps, host, finder };

  async function make(prepared: Prepared, anew: boolean, signal: AbortSignal): Promise<KubeObject[]> {
    const known = anew ? undefined : await cache.read(prepared.key);
    if (isObject(known) && Array.isArray(known['manifests'])) {
      counts.cacheHits += 1;
      return known['manifests'] as KubeObject[];
    }
    counts.renders += 1;
    const manifests = await slots.run(() => prepared.run((run) => inFolder(deps, run), signal));
    await cache.write(prepared.key, { manifests });
    return manifests;
  }

  return {
    counts,
    async inputs(request, signal) {
      const { key, sourceType, paths, unread } = await prepare(parts, request, signal);
      return { key, sourceType, paths, unread };
    },
    async render(request, signal): Promise<Rendering> {
      const prepared = await prepare(parts, request, signal);
      const { key, sourceType, paths, unread } = prepared;
      for (;;) {
        const others = running.get(key);
        const work = others ?? make(prepared, request.anew ?? false, signal).finally(() => running.delete(key));
        if (!others) running.set(key, work);
        try {
          return { key, sourceType, paths, unread, manifests: await work };
        } catch (error) {
          // Another caller's render ended because that caller was stopped: this one makes its own.
          if (!others || signal.aborted || !isAppError(error, 'canceled')) throw error;
        }
      }
    },
  };
}

interface Parts extends RendererDeps {
  host: PluginHost;
  finder: PluginFinder;
}

/** Links are followed wherever files are read, and a source that is named as `$ref` is the same tree. */
function linkedRequest(request: RenderRequest): LinkedRequest {
  return {
    ...request,
    tree: followLinks(request.tree),
    refs: new Map([...request.refs].map(([name, tree]) => [name, followLinks(tree)] as const)),
    settings: request.settings ?? defaultSettings.render,
  };
}

async function prepare(parts: Parts, plain: RenderRequest, signal: AbortSignal): Promise<Prepared> {
  const request = linkedRequest(plain);
  const discovers = async (asked: LinkedRequest, path: string) =>
    (await parts.finder.discover(asked, path, signal)) !== undefined;
  const resolved = await resolveSource({ discovers }, request, signal);
  const prepared = await prepareType(parts, request, resolved, signal);
  const paths = new Set(prepared.paths);
  for (const path of prepared.paths) for (const target of await request.tree.outside(path, signal)) paths.add(target);
  return { ...prepared, paths: [...paths] };
}

async function prepareType(
  parts: Parts,
  request: LinkedRequest,
  resolved: ResolvedSource,
  signal: AbortSignal,
): Promise<Prepared> {
  const sourceType = resolved.type;
  const base = { version: rendererVersion, type: sourceType };
  const folder = resolved.path;
  switch (sourceType) {
    case 'Helm': {
      const tool = parts.helm;
      if (!tool)
        throw new AppError('missing-tool', 'helm is not installed, and this application is a chart', {
          hint: 'run "npm run setup", or install helm and start again',
        });
      const plan = await planHelm({ request, resolved, charts: parts.charts }, signal);
      // The chart's files stand in the plan's key, finer than by its folder.
      const key = keyOf({ ...base, tree: plan.chart, helm: helmKey(plan, tool) });
      const unread = plan.unreadValues ? { folder, used: plan.watched } : undefined;
      return {
        key,
        sourceType,
        paths: [...new Set([folder, ...plan.watched])],
        unread,
        run: (within, stop) => within((work) => renderHelm(tool, { request, resolved, plan, folder: work }, stop)),
      };
    }
    case 'Kustomize': {
      const tools = { kubectl: parts.kubectl, helm: parts.helm };
      const plan = await planKustomize(tools, request, resolved, signal);
      // A plugin's discovery may look at any file of the folder.
      const whole = parts.host.plugins.length > 0 ? [folder] : overrideFiles(request, folder);
      return {
        key: keyOf({ ...base, kustomize: plan.key }),
        sourceType,
        paths: [...new Set([...plan.paths, ...whole])],
        unread: undefined,
        run: (within, stop) =>
          within((work) => renderKustomize({ request, resolved, plan, tools, folder: work }, stop)),
      };
    }
    case 'Directory': {
      const plan = await planDirectory(request, resolved, signal);
      return {
        key: keyOf({ ...base, directory: directoryKey(plan) }),
        sourceType,
        paths: [...new Set([folder, ...(plan.jsonnet?.paths ?? [])])],
        unread: undefined,
        run: (within, stop) => renderDirectory({ request, resolved, plan, within, cacheDir: parts.cacheDir }, stop),
      };
    }
    case 'Plugin': {
      const plan = await planPlugin(parts.finder, request, resolved, signal);
      return {
        key: keyOf({ ...base, plugin: plan.key }),
        sourceType,
        paths: [plan.from],
        unread: undefined,
        run: (within, stop) => within((work) => renderPlugin(parts, { request, resolved, plan, folder: work }, stop)),
      };
    }
    default:
      return unreachable(sourceType);
  }
}

async function inFolder<T>(deps: { cacheDir: string }, run: (folder: string) => Promise<T>): Promise<T> {
  const parent = join(deps.cacheDir, 'work');
  await mkdir(parent, { recursive: true });
  // Without links on the way: tools print where files really are.
  const folder = await realpath(await mkdtemp(join(parent, 'render-')));
  try {
    return await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function keyOf(parts: unknown): string {
  return sha256Hex(canonicalJson(parts));
}

/** At most so many at once; the others wait in order. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#free = size;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
