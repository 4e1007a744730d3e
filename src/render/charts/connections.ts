import { type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { canonicalJson, sha256Hex } from '#base/digest.ts';
import type { RepositoryAccess } from '#model/argocd/repository-access.ts';

type Transport = Pick<
  RepositoryAccess,
  'insecure' | 'tlsClientCertData' | 'tlsClientCertKey' | 'caData' | 'proxy' | 'noProxy'
>;

const maxPools = 64;

/** Connections by how a server is to be trusted, proved to and reached; those used least recently are closed. */
export class Connections implements AsyncDisposable {
  readonly #env: Readonly<Record<string, string>>;
  readonly #pools = new Map<string, Dispatcher>();
  readonly #closing = new Set<Promise<void>>();

  /** `env` names proxies as curl's environment does, for what declares none of its own. */
  constructor(env: Readonly<Record<string, string>>) {
    this.#env = env;
  }

  for(access: Transport): Dispatcher {
    const { insecure, tlsClientCertData, tlsClientCertKey, caData, proxy, noProxy } = access;
    const key = sha256Hex(
      canonicalJson([insecure ?? false, tlsClientCertData, tlsClientCertKey, caData, proxy, noProxy]),
    );
    const pool = this.#pools.get(key) ?? this.#open(access);
    this.#pools.delete(key);
    this.#pools.set(key, pool);
    for (const [oldest, old] of this.#pools) {
      if (this.#pools.size <= maxPools) break;
      this.#pools.delete(oldest);
      const closing = old.close().finally(() => this.#closing.delete(closing));
      this.#closing.add(closing);
    }
    return pool;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
    this.#pools.clear();
    await Promise.allSettled(this.#closing);
  }

  #open({ insecure, tlsClientCertData, tlsClientCertKey, caData, proxy, noProxy }: Transport): Dispatcher {
    const env = this.#env;
    const tls = {
      ...(insecure ? { rejectUnauthorized: false } : {}),
      ...(caData ? { ca: caData } : {}),
      ...(tlsClientCertData && tlsClientCertKey ? { cert: tlsClientCertData, key: tlsClientCertKey } : {}),
    };
    const all = env['all_proxy'] ?? env['ALL_PROXY'] ?? '';
    return new EnvHttpProxyAgent({
      httpProxy: proxy || (env['http_proxy'] ?? all),
      httpsProxy: proxy || (env['https_proxy'] ?? env['HTTPS_PROXY'] ?? all),
      noProxy: (proxy ? noProxy : (env['no_proxy'] ?? env['NO_PROXY'])) ?? '',
      allowH2: false,
      connections: 8,
      keepAliveTimeout: 30_000,
      connect: { timeout: 10_000, ...tls },
      requestTls: tls,
      headersTimeout: 30_000,
      bodyTimeout: 30_000,
    });
  }
}
