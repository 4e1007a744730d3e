import { answer, answerJson, type Exchange, methodNotAllowed, readBody } from './exchange.ts';
import { mediaTypes, parseManifest } from './manifest-document.ts';
import { type ContentDigest, digestText, hashContent, isTagName, sameDigest } from './names.ts';
import { RegistryError } from './registry-error.ts';
import type { RepositoryStore } from './repository-store.ts';
import { contentDigest, type ManifestReference } from './route.ts';
import { checkTagPolicy, isMovable, type TagPolicy } from './tag-policy.ts';

export interface ManifestOptions {
  repositories: RepositoryStore;
  tags: TagPolicy;
  maxManifestBytes: number;
}

export interface ManifestTarget {
  repository: string;
  reference: ManifestReference;
}

export async function serveManifest(
  options: ManifestOptions,
  exchange: Exchange,
  target: ManifestTarget,
): Promise<void> {
  switch (exchange.method) {
    case 'GET':
    case 'HEAD':
      await sendManifest(options, exchange, target);
      return;
    case 'PUT':
      await takeManifest(options, exchange, target);
      return;
    case 'DELETE':
      await deleteManifest(options, exchange, target);
      return;
    default:
      throw methodNotAllowed('GET, HEAD, PUT, DELETE');
  }
}

async function sendManifest(options: ManifestOptions, exchange: Exchange, target: ManifestTarget): Promise<void> {
  const stored = await findManifest(options.repositories, target);
  if (!stored) throw manifestUnknown(target);
  const digest = digestText(stored.digest);
  const headers = { 'Content-Type': stored.mediaType, 'Docker-Content-Digest': digest, ETag: `"${digest}"` };
  if (exchange.request.headers['if-none-match'] === headers.ETag) {
    exchange.response.writeHead(304, headers).end();
    return;
  }
  answer(exchange, { status: 200, headers, body: stored.bytes });
}

async function findManifest(store: RepositoryStore, { repository, reference }: ManifestTarget) {
  const digest = reference.kind === 'digest' ? reference.digest : await store.tag(repository, reference.tag);
  return digest ? await store.manifest(repository, digest) : undefined;
}

