import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { unreachable } from '#base/assert.ts';
import type { Clock } from '#base/clock.ts';
import { canonicalJson, sha256Hex } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import type { KubeObject } from '#kube/port.ts';
import { RenderCache } from './cache.ts';
import { renderDirectory } from './directory.ts';
import { type HelmPlan, type HelmTool, helmKey, planHelm, renderHelm } from './helm.ts';
import { type KustomizeTool, kustomizeInputs, renderKustomize } from './kustomize.ts';
import type { Renderer, RenderInputs, Rendering, RenderRequest } from './port.ts';
import { joinPath } from './repository-path.ts';
import { type ResolvedSource, resolveSource } from './source.ts';

export interface RendererDeps {
  cacheDir: string;
  clock: Clock;
  logger: Logger;
  /** Undefined when it is not installed: charts then fail with AppError missing-tool. */
  helm?: HelmTool | undefined;
  kubectl?: KustomizeTool | undefined;
  /** Tools that run at once. */
  concurrency?: number;
}

/** Part of every key: raised when the same inputs give other manifests than before. */
const rendererVersion = 1;

interface Prepared extends RenderInputs {
  resolved: ResolvedSource;
  helm: HelmPlan | undefined;
}

/** A renderer whose results stay on disk below `cacheDir`, keyed by what they were made of and never by commit. */
export function createRenderer(deps: RendererDeps): Renderer {
  const cache = new RenderCache({ folder: join(deps.cacheDir, 'renders'), clock: deps.clock, logger: deps.logger });
  const running = new Map<string, Promise<KubeObject[]>>();
  const slots = new Slots(deps.concurrency ?? 2);
  const counts = { renders: 0, cacheHits: 0 };

  async function make(prepared: Prepared, request: RenderRequest, signal: AbortSignal): Promise<KubeObject[]> {
    const known = await cache.read(prepared.key);
    if (isObject(known) && Array.isArray(known['manifests'])) {
      counts.cacheHits += 1;
      return known['manifests'] as KubeObject[];
    }
    counts.renders += 1;
    const manifests = await slots.run(() => runTools(deps, prepared, request, signal));
    await cache.write(prepared.key, { manifests });
    return manifests;
  }

  return {
    counts,
    async inputs(request, signal) {
      const { key, sourceType, paths, unread } = await prepare(deps, request, signal);
      return { key, sourceType, paths, unread };
    },
    async render(request, signal): Promise<Rendering> {
      const prepared = await prepare(deps, request, signal);
      let work = running.get(prepared.key);
      if (!work) {
        work = make(prepared, request, signal).finally(() => running.delete(prepared.key));
        running.set(prepared.key, work);
      }
      const manifests = await work;
      const { key, sourceType, paths, unread } = prepared;
      return { key, sourceType, paths, unread, manifests };
    },
  };
}

async function prepare(deps: RendererDeps, request: RenderRequest, signal: AbortSignal): Promise<Prepared> {
  const resolved = await resolveSource(request, signal);
  const base = { version: rendererVersion, type: resolved.type, tree: resolved.tree };
  const folder = resolved.path;
  switch (resolved.type) {
    case 'Helm': {
      if (!deps.helm)
        throw new AppError('missing-tool', 'helm is not installed, and this application is a chart', {
          hint: 'run "npm run setup", or install helm and start again',
        });
      const helm = await planHelm(request, resolved, signal);
      const named = [...helm.values, ...helm.fileParameters.map(({ file }) => file)];
      const own = named.filter((file) => file.tree.url === request.tree.url).map((file) => file.path);
      const values = [...own, ...helm.absent];
      const paths = [...new Set([folder, ...values])];
      // The chart's files stand in the plan's key, finer than by its folder.
      const key = keyOf({ ...base, tree: helm.chart, helm: helmKey(helm, deps.helm) });
      const unread = helm.unreadValues ? { folder, used: values } : undefined;
      return { key, sourceType: 'Helm', paths, unread, resolved, helm };
    }
    case 'Kustomize': {
      const inputs = await kustomizeInputs(deps.kubectl, request, resolved, signal);
      return {
        key: keyOf({ ...base, kustomize: inputs.key }),
        sourceType: 'Kustomize',
        paths: inputs.paths,
        unread: undefined,
        resolved,
        helm: undefined,
      };
    }
    case 'Directory':
      return {
        key: keyOf({ ...base, directory: resolved.source.directory ?? {} }),
        sourceType: 'Directory',
        paths: [folder],
        unread: undefined,
        resolved,
        helm: undefined,
      };
    case 'Plugin':
      throw new AppError(
        'unsupported',
        `${joinPath(folder, '')} is rendered by a plugin, which this version does not run`,
        { hint: 'commit the rendered manifests and use a directory source' },
      );
    default:
      return unreachable(resolved.type);
  }
}

async function runTools(
  deps: RendererDeps,
  prepared: Prepared,
  request: RenderRequest,
  signal: AbortSignal,
): Promise<KubeObject[]> {
  if (prepared.sourceType === 'Directory') return await renderDirectory(request, prepared.resolved, signal);
  const parent = join(deps.cacheDir, 'work');
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, 'render-'));
  try {
    if (prepared.helm && deps.helm)
      return await renderHelm(deps.helm, { request, resolved: prepared.resolved, plan: prepared.helm, folder }, signal);
    return await renderKustomize(
      deps.kubectl,
      { request, resolved: prepared.resolved, paths: prepared.paths, folder },
      signal,
    );
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
