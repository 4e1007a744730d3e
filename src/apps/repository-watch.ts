import { abortable } from '#base/abortable.ts';
import type { Clock, Entropy } from '#base/clock.ts';
import { AppError, isAppError, messageOf, throwIfAborted } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Outcome } from '#base/outcome.ts';
import { WorkQueue } from '#base/work-queue.ts';
import type { GitMirror, GitMirrors } from '#git/port.ts';
import type { RepositoryAccessSource } from '#model/argocd/repository-access.ts';
import { repositoryKey } from './repository-key.ts';

/** A repository as an application of a project means it: the project decides with which credentials it is read. */
export interface RepositoryRef {
  url: string;
  project: string;
}

export interface RepositoryWatchDeps {
  git: GitMirrors;
  access: Pick<RepositoryAccessSource, 'find'>;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  pollMs: () => number;
  /** How long a repository may fail before those that use it say so. */
  graceMs: () => number;
  /** A repository's refs moved, or it began to fail or to work again. */
  changed: (key: string) => void;
}

const firstFetchPatienceMs = 5000;

interface Watched {
  url: string;
  /** `repositoryKey` of the address. */
  key: string;
  /** The project whose own credentials it is read with; undefined for those of all. */
  scope: string | undefined;
  mirror: GitMirror | undefined;
  /** Grows whenever refs may have moved. */
  generation: number;
  fetched: boolean;
  error: unknown;
  failingSince: number | undefined;
  first: Promise<void> | undefined;
  /** Somebody gave up waiting for the first fetch. */
  waited: boolean;
}

/** Nothing is wrong yet: the repository is large or far away, and those that use it are told when it is there. */
export class StillReading extends AppError {}

/** Argo CD gives its repo-server a minute. */
const wholeFirstFetchMs = 60_000;

/**
 * Opens a repository for somebody who has to have it now, as whoever creates an application: its first fetch may take a
 * minute before it is `StillReading`.
 */
export async function openPatiently(
  repositories: Pick<RepositoryWatch, 'open'>,
  repository: RepositoryRef,
  signal: AbortSignal,
): Promise<OpenRepository> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(wholeFirstFetchMs)]);
  for (;;) {
    try {
      return await repositories.open(repository, signal);
    } catch (error) {
      if (!(error instanceof StillReading) || patience.aborted) throw error;
    }
  }
}

export interface OpenRepository {
  mirror: GitMirror;
  generation: number;
}

/** Fetches every repository in use now and then and on request, and tells when something moved. */
export class RepositoryWatch {
  readonly #deps: RepositoryWatchDeps;
  readonly #watched = new Map<string, Watched>();
  readonly #queue: WorkQueue;
  readonly #life = new AbortController();

