import type { Clock } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import { getString } from '#base/json.ts';
import { Lru } from '#git/lru.ts';
import { SingleFlight } from '#oci/single-flight.ts';
import type { Connections } from './connections.ts';
import { download, type Validators } from './download.ts';
import type { FileStore } from './file-store.ts';
import { type ChartEntry, listIndex, readIndex } from './index-file.ts';
import type { ListedChart } from './port.ts';
import { addressIn, type ChartRepository } from './repository.ts';

export interface IndexDeps {
  store: FileStore;
  clock: Clock;
  connections: Connections;
  count: (what: 'questions' | 'unchanged') => void;
}

interface Known {
  digest: string;
  validators: Validators;
  checkedAt: number;
}

const maxIndexBytes = 128 * 1024 * 1024;
const indexTimeoutMs = 60_000;
const keptIndexes = 1000;

/** Indexes of Helm repositories: kept on disk, asked for again only whether they changed. */
export class HelmIndexes {
  readonly #deps: IndexDeps;
  readonly #known = new Lru<Known>(keptIndexes, () => 1);
  readonly #parsed = new Lru<{ entries: ChartEntry[] | undefined }>(
    50_000,
    ({ entries }) => (entries?.length ?? 0) + 1,
  );
  readonly #flights = new SingleFlight<Known>();

  constructor(deps: IndexDeps) {
    this.#deps = deps;
  }

  /** All versions of a chart, from an answer at most so old. Throws AppError not-found for a chart the index lacks. */
  async entries(
    repository: ChartRepository,
    chart: string,
    maxAgeMs: number,
    signal: AbortSignal,
  ): Promise<ChartEntry[]> {
    const { digest } = await this.#load(repository, maxAgeMs, signal);
    const key = `${digest} ${chart}`;
    let parsed = this.#parsed.get(key);
    if (!parsed) {
      const text = await this.#text(repository, digest);
      parsed = { entries: readIndex(text, chart, `the index of ${repository.address}`) };
      this.#parsed.set(key, parsed);
    }
    if (parsed.entries) return parsed.entries;
    throw new AppError('not-found', `the chart repository ${repository.address} lists no chart "${chart}"`, {
      hint: 'correct spec.source.chart or repoURL; "helm search repo" shows what there is',
    });
  }

  async list(repository: ChartRepository, maxAgeMs: number, signal: AbortSignal): Promise<ListedChart[]> {
    const { digest } = await this.#load(repository, maxAgeMs, signal);
    const text = await this.#text(repository, digest);
    const { clock } = this.#deps;
    return await listIndex(text, `the index of ${repository.address}`, () => clock.sleep(0, signal));
  }

  async #text(repository: ChartRepository, digest: string): Promise<string> {
    const bytes = await this.#deps.store.get(digest);
    if (bytes) return bytes.toString('utf8');
    throw new AppError('unavailable', `the index of ${repository.address} was removed while it was read`);
  }

  async #load(repository: ChartRepository, maxAgeMs: number, signal: AbortSignal): Promise<Known> {
    const known = this.#known.get(repository.key);
    const now = this.#deps.clock.now();
    if (known && now - known.checkedAt < maxAgeMs && (await this.#deps.store.has(known.digest))) return known;
    return await this.#flights.run(repository.key, (shared) => this.#ask(repository, shared), signal);
  }

  async #ask(repository: ChartRepository, signal: AbortSignal): Promise<Known> {
    const { store, clock, count } = this.#deps;
    const name = `index ${repository.key}`;
    const known = this.#known.get(repository.key) ?? parseKnown(await store.getRecord(name));
    const there = known && (await store.has(known.digest)) ? known : undefined;
    const url = addressIn(repository, 'index.yaml');
    count('questions');
    const answer = await download(
      this.#deps,
      {
        url,
        what: `the index of the chart repository ${repository.address}`,
        access: repository.access,
        origin: new URL(repository.address).origin,
        maxBytes: maxIndexBytes,
        timeoutMs: indexTimeoutMs,
        known: there?.validators,
      },
      signal,
    );
    const checkedAt = clock.now();
    if (answer.kind === 'unchanged') {
      if (!there) throw new AppError('unavailable', `${url} says that it did not change, but it was never read`);
      count('unchanged');
      return this.#keep(repository, { ...there, checkedAt });
    }
    const digest = await store.put(answer.bytes);
    await store.putRecord(name, { digest, ...answer.validators });
    return this.#keep(repository, { digest, validators: answer.validators, checkedAt });
  }

  #keep(repository: ChartRepository, known: Known): Known {
    this.#known.set(repository.key, known);
    return known;
  }
}

function parseKnown(record: unknown): Known | undefined {
  const digest = getString(record, 'digest');
  if (digest === undefined) return undefined;
  const etag = getString(record, 'etag');
  const lastModified = getString(record, 'lastModified');
  const validators = {
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
  };
  return { digest, validators, checkedAt: Number.NEGATIVE_INFINITY };
}
