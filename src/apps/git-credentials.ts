import type { GitCredentials } from '#git/port.ts';
import type { RepositoryAccess } from '#model/argocd/repository-access.ts';

/** The user and password by which git signs in over HTTP; undefined without one. */
export function gitCredentials(access: RepositoryAccess): GitCredentials | undefined {
  const password = access.password ?? access.bearerToken;
  return password === undefined ? undefined : { username: access.username ?? 'x-access-token', password };
}
