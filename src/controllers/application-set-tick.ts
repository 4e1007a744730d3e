import { StillReading } from '#apps/repository-watch.ts';
import { generateApplications } from '#appsets/generate.ts';
import { ignoredDifferences } from '#appsets/ignore-differences.ts';
import {
  isOwnedBy,
  mayDelete,
  planApplications,
  policyOf,
  summaryOf,
  type Validated,
  validateApplications,
} from '#appsets/plan.ts';
import type { GeneratorSources } from '#appsets/port.ts';
import type { RenderMemory } from '#appsets/render-memory.ts';
import { requeueAfterMs } from '#appsets/requeue.ts';
import { deletesInReverse, isRolling, nextToDelete, planRollout, type Rollout } from '#appsets/rolling-sync.ts';
import { statusOf, type Verdict } from '#appsets/status.ts';
import type { Clock } from '#base/clock.ts';
import { AppError, isAppError, messageOf } from '#base/errors.ts';
import { isObject, type JsonObject } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import { mergePatchBetween } from '#base/merge-patch.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiResource, KubeClient, KubeObject } from '#kube/port.ts';
import { parseApplication } from '#model/argocd/application-schema.ts';
import type { ApplicationSet, ApplicationSetStatus } from '#model/argocd/application-set.ts';
import { parseGoDuration } from '#model/argocd/duration.ts';
import { annotations, finalizers } from '#model/argocd/names.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import { type WriteResult, writeApplications } from './application-set-writer.ts';

export interface SetTickDeps {
  kube: KubeClient;
  /** The kinds ApplicationSet and Application. */
  setResource: ApiResource;
  applicationResource: ApiResource;
  sources: GeneratorSources;
  settings: () => ArgoSettings;
  clock: Clock;
  logger: Logger;
  /** Applications of a namespace as last written or seen; of those that the watch has not told yet, the named ones. */
  applications: (namespace: string, names: ReadonlySet<string>) => KubeObject[];
  projectExists: (name: string) => boolean;
  destinationProblem: (destination: unknown) => string | undefined;
  noteWritten: (object: KubeObject) => void;
  memory: RenderMemory;
}

/** By identity: what was rendered before is the same object again. */
const problemsOf = new WeakMap<JsonObject, readonly string[]>();

function documentProblems(application: JsonObject): readonly string[] {
  const known = problemsOf.get(application);
  if (known) return known;
  const { problems } = parseApplication({ metadata: { name: '' }, ...application, status: undefined });
  problemsOf.set(application, problems);
  return problems;
}

export const refreshAnnotation = annotations.applicationSetRefresh;

const fieldManager = 'argocd-applicationset-controller';
const validationRetryMs = 180_000;
const unavailableRetryMs = 20_000;
const reverseDeletionMs = 2000;
const lostRaceRetryMs = 300;
const ownFinalizer = finalizers.foreground[0];
const mostResources = 5000;

/** One look at one ApplicationSet, from its generators to the Applications and the status. */
export class SetTick {
  readonly #deps: SetTickDeps;
  readonly #set: ApplicationSet;
  readonly #signal: AbortSignal;
  readonly #policy;
  readonly #rolling: boolean;
  #generated: ReadonlySet<string> = new Set();

  constructor(deps: SetTickDeps, set: ApplicationSet, signal: AbortSignal) {
    this.#deps = deps;
    this.#set = set;
    this.#signal = signal;
    const { applicationSets } = deps.settings();
    this.#policy = policyOf(set, applicationSets);
    this.#rolling = applicationSets.progressiveSyncs && isRolling(set);
  }

