import { AppError } from '#base/errors.ts';
import { registerSecret } from '#base/redact.ts';
import type { RepositoryAccess, RepositoryAccessSource } from '#model/argocd/repository-access.ts';

/** A Helm repository by HTTP, or a place in a registry. */
export interface ChartRepository {
  kind: 'http' | 'oci';
  /** Of `http`: without a slash at the end. Of `oci`: host and path, without a scheme. */
  address: string;
  access: RepositoryAccess;
  /** Stands for address and access in the names of what is kept. */
  key: string;
}

function isDeclared(access: RepositoryAccess): boolean {
  return Object.entries(access).some(([field, value]) => !['url', 'type'].includes(field) && value !== undefined);
}

/** User and password that are written into an address; the Secret's own win. */
function withUserInfo(access: RepositoryAccess, url: string): RepositoryAccess {
  if (!URL.canParse(url)) return access;
  const { username, password } = new URL(url);
  if (username === '' || access.username || access.bearerToken) return access;
  registerSecret(decodeURIComponent(password));
  return { ...access, username: decodeURIComponent(username), password: decodeURIComponent(password) };
}

function httpAddress(repoURL: string): string {
  if (!URL.canParse(repoURL))
    throw new AppError('bad-input', `${JSON.stringify(repoURL)} is not the address of a chart repository`, {
      hint: 'use https://host/path, or host/path for a registry',
    });
  const url = new URL(repoURL);
  url.username = '';
  url.password = '';
  url.hash = '';
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url.href.replace(/\/$/, '');
}

/** A file of a repository by its address, which may be relative; the repository's query goes along, as helm does it. */
export function addressIn(repository: ChartRepository, file: string): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(file)) return file;
  const base = new URL(repository.address);
  const { search } = base;
  base.pathname = `${base.pathname.replace(/\/+$/, '')}/`;
  const url = new URL(file, base);
  url.search = search;
  return url.href;
}

/** Finds what a repository's address means and how it is reached. */
export async function findRepository(
  source: RepositoryAccessSource,
  ask: { repoURL: string; project: string },
  signal: AbortSignal,
): Promise<ChartRepository> {
  const { repoURL, project } = ask;
  const plain = repoURL.replace(/^[a-z][a-z0-9+.-]*:\/\//i, '').replace(/\/+$/, '');
  const isHttp = /^https?:\/\//i.test(repoURL);
  const found = await source.find(repoURL, project, signal);
  // A registry's Secret is written with oci://, without a scheme, or as both of the two.
  const spellings = isHttp || isDeclared(found) ? [] : [`oci://${plain}`, plain].filter((text) => text !== repoURL);
  let access = found;
  for (const spelling of spellings) {
    const other = await source.find(spelling, project, signal);
    if (!isDeclared(other)) continue;
    access = other;
    break;
  }
  const oci = !isHttp || access.enableOci === true;
  const address = oci ? plain.replace(/^[^@/]*@/, '') : httpAddress(repoURL);
  const own = withUserInfo(access, repoURL);
  const key = [oci ? 'oci' : 'http', address, project, own.username ?? ''].join(' ');
  return { kind: oci ? 'oci' : 'http', address, access: own, key };
}
