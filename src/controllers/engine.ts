import { join } from 'node:path';
import { defaultSelfHeal, type SelfHealBackoff } from '#apps/auto-sync.ts';
import { clusterVersions } from '#apps/cluster-versions.ts';
import { LiveState } from '#apps/live-state.ts';
import type { ObservationDeps } from '#apps/observation.ts';
import type { ApplicationEngine } from '#apps/port.ts';
import { RepositoryWatch } from '#apps/repository-watch.ts';
import type { Clock, Entropy } from '#base/clock.ts';
import { AppError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { GitMirrors } from '#git/port.ts';
import type { ApiResource, InformerSet, KubeClient } from '#kube/port.ts';
import type { Renderer } from '#render/port.ts';
import { createRenderer } from '#render/renderer.ts';
import { Comparer } from '#sync/comparer.ts';
import { VerdictStore } from '#sync/verdicts.ts';
import type { AuditLog } from '#trace/event.ts';
import { ApplicationController } from './application-controller.ts';
import { AuditTrail } from './audit-trail.ts';
import { installCrds } from './crds.ts';
import { EngineFace } from './engine-face.ts';

export interface EngineOptions {
  kube: KubeClient;
  informers: InformerSet;
  git: GitMirrors;
  audit: AuditLog;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  /** Renders and comparisons are kept below it; losing them costs only time. */
  cacheDir: string;
  /** Undefined when not installed. */
  helm?: { path: string; version: string } | undefined;
  kubectl?: { path: string; version: string } | undefined;
  /** Where the Application objects are; `argocd` by default. */
  namespace?: string;
  /** Poll interval of repositories, and the longest time between two looks at an application. */
  reconcileMs?: number;
  selfHeal?: SelfHealBackoff;
  /** How long a repository may fail before applications say so. */
  repositoryGraceMs?: number;
}

export interface RunningEngine extends AsyncDisposable {
  engine: ApplicationEngine;
  /** What it did so far, for tests and metrics. */
  readonly counts: { renders: number; cacheHits: number; dryRuns: number };
}

async function requireResource(kube: KubeClient, kind: string, signal: AbortSignal): Promise<ApiResource> {
  const found = await kube.discovery.find({ group: 'argoproj.io', version: 'v1alpha1', kind }, signal);
  if (found) return found;
  throw new AppError('not-found', `${kube.server} does not serve ${kind} of argoproj.io/v1alpha1`, {
    hint: 'apply deploy/crds',
  });
}

interface Parts {
  live: LiveState;
  verdicts: VerdictStore;
  comparer: Comparer;
  renderer: Renderer;
  versions: ReturnType<typeof clusterVersions>;
}

async function buildParts(options: EngineOptions): Promise<Parts> {
  const { kube, informers, clock, logger, cacheDir } = options;
  const verdicts = new VerdictStore(join(cacheDir, 'comparisons.json'), logger);
  await verdicts.load();
  return {
    live: new LiveState({ informers, discovery: kube.discovery, clock }),
    verdicts,
    comparer: new Comparer({ kube, verdicts }),
    renderer: createRenderer({ cacheDir, clock, logger, helm: options.helm, kubectl: options.kubectl }),
    versions: clusterVersions(kube, clock),
  };
}

/** The informers that everything stands on, with their first lists in. */
async function followApplications(options: EngineOptions, live: LiveState, signal: AbortSignal) {
  const { kube, informers } = options;
  const applications = informers.informer(await requireResource(kube, 'Application', signal));
  const projects = informers.informer(await requireResource(kube, 'AppProject', signal));
  const kind = { group: 'argoproj.io', version: 'v1alpha1', kind: 'Application' };
  await Promise.all([live.watch([kind], signal), applications.whenSynced(signal), projects.whenSynced(signal)]);
  return { applications, projects };
}

/**
 * Starts the GitOps engine on one cluster: installs the CustomResourceDefinitions where they are absent, then follows
 * Applications, their repositories and what they manage. Resolves when all Applications are known; disposing stops it
 * and leaves the cluster as it is.
 */
export async function startEngine(options: EngineOptions, signal: AbortSignal): Promise<RunningEngine> {
  const { kube, git, audit, clock, entropy, logger } = options;
  const { namespace = 'argocd', reconcileMs = 180_000, repositoryGraceMs: graceMs = 180_000 } = options;
  await installCrds({ kube, clock, logger }, namespace, signal);
  const { live, verdicts, comparer, renderer, versions } = await buildParts(options);
  const { applications, projects } = await followApplications(options, live, signal);
  let controller: ApplicationController | undefined;
  const changed = (key: string) => {
    controller?.repositoryMoved(key).catch((error: unknown) => logger.error({}, messageOf(error)));
  };
  const repositories = new RepositoryWatch({ git, clock, entropy, logger, pollMs: reconcileMs, graceMs, changed });
  const cluster = (abort: AbortSignal) => versions.get(abort);
  const { discovery } = kube;
  const observation: ObservationDeps = { repositories, renderer, discovery, cluster, live, comparer, versions };
  const kindsChanged = () => {
    discovery.invalidate();
    versions.forget();
  };
  const trail = new AuditTrail({ audit, clock });
  const { selfHeal = defaultSelfHeal } = options;
  const common = { kube, live, observation, clock, namespace, applications };
  controller = new ApplicationController({ ...common, trail, logger, projects, selfHeal, reconcileMs, kindsChanged });
  const engine = new EngineFace({ ...common, controller, repositories, audit });
  controller.start();
  return {
    engine,
    get counts() {
      return { ...renderer.counts, dryRuns: comparer.dryRuns };
    },
    async [Symbol.asyncDispose]() {
      await controller[Symbol.asyncDispose]();
      await repositories[Symbol.asyncDispose]();
      live[Symbol.dispose]();
      await verdicts[Symbol.asyncDispose]().catch((error: unknown) => logger.warn({}, messageOf(error)));
    },
  };
}
