import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { getString, type JsonObject, parseJson } from '#base/json.ts';
import type { BlobStore } from './blob-store.ts';
import { ifPresent, syncDirectory, writeDurably } from './durable-file.ts';
import { type ManifestDocument, parseManifest, referrerDescriptor } from './manifest-document.ts';
import { type ContentDigest, digestText, hashContent, parseContentDigest, sameDigest } from './names.ts';

export interface StoredManifest {
  digest: ContentDigest;
  mediaType: string;
  bytes: Buffer;
}

export interface NewManifest extends StoredManifest {
  document: ManifestDocument;
}

/** Decides, with the tag's present digest in hand and nobody else writing it, whether it may move; throws when not. */
export type TagGuard = (present: ContentDigest | undefined) => void;

/**
 * What belongs to each repository: links to blobs, manifests with their media types, tags, and who refers to whom.
 * Every file is written durably, and in an order in which a crash leaves no name for something that is not there.
 */
export class RepositoryStore {
  readonly #directory: string;
  readonly #blobs: BlobStore;
  readonly #locks = new Map<string, Promise<unknown>>();

  constructor(options: { directory: string; blobs: BlobStore }) {
    this.#directory = options.directory;
    this.#blobs = options.blobs;
  }

  async exists(repository: string): Promise<boolean> {
    const kinds = ['_manifests', '_blobs'];
    const found = await Promise.all(kinds.map((kind) => ifPresent(stat(this.#path(repository, kind)))));
    return found.some((entry) => entry !== undefined);
  }

  async linkBlob(repository: string, digest: ContentDigest): Promise<void> {
    // Also where there is one: its age counts from the last push.
    const path = this.#path(repository, '_blobs', digest.algorithm, digest.hex);
    await writeDurably(path, '', this.#blobs.temporaryPath());
  }

  /** The blob's size, or undefined when this repository does not have it, whoever else does. */
  async blobSize(repository: string, digest: ContentDigest): Promise<number | undefined> {
    await this.#blobs.use(digest);
    const link = await ifPresent(stat(this.#path(repository, '_blobs', digest.algorithm, digest.hex)));
    return link ? await this.#blobs.size(digest) : undefined;
  }

  /** False when there was nothing to remove. */
  async unlinkBlob(repository: string, digest: ContentDigest): Promise<boolean> {
    return await this.#remove(repository, '_blobs', digest.algorithm, digest.hex);
  }

  async putManifest(repository: string, manifest: NewManifest): Promise<void> {
    const { digest, mediaType, bytes, document } = manifest;
    await this.#blobs.write(digest, bytes);
    if (document.subject) {
      const { algorithm, hex } = document.subject;
      const path = this.#path(repository, '_referrers', algorithm, hex, `${digest.algorithm}-${digest.hex}`);
      await writeDurably(path, '', this.#blobs.temporaryPath());
    }
    const path = this.#path(repository, '_manifests', digest.algorithm, digest.hex);
    await writeDurably(path, JSON.stringify({ mediaType }), this.#blobs.temporaryPath());
  }

  /** Undefined too for a manifest whose file is damaged: pushing it again mends it. */
  async manifest(repository: string, digest: ContentDigest): Promise<StoredManifest | undefined> {
    const path = this.#path(repository, '_manifests', digest.algorithm, digest.hex);
    const record = await ifPresent(readFile(path, 'utf8'));
    if (record === undefined) return undefined;
    const bytes = await ifPresent(readFile(this.#blobs.path(digest)));
    const mediaType = getString(parseJson(record, 'manifest record'), 'mediaType');
    if (!bytes || mediaType === undefined || !sameDigest(hashContent(digest.algorithm, bytes), digest))
      return undefined;
    return { digest, mediaType, bytes };
  }

  async hasManifest(repository: string, digest: ContentDigest): Promise<boolean> {
    return (await ifPresent(stat(this.#path(repository, '_manifests', digest.algorithm, digest.hex)))) !== undefined;
  }

  /** Removes the manifest after every tag that points to it. False when it was not there. */
  async deleteManifest(repository: string, digest: ContentDigest): Promise<boolean> {
    const stored = await this.manifest(repository, digest);
    for (const tag of await this.tagsOf(repository, digest)) await this.deleteTag(repository, tag);
    const subject = stored ? parseManifest(stored.bytes, stored.mediaType).subject : undefined;
    if (subject) {
      const { algorithm, hex } = subject;
      await this.#remove(repository, '_referrers', algorithm, hex, `${digest.algorithm}-${digest.hex}`);
    }
    return await this.#remove(repository, '_manifests', digest.algorithm, digest.hex);
  }

  async tag(repository: string, tag: string): Promise<ContentDigest | undefined> {
    const text = await ifPresent(readFile(this.#path(repository, '_tags', tag), 'utf8'));
    return text === undefined ? undefined : parseContentDigest(text);
  }

  /** Points a tag to a manifest; concurrent writers of one tag take turns, and each asks `guard` first. */
  async setTag(repository: string, tag: string, move: { to: ContentDigest; guard: TagGuard }): Promise<void> {
    await this.#locked(`${repository}:${tag}`, async () => {
      const present = await this.tag(repository, tag);
      move.guard(present);
      if (present && sameDigest(present, move.to)) return;
      await writeDurably(this.#path(repository, '_tags', tag), digestText(move.to), this.#blobs.temporaryPath());
    });
  }

  async deleteTag(repository: string, tag: string): Promise<boolean> {
    return await this.#locked(`${repository}:${tag}`, () => this.#remove(repository, '_tags', tag));
  }

  /** In the order of their code points. */
  async tags(repository: string): Promise<string[]> {
    return ((await ifPresent(readdir(this.#path(repository, '_tags')))) ?? []).sort();
  }

  async tagsOf(repository: string, digest: ContentDigest): Promise<string[]> {
    const tags = await this.tags(repository);
    const digests = await Promise.all(tags.map((tag) => this.tag(repository, tag)));
    return tags.filter((_, index) => {
      const found = digests[index];
      return found !== undefined && sameDigest(found, digest);
    });
  }

  /** Descriptors of the manifests whose subject is `subject`, oldest digest order. */
  async referrers(repository: string, subject: ContentDigest): Promise<JsonObject[]> {
    const directory = this.#path(repository, '_referrers', subject.algorithm, subject.hex);
    const names = ((await ifPresent(readdir(directory))) ?? []).sort();
    const descriptors: JsonObject[] = [];
    for (const name of names) {
      const digest = parseContentDigest(name.replace('-', ':'));
      const stored = digest ? await this.manifest(repository, digest) : undefined;
      if (!stored) continue;
      const document = parseManifest(stored.bytes, stored.mediaType);
      descriptors.push(referrerDescriptor(document, digestText(stored.digest), stored.bytes.length));
    }
    return descriptors;
  }

  /** Names of the repositories that hold a manifest, in the order of their code points. */
  async repositories(): Promise<string[]> {
    return await this.#names(['_manifests']);
  }

  /** Like `repositories`, and with those that hold only blobs so far. */
  async allNames(): Promise<string[]> {
    return await this.#names(['_manifests', '_blobs']);
  }

  async manifestDigests(repository: string): Promise<ContentDigest[]> {
    return (await this.#entries(repository, '_manifests')).map(({ digest }) => digest);
  }

  /** The repository's links to blobs, with the times they were made in milliseconds since the epoch. */
  async blobLinks(repository: string): Promise<{ digest: ContentDigest; linkedAt: number }[]> {
    const links = await this.#entries(repository, '_blobs');
    const found = await Promise.all(
      links.map(async ({ digest, path }) => ({ digest, linkedAt: (await ifPresent(stat(path)))?.mtimeMs })),
    );
    return found.flatMap(({ digest, linkedAt }) => (linkedAt === undefined ? [] : [{ digest, linkedAt }]));
  }

  async #names(kinds: string[]): Promise<string[]> {
    const found: string[] = [];
    const visit = async (name: string): Promise<void> => {
      const entries = (await ifPresent(readdir(join(this.#directory, name), { withFileTypes: true }))) ?? [];
      if (entries.some((entry) => kinds.includes(entry.name))) found.push(name);
      for (const entry of entries)
        if (entry.isDirectory() && !entry.name.startsWith('_'))
          await visit(name ? `${name}/${entry.name}` : entry.name);
    };
    await visit('');
    return found.sort();
  }

  async #entries(
    repository: string,
    kind: '_blobs' | '_manifests',
  ): Promise<{ digest: ContentDigest; path: string }[]> {
    const found: { digest: ContentDigest; path: string }[] = [];
    for (const algorithm of (await ifPresent(readdir(this.#path(repository, kind)))) ?? [])
      for (const hex of await readdir(this.#path(repository, kind, algorithm))) {
        const digest = parseContentDigest(`${algorithm}:${hex}`);
        if (digest) found.push({ digest, path: this.#path(repository, kind, algorithm, hex) });
      }
    return found;
  }

  #path(repository: string, ...parts: string[]): string {
    return join(this.#directory, ...repository.split('/'), ...parts);
  }

  async #remove(repository: string, ...parts: string[]): Promise<boolean> {
    const path = this.#path(repository, ...parts);
    if ((await ifPresent(rm(path).then(() => true))) === undefined) return false;
    await syncDirectory(join(path, '..'));
    return true;
  }

  async #locked<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#locks.get(key) ?? Promise.resolve();
    const turn = before.then(work, work);
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#locks.set(key, settled);
    try {
      return await turn;
    } finally {
      if (this.#locks.get(key) === settled) this.#locks.delete(key);
    }
  }
}
