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

const hasLogin = ({ username, password, bearerToken }: RepositoryAccess) =>
  Boolean(username || password || bearerToken);

/** An address without scheme, user and slash at the end. */
function plainAddress(url: string): string {
  return url
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
    .replace(/^[^@/]*@/, '')
    .replace(/\/+$/, '');
}

/** What is declared for another place of the same registry, above or below. */
async function borrowed(
  source: RepositoryAccessSource,
  ask: { repoURL: string; project: string },
  signal: AbortSignal,
): Promise<RepositoryAccess | undefined> {
  const address = plainAddress(ask.repoURL);
  const isBelow = (one: string, other: string) => one === other || one.startsWith(`${other}/`);
  return (await source.list(signal)).find((access) => {
    const other = plainAddress(access.url);
    const registry = access.type === 'oci' || access.enableOci === true;
    const ours = access.project === undefined || access.project === ask.project;
    return registry && ours && hasLogin(access) && (isBelow(address, other) || isBelow(other, address));
  });
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
  ask: { repoURL: string; project: string; borrowAccess?: boolean },
  signal: AbortSignal,
): Promise<ChartRepository> {
  const { repoURL, project } = ask;
  const isHttp = /^https?:\/\//i.test(repoURL);
  const found = await source.find(repoURL, project, signal);
  const lent = ask.borrowAccess && !isHttp && !hasLogin(found) ? await borrowed(source, ask, signal) : undefined;
  const access = lent ? { ...found, ...lent, url: found.url } : found;
  const oci = !isHttp || access.enableOci === true;
  const address = oci ? plainAddress(repoURL) : httpAddress(repoURL);
  const own = withUserInfo(access, repoURL);
  const key = [oci ? 'oci' : 'http', address, project, own.username ?? ''].join(' ');
  return { kind: oci ? 'oci' : 'http', address, access: own, key };
}
