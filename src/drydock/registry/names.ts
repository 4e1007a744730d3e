import { createHash, type Hash } from 'node:crypto';

/** Digest algorithms that OCI distribution names as registered. */
export type DigestAlgorithm = 'sha256' | 'sha512';

/** A content digest in its two parts; only `parseContentDigest` and `hashContent` make one. */
export interface ContentDigest {
  algorithm: DigestAlgorithm;
  hex: string;
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const hexLength = { sha256: 64, sha512: 128 } as const satisfies Record<DigestAlgorithm, number>;

/** OCI distribution's repository grammar; 255 characters at most. */
export function isRepositoryName(text: string): boolean {
  return text.length <= 255 && repositoryPattern.test(text);
}

export function isTagName(text: string): boolean {
  return tagPattern.test(text);
}

/** Undefined when `text` is not a sha256 or sha512 digest. */
export function parseContentDigest(text: string): ContentDigest | undefined {
  const match = /^(sha256|sha512):([0-9a-f]+)$/.exec(text);
  const algorithm = match?.[1];
  const hex = match?.[2];
  if (hex === undefined || (algorithm !== 'sha256' && algorithm !== 'sha512')) return undefined;
  return hex.length === hexLength[algorithm] ? { algorithm, hex } : undefined;
}

export function digestText(digest: ContentDigest): string {
  return `${digest.algorithm}:${digest.hex}`;
}

export function hashContent(algorithm: DigestAlgorithm, content: Uint8Array): ContentDigest {
  return { algorithm, hex: createHash(algorithm).update(content).digest('hex') };
}

export function newHash(algorithm: DigestAlgorithm): Hash {
  return createHash(algorithm);
}

export function sameDigest(a: ContentDigest, b: ContentDigest): boolean {
  return a.algorithm === b.algorithm && a.hex === b.hex;
}

/** Matches `*` against any run of characters, `?` against one, everything else literally (IAM's StringLike). */
export function matchesWildcard(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let retry = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p;
      retry = t;
      p += 1;
    } else if (pattern[p] === '?' || pattern[p] === text[t]) {
      p += 1;
      t += 1;
    } else if (star >= 0) {
      p = star + 1;
      retry += 1;
      t = retry;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