  async run(problems: readonly string[]): Promise<Outcome> {
    if (this.#set.metadata.deletionTimestamp !== undefined) return this.#dry ? { kind: 'done' } : await this.#delete();
    if (problems.length > 0) return await this.#fail('ErrorOccurred', problems.join('; '), validationRetryMs);
    if (this.#rolling && deletesInReverse(this.#set) && !this.#dry) await this.#hold();
    const { applications, error } = await generateApplications(
      this.#set,
      this.#deps.sources,
      this.#signal,
      this.#deps.memory,
    );
    if (error) return await this.#generationFailed(error.reason, error.cause);
    const validated = validateApplications(this.#set, applications, {
      projectExists: this.#deps.projectExists,
      destinationProblem: this.#deps.destinationProblem,
      documentProblems,
    });
    this.#generated = validated.names;
    const rollout = this.#rolling ? this.#rollout(validated) : undefined;
    if (this.#rolling && this.#set.spec.strategy?.steps.length === 0)
      return await this.#fail('ApplicationSetRolloutError', 'No steps defined for rollout', validationRetryMs);
    const written = await this.#apply(validated, rollout);
    await this.#conclude(this.#verdict(validated, written), rollout);
    return this.#outcome(validated, written);
  }

  #requeueMs(): number | undefined {
    const said = this.#deps.settings().params['applicationsetcontroller.requeue.after'];
    if (said === undefined) return undefined;
    try {
      return parseGoDuration(said);
    } catch (error) {
      this.#deps.logger.warn({}, `applicationsetcontroller.requeue.after: ${messageOf(error)}`);
      return undefined;
    }
  }

  #maxResources(): number {
    const said = this.#deps.settings().params['applicationsetcontroller.status.max.resources.count'] ?? '';
    return /^\d+$/.test(said) ? Number(said) : mostResources;
  }

