import { abortable } from '#base/abortable.ts';
import type { Clock, Entropy } from '#base/clock.ts';
import { canonicalJson } from '#base/digest.ts';
import { AppError, isAppError, messageOf, throwIfAborted } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Outcome } from '#base/outcome.ts';
import { parseVersion } from '#base/version.ts';
import { WorkQueue } from '#base/work-queue.ts';
import type { ApplicationSource } from '#model/argocd/application.ts';
import type { AskOptions, ChartAsk, ChartLibrary, ChartTree } from '#render/charts/port.ts';
import { repositoryKey } from './repository-key.ts';
import { StillReading } from './repository-watch.ts';

export interface ChartWatchDeps {
  charts: ChartLibrary;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  pollMs: () => number;
  /** How long a repository may fail before those that use it say so. */
  graceMs: () => number;
  /** A chart has another version or content, or its repository began to fail or to work again. */
  changed: (key: string) => void;
}

interface Watched {
  ask: ChartAsk;
  /** `repositoryKey` of the source's address. */
  key: string;
  tree: ChartTree | undefined;
  /** Revision and content: when it differs, the generation grows. */
  state: string;
  generation: number;
  error: unknown;
  failingSince: number | undefined;
  first: Promise<void> | undefined;
  /** When somebody said that it moved: an older answer does not do. */
  askedAt: number | undefined;
  /** Somebody gave up waiting for the first answer. */
  waited: boolean;
  usedAt: number;
}

interface WatchedFile {
  digest: string;
  generation: number;
}

const patienceMs = 10_000;
/** What nobody asked for so long is watched no more. */
const unusedMs = 6 * 3_600_000;
const maxFiles = 10_000;

/** Charts and artifacts come from elsewhere than Git. */
export function isChartSource({ chart, repoURL }: Pick<ApplicationSource, 'chart' | 'repoURL'>): boolean {
  return (chart !== undefined && chart !== '') || /^oci:\/\//i.test(repoURL);
}

/** A registry's address may name the chart already. */
function askOf(source: ApplicationSource, project: string, revision: string | undefined): ChartAsk {
  const { chart = '' } = source;
  const named = /^oci:\/\//i.test(source.repoURL) && chart !== '' && source.repoURL.endsWith(`/${chart}`);
  return {
    repoURL: named ? source.repoURL.slice(0, -(chart.length + 1)) : source.repoURL,
    chart,
    revision: revision || source.targetRevision || '',
    project,
    ...(source.helm?.passCredentials ? { passCredentials: true } : {}),
  };
}

/** A version or a digest stays what it is; a constraint or a tag may mean something else tomorrow. */
function mayMove({ chart, revision }: ChartAsk): boolean {
  if (/^sha256:[0-9a-f]{64}$/.test(revision)) return false;
  return chart === '' || parseVersion(revision) === undefined || !/^v?\d+\.\d+\.\d+/.test(revision);
}

