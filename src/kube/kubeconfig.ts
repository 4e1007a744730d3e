import type { RequestOptions } from 'node:https';
import type { KubeConfig } from '@kubernetes/client-node';
import { AppError, messageOf } from '#base/errors.ts';
import { registerSecret } from '#base/redact.ts';

/** Where a kubeconfig is read from. Relative paths in a file are resolved against the file's folder. */
export type KubeconfigSource = { path: string; context?: string } | { text: string; context?: string };

export interface TlsMaterial {
  ca: string | undefined;
  cert: string | undefined;
  key: string | undefined;
  servername: string | undefined;
  rejectUnauthorized: boolean;
}

/** What one request needs to reach the cluster. Asked for again for every request: exec plug-ins renew what they give. */
export interface KubeAccess {
  headers: Record<string, string>;
  tls: TlsMaterial;
}

/** One cluster as one user. */
export interface KubeTarget {
  readonly server: string;
  access(): Promise<KubeAccess>;
}

/**
 * Reads a kubeconfig; `context` names another than the current one. Throws AppError `bad-input` when it cannot be read
 * or names no cluster, listing the contexts there are.
 */
export async function loadKubeTarget(source: KubeconfigSource): Promise<KubeTarget> {
  // The library takes most of a second to load: only programs that talk to a cluster pay for it.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  const name = 'path' in source ? `kubeconfig ${source.path}` : 'the kubeconfig';
  try {
    if ('path' in source) config.loadFromFile(source.path);
    else config.loadFromString(source.text);
  } catch (cause) {
    throw new AppError('bad-input', `${name} cannot be read: ${messageOf(cause)}`, {
      cause,
      hint: 'give the path of a readable kubeconfig file, as kubectl takes it',
    });
  }
  if (source.context !== undefined) config.setCurrentContext(source.context);
  const cluster = config.getCurrentCluster();
  if (!cluster?.server) {
    const contexts = config.getContexts().map((context) => context.name);
    throw new AppError('bad-input', `${name} has no cluster for context "${config.getCurrentContext()}"`, {
      hint: contexts.length > 0 ? `contexts in it: ${contexts.join(', ')}` : 'it has no contexts',
    });
  }
  return { server: cluster.server.replace(/\/+$/, ''), access: () => readAccess(config, name) };
}

async function readAccess(config: KubeConfig, name: string): Promise<KubeAccess> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    throw new AppError('unauthorized', `no credentials from ${name}: ${messageOf(cause)}`, {
      cause,
      hint: `check user "${config.getCurrentUser()?.name ?? ''}" of the kubeconfig and its login command`,
    });
  }
  const headers: Record<string, string> = {};
  for (const [key, value] of Object.entries(options.headers ?? {})) if (value !== undefined) headers[key] = `${value}`;
  if (options.auth) headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  const authorization = headers['Authorization'];
  if (authorization) registerSecret(authorization.slice(authorization.indexOf(' ') + 1));
  return {
    headers,
    tls: {
      ca: pem(options.ca),
      cert: pem(options.cert),
      key: pem(options.key),
      servername: options.servername,
      rejectUnauthorized: options.rejectUnauthorized ?? true,
    },
  };
}

function pem(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : undefined;
}
