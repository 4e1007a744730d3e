import { type ContentDigest, isRepositoryName, isTagName, parseContentDigest } from './names.ts';
import { RegistryError } from './registry-error.ts';

export type ManifestReference = { kind: 'tag'; tag: string } | { kind: 'digest'; digest: ContentDigest };

/** What a path of the distribution API names. */
export type Route =
  | { kind: 'base' }
  | { kind: 'catalog' }
  | { kind: 'blob'; repository: string; digest: ContentDigest }
  | { kind: 'uploads'; repository: string }
  | { kind: 'upload'; repository: string; id: string }
  | { kind: 'manifest'; repository: string; reference: ManifestReference }
  | { kind: 'tags'; repository: string }
  | { kind: 'referrers'; repository: string; digest: ContentDigest };

/** Undefined for a path outside the API; throws NAME_INVALID or DIGEST_INVALID for a bad part of one inside it. */
export function parseRoute(path: string): Route | undefined {
  if (path === '/v2/' || path === '/v2') return { kind: 'base' };
  if (path === '/v2/_catalog') return { kind: 'catalog' };
  const match = /^\/v2\/(.+?)\/(?:(blobs)\/(uploads)\/([^/]*)|(blobs|manifests|referrers)\/([^/]+)|(tags)\/list)$/.exec(
    path,
  );
  if (!match) {
    const uploads = /^\/v2\/(.+)\/blobs\/uploads$/.exec(path);
    return uploads ? { kind: 'uploads', repository: repositoryName(uploads[1] ?? '') } : undefined;
  }
  const [, name = '', , uploads, id = '', kind, reference = '', tags] = match;
  const repository = repositoryName(name);
  if (tags !== undefined) return { kind: 'tags', repository };
  if (uploads !== undefined) return id === '' ? { kind: 'uploads', repository } : { kind: 'upload', repository, id };
  if (kind === 'blobs' && reference === 'uploads') return { kind: 'uploads', repository };
  if (kind === 'blobs') return { kind: 'blob', repository, digest: contentDigest(reference) };
  if (kind === 'referrers') return { kind: 'referrers', repository, digest: contentDigest(reference) };
  return { kind: 'manifest', repository, reference: manifestReference(reference) };
}

function repositoryName(text: string): string {
  if (isRepositoryName(text)) return text;
  throw new RegistryError('NAME_INVALID', 'invalid repository name', { detail: { name: text.slice(0, 300) } });
}

export function contentDigest(text: string): ContentDigest {
  const digest = parseContentDigest(text);
  if (digest) return digest;
  throw new RegistryError('DIGEST_INVALID', 'the digest must be sha256 or sha512 followed by lower-case hex digits');
}

function manifestReference(text: string): ManifestReference {
  if (text.includes(':')) return { kind: 'digest', digest: contentDigest(text) };
  if (isTagName(text)) return { kind: 'tag', tag: text };
  throw new RegistryError('MANIFEST_INVALID', 'a tag has up to 128 letters, digits, dots, dashes and underscores');
}
