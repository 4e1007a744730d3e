import { isAppError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { KubeObject } from '#kube/port.ts';
import type { RepositoryAccess, RepositoryAccessSource } from '#model/argocd/repository-access.ts';
import { configMapData, type Instance, secretData, secretsOfType } from './instance.ts';
import { hasCredentials, parseRepositorySecret } from './repository-secret.ts';

export interface RepositoryAccessDeps {
  instance: Instance;
  logger: Logger;
}

/**
 * An address as credentials are bound to it: scheme, host and port count, so that none goes where it was not meant for;
 * user, letter case, a slash or `.git` at the end do not. A registry may be written with and without `oci://`.
 */
export function accessKey(url: string): string {
  const text = url.trim().toLowerCase();
  const scp = /^(?:[^@/\s]+@)?([^/:\s]+):(?!\/\/|\d+(?:\/|$))(.+)$/.exec(text);
  const full = scp ? `ssh://${scp[1]}/${scp[2]}` : text.includes('://') ? text : `oci://${text}`;
  const match = /^([a-z][a-z0-9+.-]*):\/\/(?:[^@/]*@)?([^/]*)(.*)$/.exec(full);
  const [, scheme = '', host = '', path = ''] = match ?? [];
  return `${scheme}://${host}${path
    .replace(/\/+/g, '/')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '')}`;
}

function isBelow(address: string, prefix: string): boolean {
  return address === prefix || address.startsWith(`${prefix}/`);
}

/** What a template gives to a repository that has no credentials of its own. */
function withCredentials(access: RepositoryAccess, template: RepositoryAccess): RepositoryAccess {
  const {
    url: _url,
    secret: _secret,
    template: _template,
    project: _project,
    name: _name,
    type,
    ...credentials
  } = template;
  return { ...credentials, ...access, ...(access.secret === undefined ? { type } : {}) };
}

/**
 * The access to a URL: the repository declared for the project, else the one declared for all; when that has no credentials
 * those of the template with the longest path that it lies below.
 */
export function chooseAccess(
  declared: readonly RepositoryAccess[],
  url: string,
  project: string | undefined,
): RepositoryAccess {
  const address = accessKey(url);
  const own = declared.filter((access) => !access.template && accessKey(access.url) === address);
  const found =
    own.find((access) => project !== undefined && access.project === project) ??
    own.find((access) => access.project === undefined);
  const access: RepositoryAccess = found ? { ...found, url } : { url, type: 'git' };
  if (found && hasCredentials(found)) return access;
  const [template] = declared
    .filter((candidate) => candidate.template && isBelow(address, accessKey(candidate.url)))
    .sort((a, b) => accessKey(b.url).length - accessKey(a.url).length);
  return template ? withCredentials(access, template) : access;
}

function hostOf(url: string): string {
  return /^[a-z0-9+.-]+:\/\/(\[[^\]]*\]|[^/:]*)/.exec(accessKey(url))?.[1] ?? '';
}

/** Access to repositories as the instance's Secrets and ConfigMaps declare it now. */
export function repositoryAccess(deps: RepositoryAccessDeps): RepositoryAccessSource & {
  scmCredentials(): RepositoryAccess[];
} {
  const { instance, logger } = deps;
  let kept:
    | { of: KubeObject[]; declared: RepositoryAccess[]; broken: { address: string; error: unknown }[] }
    | undefined;

  function read() {
    const secrets = secretsOfType(instance, 'repository', 'repo-creds');
    if (kept && kept.of.length === secrets.length && kept.of.every((secret, at) => secret === secrets[at])) return kept;
    const declared: RepositoryAccess[] = [];
    const broken: { address: string; error: unknown }[] = [];
    for (const secret of secrets) {
      try {
        const access = parseRepositorySecret(secret);
        if (access.url !== '') declared.push(access);
        if (access.enableLfs) logger.info({ secret: secret.metadata.name }, 'enableLfs: files in LFS stay pointers');
      } catch (error) {
        broken.push({ address: accessKey(secretData(secret)['url'] ?? ''), error });
        logger.warn({ secret: secret.metadata.name }, messageOf(error));
      }
    }
    kept = { of: secrets, declared, broken };
    return kept;
  }

  return {
    async find(url, project, signal) {
      await instance.secrets.whenSynced(signal);
      await instance.configMaps.whenSynced(signal);
      const { declared, broken } = read();
      const wrong = broken.find(({ address }) => isBelow(accessKey(url), address));
      const access = chooseAccess(declared, url, project);
      if (wrong && isAppError(wrong.error) && !hasCredentials(access)) throw wrong.error;
      const caData = configMapData(instance, 'argocd-tls-certs-cm')[hostOf(url)];
      const sshKnownHosts = configMapData(instance, 'argocd-ssh-known-hosts-cm')['ssh_known_hosts'];
      return {
        ...access,
        ...(caData ? { caData } : {}),
        ...(sshKnownHosts ? { sshKnownHosts } : {}),
      };
    },
    async list(signal) {
      await instance.secrets.whenSynced(signal);
      return read().declared;
    },
    scmCredentials() {
      return secretsOfType(instance, 'scm-creds').flatMap((secret) => {
        const access = parseRepositorySecret(secret);
        return access.url === '' ? [] : [access];
      });
    },
  };
}