  /** Nothing is written, and the log says what would be. */
  get #dry(): boolean {
    return this.#deps.settings().params['applicationsetcontroller.dryrun'] === 'true';
  }

  #live(): KubeObject[] {
    return this.#deps.applications(this.#set.metadata.namespace ?? '', this.#generated);
  }

  #owned(): KubeObject[] {
    return this.#live().filter((object) => isOwnedBy(object, this.#set));
  }

  #rollout(validated: Validated): Rollout {
    return planRollout({
      set: this.#set,
      live: this.#owned(),
      desired: validated.valid,
      ignored: ignoredDifferences(this.#set.spec),
      now: this.#deps.clock.now(),
    });
  }

  async #apply(validated: Validated, rollout: Rollout | undefined): Promise<WriteResult> {
    const { kube, applicationResource: resource, noteWritten, logger, destinationProblem } = this.#deps;
    const actions = planApplications({
      set: this.#set,
      desired: rollout?.desired ?? validated.valid,
      generatedNames: validated.names,
      live: new Map(this.#live().map((object) => [object.metadata.name, object])),
      policy: this.#policy,
      settings: this.#deps.settings().applicationSets,
      isReachable: (destination) => destinationProblem(destination) === undefined,
    });
    if (this.#dry) {
      for (const { kind, name } of actions) logger.info({ application: name }, `dry run: ${kind}`);
      return { writes: 0, failures: [] };
    }
    return await writeApplications({ kube, resource, noteWritten, logger }, actions, this.#signal);
  }

  #verdict(validated: Validated, { failures }: WriteResult): Verdict {
    const [failure] = failures.filter(({ error }) => !isAppError(error, 'conflict'));
    if (failure)
      return { kind: 'error', reason: failure.reason, message: messageOf(failure.error), parametersGenerated: true };
    if (validated.errors.size === 0) return { kind: 'ok' };
    const message = summaryOf(validated.errors);
    return { kind: 'error', reason: 'ApplicationValidationError', message, parametersGenerated: true };
  }

  #outcome(validated: Validated, { failures }: WriteResult): Outcome {
    const hard = failures.find(({ error }) => !isAppError(error, 'conflict'));
    if (hard?.error instanceof AppError) throw hard.error;
    if (failures.some(({ error }) => isAppError(error, 'conflict')))
      return { kind: 'done', recheckAfterMs: lostRaceRetryMs };
    const own = requeueAfterMs(this.#set.spec.generators, this.#requeueMs());
    const recheckAfterMs = own ?? (validated.errors.size > 0 || hard ? validationRetryMs : undefined);
    return recheckAfterMs === undefined ? { kind: 'done' } : { kind: 'done', recheckAfterMs };
  }

  async #generationFailed(reason: string, cause: unknown): Promise<Outcome> {
    // A repository that is read for the first time is no error: its arrival wakes the set.
    if (cause instanceof StillReading) return { kind: 'done', recheckAfterMs: 2000 };
    const passing = isAppError(cause, 'unavailable') || isAppError(cause, 'timeout') || isAppError(cause, 'limit');
    return await this.#fail(reason, messageOf(cause), passing ? unavailableRetryMs : validationRetryMs);
  }

  async #fail(reason: string, message: string, recheckAfterMs: number): Promise<Outcome> {
    await this.#conclude({ kind: 'error', reason, message, parametersGenerated: false }, undefined);
    return { kind: 'done', recheckAfterMs };
  }

  /** Writes the status when it changed, and takes the refresh request away. */
  async #conclude(verdict: Verdict, rollout: Rollout | undefined): Promise<void> {
    if (this.#dry) return;
    const before = this.#set.status ?? {};
    const next = statusOf({
      before,
      verdict,
      rollout: rollout?.conditions ?? [],
      rolling: this.#rolling,
      applications: verdict.kind === 'error' && !verdict.parametersGenerated ? undefined : this.#owned(),
      applicationStatus: this.#rolling ? (rollout?.status ?? before.applicationStatus) : undefined,
      maxResources: this.#maxResources(),
      now: this.#deps.clock.now(),
    });
    await this.#writeStatus(before, next);
    if (this.#set.metadata.annotations?.[refreshAnnotation] !== undefined)
      await this.#patch({ metadata: { annotations: { [refreshAnnotation]: null } } });
  }

  async #writeStatus(before: ApplicationSetStatus, next: ApplicationSetStatus): Promise<void> {
    const status = mergePatchBetween(before, next);
    if (status === undefined) return;
    const separate = this.#deps.setResource.subresources.includes('status');
    await this.#patch({ status }, separate ? 'status' : undefined);
  }

  async #patch(body: JsonObject, subresource?: string): Promise<void> {
    const { kube, setResource } = this.#deps;
    const { name, namespace } = this.#set.metadata;
    await kube.patch(
      setResource,
      { name, namespace },
      { type: 'merge', body },
      { fieldManager, subresource },
      this.#signal,
    );
  }

  /** Keeps the set until its Applications are gone one after another. */
  async #hold(): Promise<void> {
    const own = this.#set.metadata.finalizers ?? [];
    if (own.includes(ownFinalizer)) return;
    const { resourceVersion } = this.#set.metadata;
    await this.#patch({ metadata: { finalizers: [...own, ownFinalizer], resourceVersion } });
  }

  async #delete(): Promise<Outcome> {
    const own = this.#set.metadata.finalizers ?? [];
    if (!mayDelete(this.#policy)) await this.#orphan();
    else if (deletesInReverse(this.#set) && own.includes(ownFinalizer)) {
      const next = nextToDelete(this.#set, this.#owned());
      if (next) return await this.#deleteNext(next);
    }
    if (own.includes(ownFinalizer))
      await this.#patch({ metadata: { finalizers: own.filter((finalizer) => finalizer !== ownFinalizer) } });
    return { kind: 'done' };
  }

  async #deleteNext(next: KubeObject): Promise<Outcome> {
    const { kube, applicationResource } = this.#deps;
    const { name, namespace, uid, deletionTimestamp } = next.metadata;
    const options = uid === undefined ? {} : { preconditions: { uid } };
    if (deletionTimestamp === undefined)
      await kube.delete(applicationResource, { name, namespace }, options, this.#signal);
    return { kind: 'done', recheckAfterMs: reverseDeletionMs };
  }

  /** A policy without deletion lets the Applications outlive their set. */
  async #orphan(): Promise<void> {
    const { kube, applicationResource, noteWritten } = this.#deps;
    for (const { metadata } of this.#owned()) {
      const ownerReferences = (metadata.ownerReferences ?? []).filter(({ controller }) => controller !== true);
      const body = { metadata: { ownerReferences, resourceVersion: metadata.resourceVersion } };
      const ref = { name: metadata.name, namespace: metadata.namespace };
      noteWritten(await kube.patch(applicationResource, ref, { type: 'merge', body }, { fieldManager }, this.#signal));
    }
  }
}

/** Whether a change of an Application concerns the set it belongs to. */
export function concernsSet(now: KubeObject, before: KubeObject | undefined): 'at once' | 'soon' | 'not' {
  if (!before) return 'soon';
  const shape = ({ metadata, spec }: KubeObject) => ({
    spec,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    finalizers: metadata.finalizers ?? [],
    owners: metadata.ownerReferences ?? [],
  });
  if (mergePatchBetween(shape(before), shape(now)) !== undefined) return 'at once';
  const state = (object: KubeObject) => {
    const status = isObject(object['status']) ? object['status'] : {};
    const part = (name: string) => (isObject(status[name]) ? status[name] : {});
    const operation = part('operationState');
    return [part('sync'), part('health')['status'], operation['phase'], operation['startedAt']];
  };
  return mergePatchBetween({ state: state(before) }, { state: state(now) }) === undefined ? 'not' : 'soon';
}