async function takeManifest(options: ManifestOptions, exchange: Exchange, target: ManifestTarget): Promise<void> {
  const { repository, reference } = target;
  const { repositories } = options;
  const bytes = await readBody(exchange.request, options.maxManifestBytes);
  const contentType = (exchange.request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
  const document = parseManifest(bytes, contentType);
  const digest = manifestDigest(exchange, reference, bytes);
  for (const blob of document.blobs)
    if ((await repositories.blobSize(repository, blob)) === undefined) throw missingPart('blob', blob);
  for (const child of document.manifests)
    if (!(await repositories.hasManifest(repository, child))) throw missingPart('manifest', child);
  // Every tag is asked first so that a refused one leaves no manifest behind, and once more when it is written.
  const guardOf = (tag: string) => (present: ContentDigest | undefined) =>
    checkTagPolicy(options.tags, { repository, tag, present, to: digest });
  const tags = tagsToWrite(exchange, reference);
  for (const tag of tags) guardOf(tag)(await repositories.tag(repository, tag));
  await repositories.putManifest(repository, { digest, mediaType: contentType, bytes, document });
  for (const tag of tags) await repositories.setTag(repository, tag, { to: digest, guard: guardOf(tag) });
  answer(exchange, {
    status: 201,
    headers: {
      Location: `/v2/${repository}/manifests/${digestText(digest)}`,
      'Docker-Content-Digest': digestText(digest),
      ...(document.subject ? { 'OCI-Subject': digestText(document.subject) } : {}),
      ...(reference.kind === 'digest' && tags.length > 0 ? { 'OCI-Tag': tags.join(', ') } : {}),
    },
  });
}

const maxTags = 50;

/** The tag of the path, or with a digest there, the `tag` parameters. */
function tagsToWrite(exchange: Exchange, reference: ManifestReference): string[] {
  if (reference.kind === 'tag') return [reference.tag];
  const tags = [...new Set(exchange.query.getAll('tag'))];
  if (tags.length > maxTags)
    throw new RegistryError('TAG_INVALID', `a push may set ${maxTags} tags at most`, { status: 414 });
  for (const tag of tags) if (!isTagName(tag)) throw new RegistryError('TAG_INVALID', `"${tag}" is not a tag`);
  return tags;
}

function manifestDigest(exchange: Exchange, reference: ManifestReference, bytes: Buffer): ContentDigest {
  const query = exchange.query.get('digest');
  const claimed = reference.kind === 'digest' ? reference.digest : query === null ? undefined : contentDigest(query);
  const digest = hashContent(claimed?.algorithm ?? 'sha256', bytes);
  if (claimed && !sameDigest(claimed, digest))
    throw new RegistryError('DIGEST_INVALID', 'the manifest does not have this digest', {
      detail: { received: digestText(digest) },
    });
  return digest;
}

function missingPart(what: 'blob' | 'manifest', digest: ContentDigest): RegistryError {
  return new RegistryError('MANIFEST_BLOB_UNKNOWN', `${what} unknown to registry: push it before the manifest`, {
    detail: { digest: digestText(digest) },
  });
}

async function deleteManifest(options: ManifestOptions, exchange: Exchange, target: ManifestTarget): Promise<void> {
  const { repository, reference } = target;
  const { repositories } = options;
  const tags = reference.kind === 'tag' ? [reference.tag] : await repositories.tagsOf(repository, reference.digest);
  const fixed = tags.find((tag) => !isMovable(options.tags, repository, tag));
  const present = await findManifest(repositories, target);
  if (present && fixed !== undefined)
    throw new RegistryError('DENIED', `the tag '${fixed}' of '${repository}' is immutable, so it cannot be deleted`);
  const deleted =
    reference.kind === 'tag'
      ? await repositories.deleteTag(repository, reference.tag)
      : await repositories.deleteManifest(repository, reference.digest);
  if (!deleted) throw manifestUnknown(target);
  answer(exchange, { status: 202 });
}

function manifestUnknown({ reference }: ManifestTarget): RegistryError {
  const detail = reference.kind === 'tag' ? { tag: reference.tag } : { digest: digestText(reference.digest) };
  return new RegistryError('MANIFEST_UNKNOWN', 'manifest unknown', { detail });
}

/** The tags in order, from `last` on, `n` at a time with a Link to the next page. */
export async function listTags(store: RepositoryStore, exchange: Exchange, repository: string): Promise<void> {
  if (exchange.method !== 'GET') throw methodNotAllowed('GET');
  if (!(await store.exists(repository)))
    throw new RegistryError('NAME_UNKNOWN', 'repository name not known to registry', { detail: { name: repository } });
  const { page, link } = pageOf(await store.tags(repository), exchange);
  answerJson(exchange, 200, { name: repository, tags: page }, link);
}

export async function listRepositories(names: string[], exchange: Exchange): Promise<void> {
  if (exchange.method !== 'GET') throw methodNotAllowed('GET');
  const { page, link } = pageOf(names, exchange);
  answerJson(exchange, 200, { repositories: page }, link);
}

const maxPage = 1000;

function pageOf(all: string[], exchange: Exchange): { page: string[]; link: Record<string, string> } {
  const text = exchange.query.get('n');
  if (text !== null && !/^\d{1,9}$/.test(text))
    throw new RegistryError('UNSUPPORTED', 'n must be a number', { status: 400 });
  const count = text === null ? maxPage : Math.min(Number(text), maxPage);
  const last = exchange.query.get('last');
  const rest = last === null ? all : all.filter((name) => name > last);
  const page = rest.slice(0, count);
  const end = page.at(-1);
  if (end === undefined || rest.length <= count) return { page, link: {} };
  return { page, link: { Link: `<${exchange.path}?n=${count}&last=${encodeURIComponent(end)}>; rel="next"` } };
}

export async function listReferrers(
  store: RepositoryStore,
  exchange: Exchange,
  target: { repository: string; digest: ContentDigest },
): Promise<void> {
  if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw methodNotAllowed('GET');
  const wanted = exchange.query.get('artifactType');
  const all = await store.referrers(target.repository, target.digest);
  const manifests = wanted === null ? all : all.filter((entry) => entry['artifactType'] === wanted);
  const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
  const headers = {
    'Content-Type': mediaTypes.ociIndex,
    ...(wanted === null ? {} : { 'OCI-Filters-Applied': 'artifactType' }),
  };
  answer(exchange, { status: 200, headers, body });
}
