import type { Clock } from '#base/clock.ts';
import { AppError, isAppError, throwIfAborted } from '#base/errors.ts';
import { getString } from '#base/json.ts';
import { compareVersions, highestAllowed, parseConstraint, parseVersion } from '#base/version.ts';
import type { Connections } from './connections.ts';
import { download } from './download.ts';
import type { FileStore } from './file-store.ts';
import type { HelmIndexes } from './helm-indexes.ts';
import type { ChartEntry } from './index-file.ts';
import type { AskOptions, ChartAsk } from './port.ts';
import { addressIn, type ChartRepository } from './repository.ts';

export interface FoundArchive {
  digest: string;
  version: string;
  bring: (signal: AbortSignal) => Promise<Buffer>;
}

export interface HttpChartsDeps {
  store: FileStore;
  clock: Clock;
  connections: Connections;
  indexes: HelmIndexes;
  count: (what: 'downloads') => void;
  /** Brings an archive that an index places in a registry. */
  pull: (place: { repoURL: string; tag: string; project: string }, signal: AbortSignal) => Promise<Buffer>;
}

export const maxArchiveBytes = 64 * 1024 * 1024;
const archiveTimeoutMs = 120_000;

const isRegistryAddress = (url: string) => /^oci:\/\//i.test(url);

/** Three numbers: a version that names one release and never another. */
export function isExactVersion(text: string): boolean {
  return parseVersion(text) !== undefined && /^v?\d+\.\d+\.\d+/.test(text);
}

/** The newest of some versions, for messages. */
export function newestOf(versions: readonly string[]): string {
  const known = versions.flatMap((text) => parseVersion(text) ?? []).sort((a, b) => compareVersions(b, a));
  if (known.length === 0) return 'it has no versions';
  const rest = known.length > 5 ? ` and ${known.length - 5} older ones` : '';
  return `it has ${known
    .slice(0, 5)
    .map(({ text }) => text)
    .join(', ')}${rest}`;
}

/** As helm chooses: the version by its very text, else the newest that the text allows as a constraint. */
export function chooseVersion(revision: string, versions: readonly string[]): string | undefined {
  if (versions.includes(revision)) return revision;
  const constraint = parseConstraint(revision);
  return constraint && highestAllowed(constraint, versions);
}

/** Finds a chart's version in a Helm repository, and has its archive in the store. */
export async function findHttpChart(
  deps: HttpChartsDeps,
  repository: ChartRepository,
  input: { ask: ChartAsk; options: AskOptions },
  signal: AbortSignal,
): Promise<FoundArchive> {
  const { ask, options } = input;
  const { chart, revision } = ask;
  const exact = isExactVersion(revision);
  const name = `version ${repository.key} ${chart} ${revision}`;
  const known = exact && !options.again ? await deps.store.getRecord(name) : undefined;
  const kept = getString(known, 'digest');
  const version = getString(known, 'version');
  if (kept !== undefined && version !== undefined && (await deps.store.has(kept)))
    return { digest: kept, version, bring: (own) => bringAgain(deps, repository, ask, own) };
  const entry = await findEntry(deps, repository, input, signal);
  const digest = await keptArchive(deps, repository, { ask, entry, options }, signal);
  if (exact) await deps.store.putRecord(name, { digest, version: entry.version });
  return { digest, version: entry.version, bring: (own) => bringAgain(deps, repository, ask, own) };
}

async function findEntry(
  deps: HttpChartsDeps,
  repository: ChartRepository,
  { ask, options }: { ask: ChartAsk; options: AskOptions },
  signal: AbortSignal,
): Promise<ChartEntry> {
  const { chart, revision } = ask;
  let entries = await deps.indexes.entries(repository, chart, options.maxAgeMs, signal);
  let version = chooseVersion(
    revision,
    entries.map((entry) => entry.version),
  );
  if (version === undefined && options.maxAgeMs > 0) {
    // It may have been published since.
    entries = await deps.indexes.entries(repository, chart, 0, signal);
    version = chooseVersion(
      revision,
      entries.map((entry) => entry.version),
    );
  }
  const entry = entries.find((candidate) => candidate.version === version);
  if (entry) return entry;
  const wanted = isExactVersion(revision) ? `version ${revision}` : `version that "${revision}" allows`;
  throw new AppError(
    'not-found',
    `the chart ${chart} of ${repository.address} has no ${wanted}: ${newestOf(entries.map((other) => other.version))}`,
    { hint: 'correct the version; prereleases count only for a constraint that names one, as ">=1.0.0-0" does' },
  );
}

/**
 * The digest of a version's archive, brought when it is not there. Without a digest in the index the first one stays; one that
 * comes from a registry is verified there.
 */
async function keptArchive(
  deps: HttpChartsDeps,
  repository: ChartRepository,
  { ask, entry, options }: { ask: ChartAsk; entry: ChartEntry; options: AskOptions },
  signal: AbortSignal,
): Promise<string> {
  const expected = entry.urls.some(isRegistryAddress) ? undefined : entry.digest;
  if (expected !== undefined && (await deps.store.has(expected))) return expected;
  const name = `archive ${repository.key} ${ask.chart} ${entry.version} ${entry.digest ?? ''}`;
  if (expected === undefined && !options.again) {
    const kept = getString(await deps.store.getRecord(name), 'digest');
    if (kept !== undefined && (await deps.store.has(kept))) return kept;
  }
  const bytes = await bring(deps, repository, { ask, entry }, signal);
  const digest = await deps.store.put(bytes);
  if (expected === undefined) await deps.store.putRecord(name, { digest });
  else if (digest !== expected)
    throw new AppError(
      'corrupt-data',
      `the archive of ${ask.chart} ${entry.version} from ${repository.address} has the digest ${digest}, but the index says ${expected}`,
      { hint: 'the repository or a cache before it is damaged: publish the version again' },
    );
  return digest;
}

async function bringAgain(
  deps: HttpChartsDeps,
  repository: ChartRepository,
  ask: ChartAsk,
  signal: AbortSignal,
): Promise<Buffer> {
  const entry = await findEntry(deps, repository, { ask, options: { maxAgeMs: 60_000 } }, signal);
  return await bring(deps, repository, { ask, entry }, signal);
}

async function bring(
  deps: HttpChartsDeps,
  repository: ChartRepository,
  { ask, entry }: { ask: ChartAsk; entry: ChartEntry },
  signal: AbortSignal,
): Promise<Buffer> {
  const what = `the archive of the chart ${ask.chart} ${entry.version}`;
  const origin = ask.passCredentials ? undefined : new URL(repository.address).origin;
  let failure: unknown;
  for (const url of entry.urls) {
    try {
      const [, repoURL = '', tag = ''] = isRegistryAddress(url) ? (/^(oci:\/\/.+):([^/:]+)$/i.exec(url) ?? []) : [];
      if (repoURL !== '') return await deps.pull({ repoURL, tag, project: ask.project }, signal);
      const answer = await download(
        deps,
        {
          url: addressIn(repository, url),
          what,
          access: repository.access,
          origin,
          maxBytes: maxArchiveBytes,
          timeoutMs: archiveTimeoutMs,
        },
        signal,
      );
      deps.count('downloads');
      if (answer.kind === 'content') return answer.bytes;
    } catch (error) {
      throwIfAborted(signal);
      if (!isAppError(error)) throw error;
      // The next address may do.
      failure = error;
    }
  }
  throw (
    failure ?? new AppError('bad-input', `the index of ${repository.address} gives no address for ${what.slice(4)}`)
  );
}
