import type { Drift } from '#apps/drift.ts';
import { operationId, operationName } from '#apps/operation-state.ts';
import type { Clock } from '#base/clock.ts';
import { getString } from '#base/json.ts';
import type { Application, OperationState } from '#model/argocd/application.ts';
import { qualifiedName } from '#model/argocd/names.ts';
import { imagesOf } from '#sync/images.ts';
import type { Actor, AuditKind, AuditLog, NewAuditEvent } from '#trace/event.ts';

/** How far back it is looked whether an event was told. */
const rememberedEvents = 50;

const controller: Actor = { kind: 'controller', name: 'slipway' };

export interface AuditTrailDeps {
  audit: AuditLog;
  clock: Clock;
  /** Of the instance: applications elsewhere have it in their names. */
  namespace: string;
}

function common(
  application: Application,
  instanceNamespace: string,
): Pick<NewAuditEvent, 'application' | 'environment' | 'repository'> {
  const source = application.spec.source ?? application.spec.sources?.[0];
  return {
    application: qualifiedName(application.metadata, instanceNamespace),
    environment: application.spec.destination.namespace,
    repository: source?.repoURL,
  };
}

function actorOf(state: OperationState): Actor {
  const { initiatedBy } = state.operation;
  if (initiatedBy?.automated) return controller;
  // Whoever writes the operation field by hand need not say who they are.
  return { kind: 'user', name: initiatedBy?.username || 'unknown' };
}

function causeOf(state: OperationState): string {
  const told = state.operation.info?.find(({ name }) => name === 'cause')?.value;
  if (told) return told;
  if (!state.operation.initiatedBy?.automated) return 'sync request';
  return state.operation.sync?.autoHealAttemptsCount ? 'self-heal' : 'auto-sync';
}

function revisionOf(state: OperationState): string | undefined {
  return state.syncResult?.revision ?? state.syncResult?.revisions?.[0];
}

/** Says in the audit log what the Application controller did and saw. */
export class AuditTrail {
  readonly #deps: AuditTrailDeps;

  constructor(deps: AuditTrailDeps) {
    this.#deps = deps;
  }

  async syncStarted(application: Application, state: OperationState): Promise<void> {
    const { resources } = state.operation.sync ?? {};
    const what =
      resources && resources.length > 0 ? ` of ${resources.length} resource${resources.length > 1 ? 's' : ''}` : '';
    const commit = revisionOf(state);
    await this.#record(application, {
      kind: 'sync-started',
      actor: actorOf(state),
      cause: causeOf(state),
      commit,
      message: `sync${what} to ${commit?.slice(0, 7) ?? 'the target revision'} started`,
      detail: { operation: operationId(state), prune: state.operation.sync?.prune ?? false },
    });
  }

  async syncEnded(application: Application, state: OperationState, startedAt: number): Promise<void> {
    const ok = state.phase === 'Succeeded';
    const commit = revisionOf(state);
    const images = new Set((state.syncResult?.resources ?? []).flatMap((result) => result.images ?? []));
    await this.#record(application, {
      kind: ok ? 'sync-succeeded' : 'sync-failed',
      actor: actorOf(state),
      cause: causeOf(state),
      commit,
      images: [...images].sort(),
      message: ok ? `synced to ${commit?.slice(0, 7) ?? 'the target revision'}` : (state.message ?? 'the sync failed'),
      durationMs: Math.max(0, this.#deps.clock.now() - startedAt),
      detail: {
        operation: operationId(state),
        resources: (state.syncResult?.resources ?? []).map(({ group, kind, namespace, name, status, message }) => ({
          group,
          kind,
          namespace,
          name,
          status,
          message,
        })),
      },
    });
  }

  /** Tells of the start where a process that died, or a lost answer, left that open. */
  async missedStart(application: Application, state: OperationState): Promise<void> {
    if (!(await this.#isTold(application, state, ['sync-started']))) await this.syncStarted(application, state);
  }

  async missedEnd(application: Application, state: OperationState, startedAt: number): Promise<void> {
    if (!(await this.#isTold(application, state, ['sync-succeeded', 'sync-failed'])))
      await this.syncEnded(application, state, startedAt);
  }

  async #isTold(application: Application, state: OperationState, kinds: readonly AuditKind[]): Promise<boolean> {
    const name = qualifiedName(application.metadata, this.#deps.namespace);
    const own = operationName(state);
    const recent = await this.#deps.audit.query({ application: name, limit: rememberedEvents });
    return recent.some((event) => {
      const told = getString(event.detail, 'operation');
      return kinds.includes(event.kind) && (told === own || told?.startsWith(`${own}-`) === true);
    });
  }

  async driftDetected(application: Application, drift: Drift): Promise<void> {
    const fields = drift.fields.length > 0 ? `: ${drift.fields.join(', ')}` : '';
    await this.#record(application, {
      kind: 'drift-detected',
      actor: controller,
      cause: 'live change',
      message: `${drift.name} differs from Git${fields}`,
      detail: { resource: drift.key, fields: drift.fields },
    });
  }

  async driftHealed(application: Application, drift: Drift): Promise<void> {
    const durationMs = Math.max(0, this.#deps.clock.now() - drift.at);
    await this.#record(application, {
      kind: 'drift-healed',
      actor: controller,
      cause: 'self-heal',
      message: `${drift.name} is as Git says again after ${durationMs} ms`,
      durationMs,
      detail: { resource: drift.key, fields: drift.fields },
    });
  }

  async revisionObserved(application: Application, revision: string): Promise<void> {
    await this.#record(application, {
      kind: 'revision-observed',
      actor: controller,
      cause: 'git',
      commit: revision,
      message: `Git moved to ${revision.slice(0, 7)}`,
    });
  }

  async healthChanged(
    application: Application,
    from: string | undefined,
    to: string,
    live: readonly unknown[],
  ): Promise<void> {
    const images = [...new Set(live.flatMap(imagesOf))].sort();
    const commit = getString(application, 'status', 'sync', 'revision');
    await this.#record(application, {
      kind: 'health-changed',
      actor: controller,
      cause: 'live change',
      commit,
      images,
      message: `${from ?? 'unknown'} -> ${to}`,
      detail: { from, to },
    });
  }

  async created(application: Application): Promise<void> {
    await this.#record(application, {
      kind: 'application-created',
      actor: controller,
      cause: 'application object',
      message: `application ${qualifiedName(application.metadata, this.#deps.namespace)} is known from now on`,
    });
  }

  async deleted(name: string): Promise<void> {
    await this.#deps.audit.record({
      kind: 'application-deleted',
      actor: controller,
      cause: 'application object',
      application: name,
      message: `application ${name} is gone`,
    });
  }

  async #record(
    application: Application,
    event: Omit<NewAuditEvent, 'application' | 'environment' | 'repository'>,
  ): Promise<void> {
    await this.#deps.audit.record({ ...common(application, this.#deps.namespace), ...event });
  }
}
