import { AppError } from '#base/errors.ts';
import type { GitAccess } from '#git/port.ts';
import type { RepositoryAccess } from '#model/argocd/repository-access.ts';

export interface GitAccessDeps {
  tokens: {
    get(app: NonNullable<RepositoryAccess['githubApp']>, repository: string, signal: AbortSignal): Promise<string>;
  };
}

function isSsh(url: string): boolean {
  return /^ssh:\/\//i.test(url) || /^[^@/\s]+@[^:/\s]+:(?!\/\/)/.test(url);
}

function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** How git reaches a repository that is declared so. Throws AppError for what would have no effect. */
export async function gitAccess(
  deps: GitAccessDeps,
  access: RepositoryAccess,
  signal: AbortSignal,
): Promise<GitAccess | undefined> {
  const { url, insecure, proxy, noProxy, githubApp } = access;
  if (isSsh(url)) {
    if (proxy !== undefined)
      throw new AppError('unsupported', `${url} is declared with a proxy, which is not supported for ssh`, {
        hint: 'use https, or set GIT_SSH_COMMAND with a ProxyCommand',
      });
    const { sshPrivateKey, sshKnownHosts } = access;
    return given({ sshPrivateKey, sshKnownHosts, insecure: insecure || undefined });
  }
  const { username, password, bearerToken, forceHttpBasicAuth, caData, tlsClientCertData, tlsClientCertKey } = access;
  const common = given({
    insecure: insecure || undefined,
    ca: caData,
    clientCert: tlsClientCertData,
    clientKey: tlsClientCertKey,
    proxy,
    noProxy: proxy === undefined ? undefined : noProxy,
  });
  if (password !== undefined) return { ...common, username: username ?? 'x-access-token', password };
  if (bearerToken !== undefined)
    return forceHttpBasicAuth
      ? { ...common, username: username ?? 'x-access-token', password: bearerToken }
      : { ...common, bearerToken };
  if (username !== undefined) return { ...common, username, password: '' };
  if (githubApp)
    return { ...common, username: 'x-access-token', password: await deps.tokens.get(githubApp, url, signal) };
  // Nothing said leaves room for what stands in the address.
  return Object.keys(common).length > 0 ? common : undefined;
}
