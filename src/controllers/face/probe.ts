import { Agent, type Dispatcher, fetch as fetchBy, ProxyAgent } from 'undici';
import { type GitAccessDeps, gitAccess } from '#apps/git-access.ts';
import { AppError, messageOf } from '#base/errors.ts';
import type { RepositoryAccess } from '#model/argocd/repository-access.ts';

/** Where a repository says first whether it may be read. */
function questionOf({ url, type, enableOci, insecureOciForceHttp }: RepositoryAccess): string | undefined {
  const plain = url.trim().replace(/\/+$/, '');
  const registry = type === 'oci' || enableOci === true;
  if (registry) {
    const host = plain.replace(/^(?:oci|https?):\/\//, '').split('/', 1)[0] ?? '';
    return `${insecureOciForceHttp ? 'http' : 'https'}://${host}/v2/`;
  }
  if (!/^https?:\/\//i.test(plain)) return undefined;
  return type === 'helm' ? `${plain}/index.yaml` : `${plain}/info/refs?service=git-upload-pack`;
}

function dispatcherOf(access: RepositoryAccess): Dispatcher {
  const { insecure, caData, tlsClientCertData, tlsClientCertKey, proxy } = access;
  const tls = {
    rejectUnauthorized: insecure !== true,
    ...(caData ? { ca: caData } : {}),
    ...(tlsClientCertData ? { cert: tlsClientCertData } : {}),
    ...(tlsClientCertKey ? { key: tlsClientCertKey } : {}),
  };
  return proxy ? new ProxyAgent({ uri: proxy, requestTls: tls }) : new Agent({ connect: tls });
}

function authorizationOf({ username, password, bearerToken }: SignedIn): string | undefined {
  if (password !== undefined && (password !== '' || username))
    return `Basic ${Buffer.from(`${username || 'x-access-token'}:${password}`).toString('base64')}`;
  return bearerToken ? `Bearer ${bearerToken}` : undefined;
}

/** How git signs in: by what is declared, or by a token that stands for a GitHub App. */
type SignedIn = Pick<RepositoryAccess, 'username' | 'password' | 'bearerToken'>;

/**
 * Asks a repository whether it may be read with this access, without reading it. Repositories that do not speak HTTP are
 * not asked. Throws `unauthorized`, `not-found` or `unavailable` with the address.
 */
export async function probeRepository(
  tokens: GitAccessDeps['tokens'],
  access: RepositoryAccess,
  signal: AbortSignal,
): Promise<void> {
  const question = questionOf(access);
  if (question === undefined) return;
  const dispatcher = dispatcherOf(access);
  const authorization = authorizationOf((await gitAccess({ tokens }, access, signal)) ?? {});
  const refuse = (code: 'unauthorized' | 'not-found' | 'unavailable', why: string, cause?: unknown): never => {
    throw new AppError(code === 'unauthorized' ? 'bad-input' : code, `${access.url} ${why}`, { cause });
  };
  try {
    const headers = { 'user-agent': 'git/2.0 (slipway)', ...(authorization ? { authorization } : {}) };
    const answer = await fetchBy(question, { method: 'GET', headers, signal, dispatcher });
    await answer.body?.cancel();
    // A registry that wants a login answers so, too; its own client knows how to ask for one.
    if (answer.status === 401 && question.endsWith('/v2/') && authorization === undefined) return;
    if (answer.status === 401 || answer.status === 403)
      refuse('unauthorized', `refuses these credentials (${answer.status})`);
    if (answer.status === 404) refuse('not-found', 'does not exist, or is not seen with these credentials (404)');
    if (answer.status >= 400) refuse('unavailable', `answered with ${answer.status}`);
  } catch (error) {
    if (error instanceof AppError) throw error;
    const why = error instanceof Error && error.cause instanceof Error ? error.cause.message : messageOf(error);
    refuse('unavailable', `cannot be reached: ${why}`, error);
  } finally {
    await dispatcher.destroy();
  }
}
