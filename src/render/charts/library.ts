import { join } from 'node:path';
import type { Dispatcher } from 'undici';
import type { Clock } from '#base/clock.ts';
import { canonicalJson } from '#base/digest.ts';
import { AppError, isAppError } from '#base/errors.ts';
import { getString } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import { Lru } from '#git/lru.ts';
import type { RepositoryAccess, RepositoryAccessSource } from '#model/argocd/repository-access.ts';
import type { RegistryClient, RegistryCredentials } from '#oci/port.ts';
import { createRegistryClient } from '#oci/registry-client.ts';
import { SingleFlight } from '#oci/single-flight.ts';
import { Archives } from './archives.ts';
import { Connections } from './connections.ts';
import { download, type Validators } from './download.ts';
import { FileStore } from './file-store.ts';
import { HelmIndexes } from './helm-indexes.ts';
import { findHttpChart, isExactVersion } from './http-charts.ts';
import { findOciArtifact, OciMemory, referenceOf } from './oci-charts.ts';
import type {
  AskOptions,
  ChartAsk,
  ChartLibrary,
  ChartTree,
  ListedChart,
  RemoteFile,
  RepositoryPlace,
} from './port.ts';
import { type ChartRepository, findRepository } from './repository.ts';

export interface ChartLibraryDeps {
  cacheDir: string;
  access: RepositoryAccessSource;
  clock: Clock;
  logger: Logger;
  /** The variables that name proxies. */
  env?: Readonly<Record<string, string>>;
  /** For registries that no Secret is declared for, e.g. from docker's configuration. */
  registryCredentials?: (registry: string, signal: AbortSignal) => Promise<RegistryCredentials | undefined>;
  /** Of archives, indexes and value files on disk together. */
  maxBytes?: number;
}

const valueFileBytes = 8 * 1024 * 1024;
const valueFileTimeoutMs = 30_000;
const keptRegistries = 200;

/** A chart library that keeps what it brought below `cacheDir`. */
export function createChartLibrary(deps: ChartLibraryDeps): ChartLibrary {
  return new Library(deps);
}

