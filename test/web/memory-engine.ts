import type {
  ApplicationEngine,
  ApplicationEvent,
  ManagedResource,
  ResourceNode,
  RollbackResult,
  SyncRequest,
} from '#apps/port.ts';
import { AppError } from '#base/errors.ts';
import type { Application, Operation } from '#model/argocd/application.ts';
import type { Actor, AuditEvent, AuditLog, AuditQuery, NewAuditEvent } from '#trace/event.ts';

/** An engine without a cluster, for tests of the faces: it holds what it is given and reports what it was asked. */
export class MemoryEngine implements ApplicationEngine {
  readonly asked: { what: string; name: string; by?: Actor; request?: unknown }[] = [];
  readonly resources = new Map<string, ManagedResource[]>();
  readonly nodes = new Map<string, ResourceNode[]>();
  readonly texts = new Map<string, string[]>();
  readonly repositories = new Map<string, string[]>();
  /** What a sync does after it was accepted; the test moves the application on with `put`. */
  onSync: (name: string, actor: Actor) => void = () => {};
  readonly #applications = new Map<string, Application>();
  readonly #listeners = new Set<(event: ApplicationEvent) => void>();

  put(application: Application): void {
    this.#applications.set(application.metadata.name, application);
    for (const listener of this.#listeners) listener({ type: 'upsert', application });
  }

  remove(name: string): void {
    const application = this.get(name);
    this.#applications.delete(name);
    for (const listener of this.#listeners) listener({ type: 'delete', application });
  }

  list(): Application[] {
    return [...this.#applications.values()];
  }

  get(name: string): Application {
    const application = this.#applications.get(name);
    if (application) return application;
    const hint = `there are: ${[...this.#applications.keys()].join(', ')}`;
    throw new AppError('not-found', `application ${name} does not exist`, { hint });
  }

  subscribe(listener: (event: ApplicationEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async managedResources(name: string): Promise<ManagedResource[]> {
    this.get(name);
    this.asked.push({ what: 'managedResources', name });
    return this.resources.get(name) ?? [];
  }

  async tree(name: string): Promise<ResourceNode[]> {
    this.get(name);
    return this.nodes.get(name) ?? [];
  }

  async manifests(name: string): Promise<string[]> {
    this.get(name);
    return this.texts.get(name) ?? [];
  }

  async sync(name: string, request: SyncRequest, by: Actor): Promise<Application> {
    const { revision, prune, dryRun } = request;
    const sync = { ...(revision ? { revision } : {}), ...(prune ? { prune } : {}), ...(dryRun ? { dryRun } : {}) };
    return await this.operate(name, () => ({ sync, initiatedBy: { username: by.name } }));
  }

  async operate(name: string, decide: (application: Application) => Operation): Promise<Application> {
    const application = this.get(name);
    if (application.operation || application.status?.operationState?.phase === 'Running')
      throw new AppError('conflict', `another operation is already in progress for application ${name}`);
    const operation = decide(application);
    const by: Actor = { kind: 'user', name: operation.initiatedBy?.username ?? '' };
    this.asked.push({ what: 'sync', name, by, request: operation.sync });
    const accepted = { ...application, operation };
    this.put(accepted);
    this.onSync(name, by);
    return accepted;
  }

  async whenSettled(name: string): Promise<Application> {
    return this.get(name);
  }

  async refresh(name: string, level: 'normal' | 'hard'): Promise<Application> {
    this.asked.push({ what: `refresh ${level}`, name });
    return this.get(name);
  }

  async terminate(name: string): Promise<void> {
    this.get(name);
    this.asked.push({ what: 'terminate', name });
  }

  async rollback(name: string, options: { to?: number | undefined }, by: Actor): Promise<RollbackResult> {
    this.get(name);
    this.asked.push({ what: 'rollback', name, by, request: options });
    return { commit: 'c'.repeat(40), reverted: 'b'.repeat(40), message: 'Revert "bump"' };
  }

  repositoryChanged(url: string, cause: string): string[] {
    this.asked.push({ what: `repositoryChanged ${cause}`, name: url });
    return this.repositories.get(url) ?? [];
  }
}

/** A history that is gone with the test. */
export class MemoryAudit implements AuditLog {
  readonly events: AuditEvent[] = [];
  readonly #listeners = new Set<(event: AuditEvent) => void>();

  async record(event: NewAuditEvent): Promise<AuditEvent> {
    const full: AuditEvent = { ...event, at: event.at ?? Date.now(), id: this.events.length + 1 };
    this.events.push(full);
    for (const listener of this.#listeners) listener(full);
    return full;
  }

  async query({ application, kind, after, limit }: AuditQuery): Promise<AuditEvent[]> {
    const wanted = this.events.filter(
      (event) =>
        (application === undefined || event.application === application) &&
        (kind === undefined || event.kind === kind) &&
        (after === undefined || event.id > after),
    );
    return (after === undefined ? wanted.toReversed() : wanted).slice(0, limit);
  }

  subscribe(listener: (event: AuditEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
