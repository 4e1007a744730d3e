import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { assert } from '#base/assert.ts';
import { type Digest, parseDigest } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import { mediaTypes } from '#oci/manifest.ts';

/** A file system entry of a layer; `path` has no leading slash. Times, and owners unless given, are zero. */
export type LayerEntry = { path: string; mode: number; uid?: number; gid?: number } & (
  | { type: 'directory' }
  | { type: 'symlink'; target: string }
  | { type: 'file'; content: Buffer }
  | { type: 'file'; file: string; size: number }
);

export interface BuiltLayer {
  mediaType: string;
  digest: Digest;
  size: number;
  /** Digest of the uncompressed tar. */
  diffId: Digest;
  /** Where the compressed bytes are. */
  file: string;
}

/**
 * Writes a layer to `file`. The same entries give the same bytes, whenever and wherever: sorted, of one time and one owner.
 * Of several entries with one path the last counts.
 */
export async function writeLayer(
  entries: LayerEntry[],
  output: { file: string; compress: boolean },
  signal: AbortSignal,
): Promise<BuiltLayer> {
  const tarMeter = meter({ gzip: false });
  const gzipMeter = meter({ gzip: true });
  const tar = pack();
  const target = createWriteStream(output.file, { highWaterMark: 1 << 20 });
  const flow = output.compress
    ? pipeline(tar, tarMeter.stream, createGzip({ level: 6, chunkSize: 1 << 18 }), gzipMeter.stream, target, { signal })
    : pipeline(tar, tarMeter.stream, target, { signal });
  const [written, filled] = await Promise.allSettled([flow, fill(tar, entries, signal)]);
  for (const result of [filled, written]) if (result.status === 'rejected') throw result.reason;
  const tarred = tarMeter.result();
  const { digest, size } = output.compress ? gzipMeter.result() : tarred;
  const mediaType = output.compress ? mediaTypes.ociLayerGzip : mediaTypes.ociLayer;
  return { mediaType, digest, size, diffId: tarred.digest, file: output.file };
}

/** A stream that lets bytes through and knows their digest and number afterwards. */
function meter({ gzip }: { gzip: boolean }) {
  const hash = createHash('sha256');
  let size = 0;
  const stream = new Transform({
    highWaterMark: 1 << 20,
    transform(chunk: Buffer, _encoding, done) {
      // The tenth byte of a gzip stream names the operating system it was made on; 255 is "unknown".
      if (gzip && size === 0 && chunk.length > 9) chunk[9] = 255;
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  const result = () => {
    const digest = parseDigest(`sha256:${hash.digest('hex')}`);
    assert(digest, 'a sha256 digest');
    return { digest, size };
  };
  return { stream, result };
}

async function fill(tar: ReturnType<typeof pack>, entries: LayerEntry[], signal: AbortSignal): Promise<void> {
  try {
    const unique = new Map(entries.map((entry) => [entry.path, entry]));
    const sorted = [...unique.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
    for (const entry of sorted) await add(tar, entry, signal);
    tar.finalize();
  } catch (error) {
    tar.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

/** Small files are read in one go; big ones flow through. */
const smallFileBytes = 1024 * 1024;

async function add(tar: ReturnType<typeof pack>, entry: LayerEntry, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const header = { mode: entry.mode, uid: entry.uid ?? 0, gid: entry.gid ?? 0, mtime: new Date(0) };
  switch (entry.type) {
    case 'directory':
      tar.entry({ ...header, name: `${entry.path}/`, type: 'directory' });
      return;
    case 'symlink':
      tar.entry({ ...header, name: entry.path, type: 'symlink', linkname: entry.target, mode: 0o777 });
      return;
    case 'file': {
      if ('content' in entry) {
        tar.entry({ ...header, name: entry.path, type: 'file' }, entry.content);
        return;
      }
      try {
        if (entry.size <= smallFileBytes) {
          const content = await readFile(entry.file);
          assert(content.length === entry.size, 'the size is that of the file');
          tar.entry({ ...header, name: entry.path, type: 'file' }, content);
          return;
        }
        const sink = tar.entry({ ...header, name: entry.path, type: 'file', size: entry.size });
        await pipeline(createReadStream(entry.file, { highWaterMark: 1 << 18 }), sink);
      } catch (cause) {
        throw new AppError('bad-input', `${entry.file} changed or vanished while it was read for the image`, { cause });
      }
      return;
    }
  }
}
