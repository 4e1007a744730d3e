import { type ContentDigest, matchesWildcard, sameDigest } from './names.ts';
import { RegistryError } from './registry-error.ts';

export interface TagPolicy {
  /** A tag that exists keeps its digest. */
  immutable: boolean;
  /** Wildcard patterns on `repository:tag` whose tags may move all the same. */
  exempt: string[];
  /** Tags that nobody may push, `latest` above all. */
  forbidden: string[];
}

/** Throws TAG_INVALID, in ECR's words, when `policy` keeps `to` from becoming what the tag means. */
export function checkTagPolicy(
  policy: TagPolicy,
  target: { repository: string; tag: string; present: ContentDigest | undefined; to: ContentDigest },
): void {
  const { repository, tag, present, to } = target;
  if (policy.forbidden.includes(tag) && !isExempt(policy, repository, tag))
    throw new RegistryError('TAG_INVALID', `The image tag '${tag}' may not be used in this registry.`);
  if (!present || sameDigest(present, to) || isMovable(policy, repository, tag)) return;
  throw new RegistryError(
    'TAG_INVALID',
    `The image tag '${tag}' already exists in the '${repository}' repository and cannot be overwritten because the tag is immutable.`,
  );
}

export function isMovable(policy: TagPolicy, repository: string, tag: string): boolean {
  return !policy.immutable || isExempt(policy, repository, tag);
}

function isExempt(policy: TagPolicy, repository: string, tag: string): boolean {
  return policy.exempt.some((pattern) => matchesWildcard(pattern, `${repository}:${tag}`));
}
