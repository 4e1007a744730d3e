import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { AppError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { ContentUse } from './content-use.ts';
import { ifPresent } from './durable-file.ts';
import { parseManifest } from './manifest-document.ts';
import { digestText, parseContentDigest } from './names.ts';
import type { RepositoryStore } from './repository-store.ts';

export interface Garbage {
  /** Blobs that a repository held but none of its manifests names. */
  unlinked: number;
  /** Contents that no repository holds any more. */
  removed: number;
}

export interface GarbageStore {
  repositories: RepositoryStore;
  use: ContentUse;
  blobDirectory: string;
}

/**
 * Drops what pushes that were never finished and deletions left behind. Pushes and pulls may go on meanwhile: links
 * younger than `graceMs` are kept, and whatever is in use. Throws `corrupt-data` at a manifest that cannot be read.
 */
export async function collectGarbage(store: GarbageStore, time: { now: number; graceMs: number }): Promise<Garbage> {
  const { repositories, use } = store;
  const live = new Set<string>();
  let unlinked = 0;
  for (const name of await repositories.allNames()) {
    const named = await namedBlobs(repositories, name, live);
    for (const { digest, linkedAt } of await repositories.blobLinks(name)) {
      const unwanted = linkedAt + time.graceMs < time.now && !named.has(digestText(digest));
      const unlink = async (): Promise<void> => {
        await repositories.unlinkBlob(name, digest);
      };
      if (unwanted && (await use.removeUnused(digest, unlink))) unlinked += 1;
      else live.add(digestText(digest));
    }
  }
  return { unlinked, removed: await sweep(store, live) };
}

/** Collects garbage every `everyMs` until the signal; what goes wrong is told and tried again the next time. */
export async function collectRegularly(
  deps: { clock: Clock; logger: Logger; collect: () => Promise<void> },
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await deps.clock.sleep(everyMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    try {
      await deps.collect();
    } catch (error) {
      deps.logger.warn({}, `registry: cleaning up failed: ${messageOf(error)}`);
    }
  }
}

/** Damaged files must not keep the rest from being served: what cannot be judged is kept. */
export async function cleanUp(
  store: GarbageStore,
  { clock, logger }: { clock: Clock; logger: Logger },
  graceMs: number,
): Promise<void> {
  try {
    const garbage = await collectGarbage(store, { now: clock.now(), graceMs });
    if (garbage.removed + garbage.unlinked > 0) logger.info(garbage, 'registry: unused blobs removed');
  } catch (error) {
    logger.warn({}, `registry: unused blobs are not removed: ${messageOf(error)}`);
  }
}

/** The blobs that the repository's manifests name; the manifests' own contents are added to `live`. */
async function namedBlobs(repositories: RepositoryStore, name: string, live: Set<string>): Promise<Set<string>> {
  const named = new Set<string>();
  for (const digest of await repositories.manifestDigests(name)) {
    live.add(digestText(digest));
    const stored = await repositories.manifest(name, digest);
    if (stored) for (const blob of parseManifest(stored.bytes, stored.mediaType).blobs) named.add(digestText(blob));
    // Deleted since it was listed: then it names nothing any more.
    else if (await repositories.hasManifest(name, digest))
      throw new AppError('corrupt-data', `the manifest ${digestText(digest)} of ${name} is damaged`);
  }
  return named;
}

async function sweep({ blobDirectory, use }: GarbageStore, live: ReadonlySet<string>): Promise<number> {
  let removed = 0;
  for (const algorithm of (await ifPresent(readdir(blobDirectory))) ?? [])
    for (const prefix of await readdir(join(blobDirectory, algorithm)))
      for (const hex of await readdir(join(blobDirectory, algorithm, prefix))) {
        const digest = parseContentDigest(`${algorithm}:${hex}`);
        if (!digest || live.has(digestText(digest))) continue;
        if (await use.removeUnused(digest, () => rm(join(blobDirectory, algorithm, prefix, hex)))) removed += 1;
      }
  return removed;
}
