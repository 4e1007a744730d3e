import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, link, readdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { AppError, isAppError, messageOf, throwIfAborted } from '#base/errors.ts';
import { layerPathParts, lstatIfPresent, RealDirectories, realDirectory, relativeTarget } from './layer-path.ts';
import { PendingWrites } from './pending-writes.ts';

export interface LayerLimits {
  maxEntries: number;
  /** Uncompressed. */
  maxBytes: number;
}

export interface Layer {
  mediaType: string;
  /** Compressed bytes as the registry has them. */
  open: () => Promise<NodeJS.ReadableStream>;
  /** Digest of the uncompressed tar, from the image config. */
  diffId: string;
}

/**
 * Applies a layer to a root directory: files, directories, links and whiteouts. Owners and device files are left out,
 * for the runtime is one user. Throws `corrupt-data` for a path that leads out of the root or a wrong digest; what is in
 * the root is then half done and must be thrown away.
 */
export async function applyLayer(root: string, layer: Layer, options: { limits: LayerLimits; signal: AbortSignal }) {
  const { limits, signal } = options;
  const hash = createHash('sha256');
  let size = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      if (size <= limits.maxBytes) done(null, chunk);
      else done(new AppError('limit', `a layer has more than ${limits.maxBytes} bytes`));
    },
  });
  const source = await layer.open();
  const unpack = layerDecompressor(layer.mediaType);
  const tar = extract();
  const streams = unpack ? [source, unpack, measure, tar] : [source, measure, tar];
  // A failing consumer destroys the tar stream, which ends the pipeline; its error is the one to report.
  const [flow, entries] = await Promise.allSettled([pipeline(streams, { signal }), applyEntries(root, tar, limits)]);
  throwIfAborted(signal);
  for (const result of [entries, flow])
    if (result.status === 'rejected' && isAppError(result.reason)) throw result.reason;
  for (const result of [flow, entries])
    if (result.status === 'rejected')
      throw new AppError('corrupt-data', `a layer cannot be unpacked: ${messageOf(result.reason)}`, {
        cause: result.reason,
      });
  const diffId = `sha256:${hash.digest('hex')}`;
  if (diffId !== layer.diffId)
    throw new AppError('corrupt-data', `a layer has the content ${diffId}, but its image says ${layer.diffId}`);
}

/** Undefined for a layer that is not compressed. Throws `unsupported` for a type we cannot read. */
export function layerDecompressor(mediaType: string): Transform | undefined {
  if (/[+.]gzip$/.test(mediaType)) return createGunzip();
  if (/[+.]zstd$/.test(mediaType)) return createZstdDecompress();
  if (/[.]tar$/.test(mediaType)) return undefined;
  throw new AppError('unsupported', `layers of type ${mediaType} cannot be unpacked`);
}

interface Applied {
  root: string;
  /** Paths this layer wrote: its whiteouts hide only what was there before it. */
  written: Set<string>;
  directories: RealDirectories;
  writes: PendingWrites;
}

/** Up to this size a file is written in one go, while the next entries are read. */
const smallFileBytes = 1024 * 1024;

async function applyEntries(root: string, tar: ReturnType<typeof extract>, limits: LayerLimits): Promise<void> {
  const applied: Applied = {
    root,
    written: new Set(),
    directories: new RealDirectories(root),
    writes: new PendingWrites(),
  };
  let count = 0;
  try {
    for await (const entry of tar) {
      count += 1;
      if (count > limits.maxEntries) throw new AppError('limit', `a layer has more than ${limits.maxEntries} entries`);
      await applyEntry(applied, entry.header, entry);
      entry.resume();
    }
  } finally {
    await applied.writes.settle();
  }
  applied.writes.check();
}

async function applyEntry(applied: Applied, header: Header, content: AsyncIterable<unknown>): Promise<void> {
  const { root, directories, written, writes } = applied;
  const parts = layerPathParts(header.name);
  const name = parts.at(-1);
  if (name === undefined) return;
  if (name.startsWith('.wh.')) {
    await writes.settle();
    await whiteOut(applied, parts.slice(0, -1), name);
    directories.forget();
    return;
  }
  const parents = parts.slice(0, -1);
  // What is being written must be there before anything is decided by looking at the disk.
  if (!directories.knows(parents)) await writes.settle();
  const directory = await directories.find(parents);
  const path = join(directory, name);
  if (written.has(path)) await writes.settle();
  const isNew = directories.isFresh(directory) && !directories.isFresh(path) && !written.has(path);
  written.add(path);
  const present = isNew ? undefined : await lstatIfPresent(path);
  if (present && !(header.type === 'directory' && present.isDirectory())) {
    await rm(path, { recursive: true });
    if (!present.isFile()) directories.forget();
  }
  const mode = (header.mode ?? 0o644) & 0o777;
  switch (header.type) {
    case 'directory':
      await directories.find([...partsBelow(root, directory), name]);
      // We must be able to write into it and to remove it later.
      await chmod(path, mode | 0o700);
      return;
    case 'symlink':
      await symlink(relativeTarget([...partsBelow(root, directory), name], header.linkname ?? ''), path);
      return;
    case 'link': {
      await writes.settle();
      const target = layerPathParts(header.linkname ?? '');
      const from = await directories.find(target.slice(0, -1));
      await link(join(from, target.at(-1) ?? ''), path);
      return;
    }
    case 'file':
    case 'contiguous-file':
    case null:
    case undefined:
      if (header.size <= smallFileBytes) await writes.add(path, await readBytes(content), mode | 0o400);
      else await pipeline(content, createWriteStream(path, { mode: mode | 0o400, highWaterMark: 1 << 20 }));
      return;
    default:
      // Device files, fifos and headers of foreign tools: a process without privileges has no use for them.
      return;
  }
}

async function readBytes(content: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function whiteOut(applied: Applied, parents: string[], name: string): Promise<void> {
  const directory = await realDirectory(applied.root, parents);
  if (name !== '.wh..wh..opq') {
    await hideLower(applied, join(directory, layerPathParts(name.slice('.wh.'.length)).at(-1) ?? name));
    return;
  }
  for (const child of await readdir(directory)) await hideLower(applied, join(directory, child));
}

/** Removes what earlier layers put at `path`; true when nothing is left there. */
async function hideLower(applied: Applied, path: string): Promise<boolean> {
  const found = await lstatIfPresent(path);
  if (!found) return true;
  if (!found.isDirectory()) {
    if (applied.written.has(path)) return false;
    await rm(path);
    return true;
  }
  let empty = true;
  for (const child of await readdir(path)) empty = (await hideLower(applied, join(path, child))) && empty;
  if (!empty || applied.written.has(path)) return false;
  await rm(path, { recursive: true });
  return true;
}

function partsBelow(root: string, path: string): string[] {
  return path.slice(root.length).split('/').filter(Boolean);
}