class Library implements ChartLibrary {
  readonly counts = { questions: 0, unchanged: 0, downloads: 0 };
  readonly #deps: ChartLibraryDeps;
  readonly #connections: Connections;
  readonly #store: FileStore;
  readonly #archives: Archives;
  readonly #indexes: HelmIndexes;
  readonly #registries = new Lru<{ client: RegistryClient; dispatcher: Dispatcher }>(keptRegistries, () => 1);
  readonly #memory = new OciMemory();
  readonly #files = new Lru<{ digest: string; at: number }>(2000, () => 1);
  readonly #flights = new SingleFlight<ChartTree>();
  readonly #count = (what: 'questions' | 'unchanged' | 'downloads') => {
    this.counts[what] += 1;
  };

  constructor(deps: ChartLibraryDeps) {
    const { cacheDir, clock, logger, maxBytes, env = {} } = deps;
    this.#deps = deps;
    this.#connections = new Connections(env);
    const limit = maxBytes === undefined ? {} : { maxBytes };
    this.#store = new FileStore({ folder: join(cacheDir, 'charts'), clock, logger, ...limit });
    this.#archives = new Archives(this.#store);
    const own = { store: this.#store, clock, connections: this.#connections, count: this.#count };
    this.#indexes = new HelmIndexes(own);
  }

  async open(ask: ChartAsk, options: AskOptions, signal: AbortSignal): Promise<ChartTree> {
    const work = (shared: AbortSignal) => this.#open(ask, options, shared);
    return await this.#flights.run(canonicalJson([ask, options]), work, signal);
  }

  async repositoryOf(name: string, signal: AbortSignal): Promise<string | undefined> {
    const declared = await this.#deps.access.list(signal);
    const found = declared.find((access) => access.name === name && access.type !== 'git');
    if (!found) return undefined;
    const registry = found.type === 'oci' || found.enableOci === true;
    return registry && !/^oci:\/\//.test(found.url) ? `oci://${found.url.replace(/^https?:\/\//, '')}` : found.url;
  }

  async listCharts(at: RepositoryPlace, options: AskOptions, signal: AbortSignal): Promise<ListedChart[]> {
    const repository = await findRepository(this.#deps.access, at, signal);
    if (repository.kind === 'http') return await this.#indexes.list(repository, options.maxAgeMs, signal);
    throw new AppError('unsupported', `${at.repoURL} is a registry, which does not list its charts`, {
      hint: 'name the chart',
    });
  }

  async listTags(at: RepositoryPlace, signal: AbortSignal): Promise<string[]> {
    const repository = await findRepository(this.#deps.access, at, signal);
    if (repository.kind === 'oci') return await this.#registryFor(repository).tags(referenceOf(repository, ''), signal);
    throw new AppError('bad-input', `${at.repoURL} is no registry: it has no tags`);
  }

  async readUrl(url: string, options: AskOptions, signal: AbortSignal): Promise<RemoteFile> {
    const { clock } = this.#deps;
    const name = `file ${url}`;
    const known = this.#files.get(url);
    const fresh = known && clock.now() - known.at < options.maxAgeMs ? await this.#store.get(known.digest) : undefined;
    if (known && fresh) return { url, digest: known.digest, bytes: fresh };
    const record = await this.#store.getRecord(name);
    const kept = getString(record, 'digest');
    const there = kept === undefined ? undefined : await this.#store.get(kept);
    this.#count('questions');
    const answer = await download(
      { clock, connections: this.#connections },
      {
        url,
        what: `the value file ${url}`,
        access: withUserInfo(url),
        origin: URL.canParse(url) ? new URL(url).origin : '',
        maxBytes: valueFileBytes,
        timeoutMs: valueFileTimeoutMs,
        known: there && validatorsOf(record),
      },
      signal,
    );
    if (answer.kind === 'unchanged' && there && kept !== undefined) {
      this.#count('unchanged');
      this.#files.set(url, { digest: kept, at: clock.now() });
      return { url, digest: kept, bytes: there };
    }
    if (answer.kind === 'unchanged')
      throw new AppError('unavailable', `${url} says that it did not change, but it was never read`);
    this.#count('downloads');
    const digest = await this.#store.put(answer.bytes);
    await this.#store.putRecord(name, { digest, ...answer.validators });
    this.#files.set(url, { digest, at: clock.now() });
    return { url, digest, bytes: answer.bytes };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connections[Symbol.asyncDispose]();
  }

  async #open(ask: ChartAsk, options: AskOptions, signal: AbortSignal): Promise<ChartTree> {
    const repository = await findRepository(this.#deps.access, ask, signal);
    if (repository.kind === 'http' && ask.chart === '')
      throw new AppError('bad-input', `${ask.repoURL} is a chart repository, and no chart is named`, {
        hint: 'set spec.source.chart',
      });
    if (repository.kind === 'http') return await this.#openHttp(repository, { ask, options }, signal);
    try {
      return await this.#openOci(repository, { ask, options }, signal);
    } catch (error) {
      if (!isAppError(error, 'unauthorized') && !isAppError(error, 'forbidden')) throw error;
      const name = ask.chart === '' ? repository.address : `${repository.address}/${ask.chart}`;
      const who = repository.access.username ? 'the credentials that are declared for it' : 'no credentials';
      throw new AppError(error.code, `${name} cannot be read with ${who}: ${error.message}`, {
        hint: 'declare a repository Secret of type helm with enableOCI, or of type oci, with the right username and password',
        cause: error,
      });
    }
  }

  async #openHttp(repository: ChartRepository, input: { ask: ChartAsk; options: AskOptions }, signal: AbortSignal) {
    const { clock } = this.#deps;
    const { ask } = input;
    const deps = {
      store: this.#store,
      clock,
      connections: this.#connections,
      indexes: this.#indexes,
      count: this.#count,
      pull: (place: { repoURL: string; tag: string; project: string }, own: AbortSignal) => this.#pull(place, own),
    };
    const { digest, version, bring } = await findHttpChart(deps, repository, input, signal);
    return await this.#archives.open(
      {
        digest,
        chart: ask.chart,
        url: ask.repoURL,
        revision: isExactVersion(ask.revision) ? ask.revision : version,
        version,
        place: `${ask.chart} ${version} of ${repository.address}`,
        bring,
      },
      signal,
    );
  }

  async #openOci(repository: ChartRepository, input: { ask: ChartAsk; options: AskOptions }, signal: AbortSignal) {
    const { clock } = this.#deps;
    const { ask } = input;
    const registry = this.#registryFor(repository);
    const deps = { store: this.#store, clock, registry, count: this.#count, memory: this.#memory };
    const { digest, version, packaged, bring } = await findOciArtifact(deps, repository, input, signal);
    const name = ask.chart === '' ? (repository.address.split('/').at(-1) ?? '') : (ask.chart.split('/').at(-1) ?? '');
    if (ask.chart !== '' && !packaged)
      throw new AppError(
        'bad-input',
        `${repository.address}/${ask.chart} ${version} is an artifact, but no Helm chart`,
        {
          hint: `for an artifact of manifests set repoURL to oci://${repository.address}/${ask.chart}, and path instead of chart`,
        },
      );
    return await this.#archives.open(
      {
        digest,
        chart: packaged ? name : '',
        url: ask.repoURL,
        revision: ask.chart !== '' && isExactVersion(ask.revision) ? ask.revision : version,
        version,
        place:
          ask.chart === '' ? `${repository.address} at ${version}` : `${ask.chart} ${version} of ${repository.address}`,
        bring,
      },
      signal,
    );
  }

  /** An archive of a registry that an index names. */
  async #pull({ repoURL, tag, project }: { repoURL: string; tag: string; project: string }, signal: AbortSignal) {
    const ask = { repoURL, chart: '', revision: tag, project, borrowAccess: true };
    return await (await this.open(ask, { maxAgeMs: 0 }, signal)).archive(signal);
  }

  #registryFor({ address, access, key }: ChartRepository): RegistryClient {
    const { clock, logger, registryCredentials } = this.#deps;
    const id = canonicalJson([key, access]);
    const dispatcher = this.#connections.for(access);
    const known = this.#registries.get(id);
    if (known?.dispatcher === dispatcher) return known.client;
    const host = address.split('/')[0];
    const credentials = async (registry: string, signal: AbortSignal) => {
      if (access.username || access.password)
        return registry === host ? { username: access.username ?? '', password: access.password ?? '' } : undefined;
      return await registryCredentials?.(registry, signal);
    };
    const client = createRegistryClient({
      clock,
      logger,
      credentials,
      attempts: 3,
      dispatcher,
      ...(access.insecureOciForceHttp ? { plainHttp: true } : {}),
    });
    this.#registries.set(id, { client, dispatcher });
    return client;
  }
}

function withUserInfo(url: string): RepositoryAccess {
  const access: RepositoryAccess = { url, type: 'helm' };
  if (!URL.canParse(url)) return access;
  const { username, password } = new URL(url);
  if (username === '') return access;
  return { ...access, username: decodeURIComponent(username), password: decodeURIComponent(password) };
}

function validatorsOf(record: unknown): Validators {
  const etag = getString(record, 'etag');
  const lastModified = getString(record, 'lastModified');
  return { ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { lastModified }) };
}