  constructor(deps: RepositoryWatchDeps) {
    this.#deps = deps;
    this.#queue = new WorkQueue({
      name: 'repositories',
      clock: deps.clock,
      logger: deps.logger,
      concurrency: 8,
      firstBackoffMs: 500,
      maxBackoffMs: 60_000,
      tick: (key, signal) => this.#tick(key, signal),
    });
  }

  /**
   * The mirror of a repository, fetched at least once by this process. While the repository cannot be reached the last
   * known state serves for the time of grace; then its AppError is thrown.
   */
  async open(repository: RepositoryRef, signal: AbortSignal): Promise<OpenRepository> {
    const { id, scope } = await this.#identify(repository, signal);
    const { url } = repository;
    let entry = this.#watched.get(id);
    if (!entry) {
      entry = {
        url,
        key: repositoryKey(url),
        scope,
        mirror: undefined,
        generation: 0,
        fetched: false,
        error: undefined,
        failingSince: undefined,
        first: undefined,
        waited: false,
      };
      this.#watched.set(id, entry);
    }
    if (!entry.fetched && entry.error === undefined) await this.#firstFetch(entry, id, signal);
    const { mirror, failingSince } = entry;
    const graceOver = failingSince !== undefined && this.#deps.clock.now() - failingSince > this.#deps.graceMs();
    if (!mirror || (entry.error !== undefined && (!entry.fetched || graceOver)))
      throw entry.error ?? new AppError('unavailable', `${url} was not read yet`);
    return { mirror, generation: entry.generation };
  }

  /** Fetches now and resolves when done; its failure is thrown. */
  async refresh(repository: RepositoryRef, signal: AbortSignal): Promise<void> {
    const { id } = await this.#identify(repository, signal);
    const entry = this.#watched.get(id);
    if (!entry) {
      await this.open(repository, signal);
      return;
    }
    const { generation } = entry;
    await this.#fetch(entry, signal);
    if (entry.generation !== generation) this.#deps.changed(entry.key);
  }

  /** Fetches soon. False when no application uses the repository. */
  request(key: string): boolean {
    const ids = [...this.#watched].flatMap(([id, entry]) => (entry.key === key ? [id] : []));
    for (const id of ids) this.#queue.add(id);
    return ids.length > 0;
  }

  /** How repositories are reached changed: what failed is tried again now. */
  accessChanged(): void {
    for (const [id, entry] of this.#watched) if (entry.error !== undefined) this.#queue.add(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort(new AppError('canceled', 'the engine is stopping'));
    await this.#queue[Symbol.asyncDispose]();
    await Promise.all([...this.#watched.values()].map((entry) => entry.first));
  }

  async #identify({ url, project }: RepositoryRef, signal: AbortSignal) {
    const scope = (await this.#deps.access.find(url, project, signal)).project;
    const key = repositoryKey(url);
    return { id: scope === undefined ? key : `${key} ${scope}`, scope };
  }

  /** Waits a while for the first fetch; a slow one goes on by itself, so that slow repositories hold up no others. */
  async #firstFetch(entry: Watched, id: string, signal: AbortSignal): Promise<void> {
    if (!entry.first) {
      entry.first = this.#fetch(entry, this.#life.signal).catch(() => undefined);
      void entry.first.then(() => {
        this.#queue.addAfter(id, entry.error === undefined ? this.#nextPollMs() : 1000);
        if (entry.waited) this.#deps.changed(entry.key);
      });
    }
    const patience = AbortSignal.any([signal, AbortSignal.timeout(firstFetchPatienceMs)]);
    await abortable(entry.first, patience).catch(() => undefined);
    if (entry.fetched || entry.error !== undefined) return;
    throwIfAborted(signal);
    entry.waited = true;
    throw new StillReading('unavailable', `${entry.url} is still being read for the first time`);
  }

  async #tick(id: string, signal: AbortSignal): Promise<Outcome> {
    const entry = this.#watched.get(id);
    if (!entry) return { kind: 'done' };
    const before = { generation: entry.generation, failed: entry.error !== undefined };
    try {
      await this.#fetch(entry, signal);
    } catch (error) {
      const { failingSince = 0 } = entry;
      if (!before.failed || this.#deps.clock.now() - failingSince > this.#deps.graceMs()) this.#deps.changed(entry.key);
      if (isAppError(error, 'unauthorized') || isAppError(error, 'not-found'))
        return { kind: 'waiting', reason: error.code, message: messageOf(error), retryAfterMs: 30_000 };
      throw error;
    }
    if (entry.generation !== before.generation || before.failed) this.#deps.changed(entry.key);
    return { kind: 'done', recheckAfterMs: this.#nextPollMs() };
  }

  async #fetch(entry: Watched, signal: AbortSignal): Promise<void> {
    try {
      entry.mirror ??= await this.#deps.git.open(entry.url, signal, entry.scope);
      const { changed } = await entry.mirror.fetch(signal);
      if (changed || !entry.fetched) entry.generation += 1;
      entry.fetched = true;
      entry.error = undefined;
      entry.failingSince = undefined;
    } catch (error) {
      if (signal.aborted) throw error;
      entry.error = error;
      entry.failingSince ??= this.#deps.clock.now();
      throw error;
    }
  }

  #nextPollMs(): number {
    return this.#deps.pollMs() * (1 + this.#deps.entropy.fraction() / 3);
  }
}
