import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '#base/errors.ts';
import { ifPresent } from './durable-file.ts';
import { parseManifest } from './manifest-document.ts';
import { digestText } from './names.ts';
import type { RepositoryStore } from './repository-store.ts';

export interface Garbage {
  /** Blobs that a repository held but none of its manifests names. */
  unlinked: number;
  /** Contents that no repository holds any more. */
  removed: number;
}

/**
 * Drops what pushes that were never finished and deletions left behind. To be called while nothing else uses the
 * directory: a blob may be there before the manifest that names it, so links younger than `graceMs` are kept, but
 * contents without any link go at once. Throws `corrupt-data` at a manifest that cannot be read.
 */
export async function collectGarbage(
  store: { repositories: RepositoryStore; blobDirectory: string },
  time: { now: number; graceMs: number },
): Promise<Garbage> {
  const { repositories } = store;
  const live = new Set<string>();
  let unlinked = 0;
  for (const name of await repositories.allNames()) {
    const named = await namedBlobs(repositories, name, live);
    for (const blob of await repositories.blobLinks(name)) {
      const old = blob.linkedAt + time.graceMs < time.now;
      if (old && !named.has(digestText(blob.digest))) {
        await repositories.unlinkBlob(name, blob.digest);
        unlinked += 1;
      } else live.add(digestText(blob.digest));
    }
  }
  return { unlinked, removed: await sweep(store.blobDirectory, live) };
}

/** The blobs that the repository's manifests name; the manifests' own contents are added to `live`. */
async function namedBlobs(repositories: RepositoryStore, name: string, live: Set<string>): Promise<Set<string>> {
  const named = new Set<string>();
  for (const digest of await repositories.manifestDigests(name)) {
    live.add(digestText(digest));
    const stored = await repositories.manifest(name, digest);
    if (!stored) throw new AppError('corrupt-data', `the manifest ${digestText(digest)} of ${name} is damaged`);
    for (const blob of parseManifest(stored.bytes, stored.mediaType).blobs) named.add(digestText(blob));
  }
  return named;
}

async function sweep(directory: string, live: ReadonlySet<string>): Promise<number> {
  let removed = 0;
  for (const algorithm of (await ifPresent(readdir(directory))) ?? [])
    for (const prefix of await readdir(join(directory, algorithm)))
      for (const hex of await readdir(join(directory, algorithm, prefix))) {
        if (live.has(`${algorithm}:${hex}`)) continue;
        await rm(join(directory, algorithm, prefix, hex));
        removed += 1;
      }
  return removed;
}
