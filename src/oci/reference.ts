import { parseDigest } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import type { ImageRef } from './port.ts';

export const dockerHub = 'docker.io';

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);

/**
 * Reads an image reference as docker does: without a registry it is Docker Hub's (and `library/` when it has no slash),
 * without tag and digest the tag is `latest`. Throws `bad-input` naming the part that is wrong.
 */
export function parseReference(text: string): ImageRef {
  const bad = (why: string) => new AppError('bad-input', `"${text}" is not an image reference: ${why}`);
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : parseDigest(text.slice(at + 1));
  if (at >= 0 && !digest) throw bad('after @ there must be sha256: and 64 hex digits');
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  const name = hasTag ? named.slice(0, colon) : named;
  if (tag !== undefined && !/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(tag)) throw bad(`"${tag}" is not a tag`);
  const { registry, repository } = splitName(name);
  if (!repositoryPattern.test(repository) || repository.length > 255)
    throw bad(`"${repository}" is not a repository name (lower-case letters, digits, and . _ - / between them)`);
  return { registry, repository, tag: tag ?? (digest ? undefined : 'latest'), digest };
}

function splitName(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isHost = first === 'localhost' || /[.:]/.test(first) || first !== first.toLowerCase();
  if (!isHost) return { registry: dockerHub, repository: slash < 0 ? `library/${name}` : name };
  const registry = first === 'index.docker.io' ? dockerHub : first;
  const rest = name.slice(slash + 1);
  return { registry, repository: registry === dockerHub && !rest.includes('/') ? `library/${rest}` : rest };
}

export function formatReference(ref: ImageRef): string {
  const tag = ref.tag === undefined ? '' : `:${ref.tag}`;
  const digest = ref.digest === undefined ? '' : `@${ref.digest}`;
  return `${ref.registry}/${ref.repository}${tag}${digest}`;
}

/** What the manifest is asked for by: the digest wins over the tag. */
export function referencePart(ref: ImageRef): string {
  return ref.digest ?? ref.tag ?? 'latest';
}

/** Where the registry answers. Loopback registries speak plain http, as docker takes it; all others https. */
export function registryUrl(registry: string): string {
  if (registry === dockerHub) return 'https://registry-1.docker.io';
  const host = registry.replace(/:\d+$/, '');
  const loopback = host === 'localhost' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
  return `${loopback ? 'http' : 'https'}://${registry}`;
}
