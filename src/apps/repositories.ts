import type { Clock } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import { registerSecret } from '#base/redact.ts';
import type { GitCredentials } from '#git/port.ts';
import type { KubeClient, KubeObject } from '#kube/port.ts';
import { labels } from '#model/argocd/names.ts';
import { repositoryKey } from './repository-key.ts';

export interface RepositoryCredentialsDeps {
  kube: Pick<KubeClient, 'discovery' | 'list'>;
  /** Where the labelled Secrets are. */
  namespace: string;
  clock: Clock;
}

interface Entry {
  type: string;
  url: string;
  credentials: GitCredentials | undefined;
}

const keptMs = 10_000;

function decode(secret: KubeObject): Record<string, string> {
  const out: Record<string, string> = {};
  const data = secret['data'];
  if (isObject(data))
    for (const [key, value] of Object.entries(data)) out[key] = Buffer.from(String(value), 'base64').toString('utf8');
  return out;
}

function entryOf(secret: KubeObject): Entry | undefined {
  const type = secret.metadata.labels?.[labels.secretType];
  const { url, username, password, bearerToken } = decode(secret);
  if (!url || (type !== 'repository' && type !== 'repo-creds')) return undefined;
  const secretValue = password ?? bearerToken;
  if (secretValue === undefined) return { type, url, credentials: undefined };
  registerSecret(secretValue);
  return { type, url, credentials: { username: username ?? 'x-access-token', password: secretValue } };
}

/** An address as credentials are bound to it: scheme, host and port count, so that none goes where it was not meant for. */
function addressOf(url: string): string {
  if (!URL.canParse(url)) return repositoryKey(url);
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname.replace(/\/+$/, '').replace(/\.git$/i, '')}`.toLowerCase();
}

function isBelow(address: string, prefix: string): boolean {
  return address === prefix || address.startsWith(`${prefix}/`);
}

/** The credentials for a repository: its own Secret's, else those of the `repo-creds` with the longest path it lies below. */
export function chooseCredentials(entries: readonly Entry[], url: string): GitCredentials | undefined {
  const address = addressOf(url);
  const own = entries.find((entry) => entry.type === 'repository' && addressOf(entry.url) === address);
  if (own?.credentials) return own.credentials;
  return entries
    .filter((entry) => entry.type === 'repo-creds' && isBelow(address, addressOf(entry.url)))
    .sort((a, b) => b.url.length - a.url.length)[0]?.credentials;
}

/**
 * Credentials for Git from the Secrets labelled `argocd.argoproj.io/secret-type: repository` or `repo-creds`, read again
 * when older than ten seconds.
 */
export function repositoryCredentials(
  deps: RepositoryCredentialsDeps,
): (url: string, signal: AbortSignal) => Promise<GitCredentials | undefined> {
  let kept: { at: number; entries: Entry[] } | undefined;
  return async (url, signal) => {
    if (!kept || deps.clock.now() - kept.at > keptMs) {
      const resource = await deps.kube.discovery.find({ group: '', version: 'v1', kind: 'Secret' }, signal);
      if (!resource) throw new AppError('not-found', 'the cluster does not serve Secrets');
      const labelSelector = `${labels.secretType} in (repository,repo-creds)`;
      const { items } = await deps.kube.list(resource, { namespace: deps.namespace, labelSelector }, signal);
      kept = { at: deps.clock.now(), entries: items.flatMap((secret) => entryOf(secret) ?? []) };
    }
    return chooseCredentials(kept.entries, url);
  };
}
