import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { BlobStore } from './blob-store.ts';
import { parseByteRange } from './byte-range.ts';
import { answer, type Exchange, methodNotAllowed } from './exchange.ts';
import { type ContentDigest, digestText } from './names.ts';
import { RegistryError } from './registry-error.ts';
import type { RepositoryStore } from './repository-store.ts';

export interface BlobTarget {
  repository: string;
  digest: ContentDigest;
}

/** GET (with one byte range), HEAD and DELETE of a blob. */
export async function serveBlob(
  stores: { blobs: BlobStore; repositories: RepositoryStore },
  exchange: Exchange,
  target: BlobTarget,
): Promise<void> {
  const { repository, digest } = target;
  const unknown = new RegistryError('BLOB_UNKNOWN', 'blob unknown to registry', {
    detail: { digest: digestText(digest) },
  });
  if (exchange.method === 'DELETE') {
    if (!(await stores.repositories.unlinkBlob(repository, digest))) throw unknown;
    answer(exchange, { status: 202 });
    return;
  }
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw methodNotAllowed('GET, HEAD, DELETE');
  const size = await stores.repositories.blobSize(repository, digest);
  if (size === undefined) throw unknown;
  await sendBlob(exchange, { path: stores.blobs.path(digest), size, digest });
}

async function sendBlob(
  exchange: Exchange,
  blob: { path: string; size: number; digest: ContentDigest },
): Promise<void> {
  const { request, response, method } = exchange;
  const etag = `"${digestText(blob.digest)}"`;
  const headers = {
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digestText(blob.digest),
    'Accept-Ranges': 'bytes',
    ETag: etag,
    'Cache-Control': 'max-age=31536000',
  };
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, headers).end();
    return;
  }
  const range = method === 'GET' ? parseByteRange(request.headers.range, blob.size) : undefined;
  if (range === 'unsatisfiable') {
    answer(exchange, { status: 416, headers: { 'Content-Range': `bytes */${blob.size}` } });
    return;
  }
  const first = range?.first ?? 0;
  const last = range?.last ?? blob.size - 1;
  response.writeHead(range ? 206 : 200, {
    ...headers,
    'Content-Length': last - first + 1,
    ...(range ? { 'Content-Range': `bytes ${first}-${last}/${blob.size}` } : {}),
  });
  if (method === 'HEAD' || blob.size === 0) {
    response.end();
    return;
  }
  await pipeline(createReadStream(blob.path, { start: first, end: last, highWaterMark: 1 << 20 }), response);
}
