import { Readable } from 'node:stream';
import type { Digest } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import type { ImageRef } from './port.ts';
import { registryUrl } from './reference.ts';
import type { RegistrySession } from './registry-session.ts';

export interface BlobUpload {
  ref: ImageRef;
  digest: Digest;
  size: number;
  open: () => NodeJS.ReadableStream;
  /** Repository of the same registry that may already have it. */
  mountFrom?: string;
}

/** Puts a blob where it is not yet: by a mount when another repository has it, else in one upload. Repeating it changes nothing. */
export async function pushBlob(session: RegistrySession, upload: BlobUpload, signal: AbortSignal): Promise<void> {
  await session.retry(() => tryPush(session, upload, signal), signal);
}

/** One whole attempt: an upload that broke off is left to the registry, and the next attempt starts its own. */
async function tryPush(session: RegistrySession, upload: BlobUpload, signal: AbortSignal): Promise<void> {
  const { ref, digest, size, mountFrom } = upload;
  const mountScope = mountFrom === undefined ? '' : ` repository:${mountFrom}:pull`;
  const common = {
    registry: ref.registry,
    base: registryUrl(ref.registry),
    scope: `repository:${ref.repository}:pull,push${mountScope}`,
    once: true,
  };
  const path = `/v2/${ref.repository}/blobs`;
  const present = await session.send({ ...common, method: 'HEAD', path: `${path}/${digest}`, accept: [404] }, signal);
  await present.body.dump();
  if (present.status === 200) return;
  const query =
    mountFrom === undefined ? '' : `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(mountFrom)}`;
  const started = await session.send({ ...common, method: 'POST', path: `${path}/uploads/${query}` }, signal);
  await started.body.dump();
  if (started.status === 201) return;
  const location = started.headers['location'];
  if (typeof location !== 'string')
    throw new AppError('unavailable', `registry ${ref.registry} started an upload without saying where`);
  const url = new URL(location, common.base);
  url.searchParams.set('digest', digest);
  const headers = { 'content-type': 'application/octet-stream', 'content-length': String(size) };
  const body = () => Readable.from(upload.open(), { objectMode: false });
  const finished = await session.send({ ...common, method: 'PUT', path: url.href, headers, body }, signal);
  await finished.body.dump();
}