function filesOf(source: ApplicationSource): string[] {
  const { valueFiles = [], fileParameters = [] } = source.helm ?? {};
  const names = [...valueFiles, ...fileParameters.map(({ path }) => path)];
  return names.filter((name) => /^https?:\/\//i.test(name));
}

/** Asks for every chart in use now and then, where its revision may move, and tells when it did. */
export class ChartWatch {
  readonly #deps: ChartWatchDeps;
  readonly #watched = new Map<string, Watched>();
  readonly #files = new Map<string, WatchedFile>();
  readonly #queue: WorkQueue;
  readonly #life = new AbortController();

  constructor(deps: ChartWatchDeps) {
    this.#deps = deps;
    this.#queue = new WorkQueue({
      name: 'charts',
      clock: deps.clock,
      logger: deps.logger,
      concurrency: 4,
      firstBackoffMs: 1000,
      maxBackoffMs: 60_000,
      tick: (id, signal) => this.#tick(id, signal),
    });
  }

  /**
   * The files of a source's chart. While its repository cannot be reached the last known ones serve for the time of grace;
   * then its AppError is thrown.
   */
  async open(
    source: ApplicationSource,
    at: { project: string; revision?: string | undefined },
    signal: AbortSignal,
  ): Promise<{ tree: ChartTree; generation: number }> {
    const ask = askOf(source, at.project, at.revision);
    const id = canonicalJson(ask);
    let entry = this.#watched.get(id);
    if (!entry) {
      entry = newEntry(ask, source.repoURL);
      this.#watched.set(id, entry);
    }
    entry.usedAt = this.#deps.clock.now();
    if (!entry.tree && entry.error === undefined) await this.#first(entry, id, signal);
    const { tree, failingSince } = entry;
    const graceOver = failingSince !== undefined && entry.usedAt - failingSince > this.#deps.graceMs();
    if (!tree || graceOver) throw entry.error ?? new AppError('unavailable', `${ask.repoURL} was not read yet`);
    return { tree, generation: entry.generation };
  }

  /** Grows when a file that a source names by URL was found to have changed. */
  filesGeneration(source: ApplicationSource): number {
    return filesOf(source).reduce((sum, url) => sum + (this.#files.get(url)?.generation ?? 0), 0);
  }

  /** Asks now, for the chart and for the files that the source names by URL; failures are thrown. */
  async refresh(source: ApplicationSource, at: { project: string; hard: boolean }, signal: AbortSignal): Promise<void> {
    for (const url of filesOf(source)) await this.#refreshFile(url, signal);
    if (!isChartSource(source)) return;
    const ask = askOf(source, at.project, undefined);
    const id = canonicalJson(ask);
    const entry = this.#watched.get(id) ?? newEntry(ask, source.repoURL);
    const known = this.#watched.has(id);
    this.#watched.set(id, entry);
    entry.usedAt = this.#deps.clock.now();
    const { generation } = entry;
    await this.#load(entry, { maxAgeMs: 0, ...(at.hard ? { again: true } : {}) }, signal);
    if (!known) this.#plan(entry, id);
    else if (entry.generation !== generation) this.#deps.changed(entry.key);
  }

  /** Asks soon. False when no application uses the repository. */
  request(key: string): boolean {
    const ids = [...this.#watched].flatMap(([id, entry]) => (entry.key === key ? [id] : []));
    const askedAt = this.#deps.clock.now();
    for (const id of ids) {
      const entry = this.#watched.get(id);
      if (entry) entry.askedAt = askedAt;
      this.#queue.add(id);
    }
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

  async #first(entry: Watched, id: string, signal: AbortSignal): Promise<void> {
    if (!entry.first) {
      const maxAgeMs = this.#deps.pollMs();
      entry.first = this.#load(entry, { maxAgeMs }, this.#life.signal).catch(() => undefined);
      void entry.first.then(() => {
        this.#plan(entry, id);
        if (entry.waited) this.#deps.changed(entry.key);
      });
    }
    const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
    await abortable(entry.first, patience).catch(() => undefined);
    if (entry.tree || entry.error !== undefined) return;
    throwIfAborted(signal);
    entry.waited = true;
    throw new StillReading('unavailable', `${entry.ask.repoURL} is still being read for the first time`);
  }

  #plan(entry: Watched, id: string): void {
    if (this.#life.signal.aborted) return;
    if (entry.error !== undefined) this.#queue.addAfter(id, 1000);
    else if (mayMove(entry.ask)) this.#queue.addAfter(id, this.#nextPollMs());
  }

  async #tick(id: string, signal: AbortSignal): Promise<Outcome> {
    const entry = this.#watched.get(id);
    if (!entry) return { kind: 'done' };
    const now = this.#deps.clock.now();
    if (now - entry.usedAt > unusedMs) {
      this.#watched.delete(id);
      return { kind: 'done' };
    }
    const before = { generation: entry.generation, failed: entry.error !== undefined };
    try {
      // One answer of an index serves all the charts that are looked for in it.
      const { askedAt } = entry;
      entry.askedAt = undefined;
      const maxAgeMs = askedAt === undefined ? Math.min(1000, this.#deps.pollMs() / 2) : Math.max(0, now - askedAt);
      await this.#load(entry, { maxAgeMs }, signal);
    } catch (error) {
      const { failingSince = now } = entry;
      if (!before.failed || now - failingSince > this.#deps.graceMs()) this.#deps.changed(entry.key);
      if (isAppError(error) && ['unauthorized', 'forbidden', 'not-found', 'bad-input'].includes(error.code))
        return { kind: 'waiting', reason: error.code, message: messageOf(error), retryAfterMs: 30_000 };
      throw error;
    }
    if (entry.generation !== before.generation || before.failed) this.#deps.changed(entry.key);
    return mayMove(entry.ask) ? { kind: 'done', recheckAfterMs: this.#nextPollMs() } : { kind: 'done' };
  }

  async #load(entry: Watched, options: AskOptions, signal: AbortSignal): Promise<void> {
    try {
      const tree = await this.#deps.charts.open(entry.ask, options, signal);
      const state = `${tree.revision} ${tree.version} ${await tree.objectId('', signal)}`;
      if (state !== entry.state) entry.generation += 1;
      entry.state = state;
      entry.tree = tree;
      entry.error = undefined;
      entry.failingSince = undefined;
    } catch (error) {
      if (signal.aborted) throw error;
      entry.error = error;
      entry.failingSince ??= this.#deps.clock.now();
      throw error;
    }
  }

  async #refreshFile(url: string, signal: AbortSignal): Promise<void> {
    const { digest } = await this.#deps.charts.readUrl(url, { maxAgeMs: 0 }, signal);
    const known = this.#files.get(url);
    if (known?.digest === digest) return;
    if (!known && this.#files.size >= maxFiles) this.#files.delete(this.#files.keys().next().value ?? '');
    this.#files.set(url, { digest, generation: (known?.generation ?? 0) + 1 });
  }

  #nextPollMs(): number {
    return this.#deps.pollMs() * (1 + this.#deps.entropy.fraction() / 3);
  }
}

function newEntry(ask: ChartAsk, repoURL: string): Watched {
  return {
    ask,
    key: repositoryKey(repoURL),
    tree: undefined,
    state: '',
    generation: 0,
    error: undefined,
    failingSince: undefined,
    first: undefined,
    askedAt: undefined,
    waited: false,
    usedAt: 0,
  };
}
