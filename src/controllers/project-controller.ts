import type { Clock } from '#base/clock.ts';
import { isAppError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Outcome } from '#base/outcome.ts';
import { WorkQueue } from '#base/work-queue.ts';
import type { Informer, KubeClient, KubeObject } from '#kube/port.ts';
import { allowAllSpec } from '#model/argocd/app-project.ts';
import { parseApplication } from '#model/argocd/application-schema.ts';
import { finalizers, statusManager } from '#model/argocd/names.ts';

export interface ProjectControllerDeps {
  kube: KubeClient;
  clock: Clock;
  logger: Logger;
  /** Of the instance. */
  namespace: string;
  projects: Informer;
  /** The Applications that are followed. */
  applications: () => readonly KubeObject[];
  /** Calls back when an Application changed or went. */
  onApplication: (listener: () => void) => () => void;
}

const projectFinalizer = finalizers.foreground[0] ?? '';
const recheckMs = 60_000;

/** Lets AppProjects go that are deleted, once no application refers to them. */
export class ProjectController {
  readonly #deps: ProjectControllerDeps;
  readonly #queue: WorkQueue;
  readonly #unsubscribe: (() => void)[];
  /** Deleted ones that applications still refer to. */
  readonly #waiting = new Set<string>();

  constructor(deps: ProjectControllerDeps) {
    this.#deps = deps;
    this.#queue = new WorkQueue({
      name: 'projects',
      clock: deps.clock,
      logger: deps.logger,
      concurrency: 1,
      firstBackoffMs: 200,
      maxBackoffMs: 30_000,
      tick: (name, signal) => this.#tick(name, signal),
    });
    const look = ({ metadata }: KubeObject) => {
      if (metadata.namespace === deps.namespace && metadata.deletionTimestamp !== undefined)
        this.#queue.add(metadata.name);
    };
    this.#unsubscribe = [
      deps.projects.subscribe((event) => {
        if (event.type === 'upsert') look(event.object);
      }),
      deps.onApplication(() => {
        for (const name of this.#waiting) this.#queue.add(name);
      }),
    ];
    for (const project of deps.projects.list(deps.namespace)) look(project);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    await this.#queue[Symbol.asyncDispose]();
  }

  async #tick(name: string, signal: AbortSignal): Promise<Outcome> {
    const { kube, projects, namespace, applications, logger } = this.#deps;
    this.#waiting.delete(name);
    const project = projects.get({ name, namespace });
    const own = project?.metadata.finalizers ?? [];
    if (project?.metadata.deletionTimestamp === undefined || !own.includes(projectFinalizer)) return { kind: 'done' };
    const users = applications().filter(
      (object) => (parseApplication(object).application.spec.project || 'default') === name,
    );
    if (users.length > 0) {
      this.#waiting.add(name);
      logger.info({ project: name }, `is deleted, and stays while ${users.length} applications refer to it`);
      return { kind: 'done', recheckAfterMs: recheckMs };
    }
    const rest = own.filter((finalizer) => finalizer !== projectFinalizer);
    const metadata = { finalizers: rest, resourceVersion: project.metadata.resourceVersion };
    const patch = { type: 'merge' as const, body: { metadata } };
    await kube.patch(projects.resource, { name, namespace }, patch, { fieldManager: statusManager }, signal);
    return { kind: 'done' };
  }
}

/** Creates the project that everything belongs to which names none, as permissive as Argo CD makes it. */
export async function createDefaultProject(
  { kube, logger }: { kube: KubeClient; logger: Logger },
  namespace: string,
  signal: AbortSignal,
): Promise<void> {
  const resource = await kube.discovery.find({ group: 'argoproj.io', version: 'v1alpha1', kind: 'AppProject' }, signal);
  if (!resource || (await kube.get(resource, { name: 'default', namespace }, signal))) return;
  const metadata = { name: 'default', namespace };
  const project = { apiVersion: 'argoproj.io/v1alpha1', kind: 'AppProject', metadata, spec: allowAllSpec };
  try {
    await kube.create(project, { fieldManager: statusManager }, signal);
  } catch (error) {
    if (isAppError(error, 'conflict')) return;
    if (!isAppError(error, 'forbidden')) throw error;
    logger.warn({}, `the AppProject default could not be created: ${messageOf(error)}`);
  }
}
