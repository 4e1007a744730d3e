import type { BlobStore } from './blob-store.ts';
import { parseChunkRange } from './byte-range.ts';
import { answer, type Exchange, methodNotAllowed } from './exchange.ts';
import { type ContentDigest, digestText, isRepositoryName, parseContentDigest } from './names.ts';
import { RegistryError } from './registry-error.ts';
import type { RepositoryStore } from './repository-store.ts';
import { contentDigest } from './route.ts';
import type { UploadStore } from './upload-store.ts';

export interface UploadStores {
  blobs: BlobStore;
  repositories: RepositoryStore;
  uploads: UploadStore;
}

/** POST: starts an upload, takes a blob in one request (`?digest=`), or mounts one from another repository. */
export async function startUpload(
  stores: UploadStores,
  exchange: Exchange,
  target: { repository: string; mayPull: (repository: string) => Promise<boolean> },
): Promise<void> {
  if (exchange.method !== 'POST') throw methodNotAllowed('POST');
  const { repository } = target;
  const mounted = await mount(stores, exchange, target);
  if (mounted) {
    answerCreated(exchange, repository, mounted);
    return;
  }
  const digest = exchange.query.get('digest');
  const checked = digest === null ? undefined : contentDigest(digest);
  const id = await stores.uploads.start(repository);
  if (!checked) {
    answerProgress(exchange, 202, { repository, id, size: 0 });
    return;
  }
  await stores.uploads.append(repository, id, exchange.request);
  await finish(stores, exchange, { repository, id, digest: checked });
}

/** GET, PATCH, PUT and DELETE of an upload under way. */
export async function serveUpload(
  stores: UploadStores,
  exchange: Exchange,
  target: { repository: string; id: string },
): Promise<void> {
  const { repository, id } = target;
  const { uploads } = stores;
  const size = await uploads.size(repository, id);
  switch (exchange.method) {
    case 'GET':
      answerProgress(exchange, 204, { repository, id, size });
      return;
    case 'DELETE':
      await uploads.cancel(repository, id);
      answer(exchange, { status: 204 });
      return;
    case 'PATCH':
      checkOrder(exchange, target, size);
      answerProgress(exchange, 202, { repository, id, size: await uploads.append(repository, id, exchange.request) });
      return;
    case 'PUT': {
      const digest = contentDigest(exchange.query.get('digest') ?? '');
      checkOrder(exchange, target, size);
      await uploads.append(repository, id, exchange.request);
      await finish(stores, exchange, { repository, id, digest });
      return;
    }
    default:
      throw methodNotAllowed('GET, PATCH, PUT, DELETE');
  }
}

/** A mount that cannot be done becomes an ordinary upload, as the specification wants. */
async function mount(
  stores: UploadStores,
  exchange: Exchange,
  target: { repository: string; mayPull: (repository: string) => Promise<boolean> },
): Promise<ContentDigest | undefined> {
  const digest = parseContentDigest(exchange.query.get('mount') ?? '');
  if (!digest) return undefined;
  const from = exchange.query.get('from') ?? (await anySource(stores, digest, target.mayPull));
  if (from === undefined || !isRepositoryName(from)) return undefined;
  // Asked before the blob is looked for: whoever may not pull must not learn what is there.
  if (!(await target.mayPull(from))) return undefined;
  if ((await stores.repositories.blobSize(from, digest)) === undefined) return undefined;
  await stores.repositories.linkBlob(target.repository, digest);
  return digest;
}

/** A repository that has the blob and that the client may pull from, for a mount that names none. */
async function anySource(
  stores: UploadStores,
  digest: ContentDigest,
  mayPull: (repository: string) => Promise<boolean>,
): Promise<string | undefined> {
  if ((await stores.blobs.size(digest)) === undefined) return undefined;
  for (const name of await stores.repositories.allNames()) {
    if ((await stores.repositories.blobSize(name, digest)) === undefined) continue;
    try {
      if (await mayPull(name)) return name;
    } catch (error) {
      // A client that named no repository is not asked to log in for one.
      if (!(error instanceof RegistryError)) throw error;
    }
  }
  return undefined;
}

async function finish(
  stores: UploadStores,
  exchange: Exchange,
  upload: { repository: string; id: string; digest: ContentDigest },
): Promise<void> {
  const { repository, id, digest } = upload;
  const adopt = async (file: string) => {
    await stores.blobs.adopt(digest, file);
    await stores.repositories.linkBlob(repository, digest);
  };
  await stores.uploads.finish(repository, id, { digest, adopt });
  answerCreated(exchange, repository, digest);
}

/** Chunks must follow each other without a gap; the refusal tells how far the upload is. */
function checkOrder(exchange: Exchange, target: { repository: string; id: string }, size: number): void {
  const header = exchange.request.headers['content-range'];
  if (header === undefined) return;
  const range = parseChunkRange(header);
  if (!range) throw new RegistryError('BLOB_UPLOAD_INVALID', `Content-Range "${header}" is not first-last`);
  const length = exchange.request.headers['content-length'];
  if (length !== undefined && Number(length) !== range.last - range.first + 1)
    throw new RegistryError('SIZE_INVALID', 'Content-Length does not fit Content-Range');
  if (range.first !== size)
    throw new RegistryError('BLOB_UPLOAD_INVALID', `the next chunk must start at byte ${size}`, {
      status: 416,
      headers: progressHeaders({ ...target, size }),
    });
}

function progressHeaders(upload: { repository: string; id: string; size: number }): Record<string, string> {
  return {
    Location: `/v2/${upload.repository}/blobs/uploads/${upload.id}`,
    Range: `0-${Math.max(0, upload.size - 1)}`,
    'Docker-Upload-UUID': upload.id,
    'OCI-Chunk-Min-Length': '0',
  };
}

function answerProgress(
  exchange: Exchange,
  status: number,
  upload: { repository: string; id: string; size: number },
): void {
  answer(exchange, { status, headers: progressHeaders(upload) });
}

function answerCreated(exchange: Exchange, repository: string, digest: ContentDigest): void {
  const text = digestText(digest);
  answer(exchange, {
    status: 201,
    headers: { Location: `/v2/${repository}/blobs/${text}`, 'Docker-Content-Digest': text },
  });
}
