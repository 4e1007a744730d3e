import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { AppError, messageOf } from '#base/errors.ts';
import type { KubeconfigSource } from './kubeconfig.ts';
import { basic, bearer } from './static-access.ts';
import type { KubeAccess } from './target.ts';

/** Credentials from a login program (`exec`) or an auth provider, which the library runs and renews. */
export function pluginAccess(source: KubeconfigSource & { context: string }, name: string): () => Promise<KubeAccess> {
  const config = new KubeConfig();
  if ('path' in source) config.loadFromFile(source.path);
  else config.loadFromString(source.text);
  config.setCurrentContext(source.context);
  return async () => {
    const options: RequestOptions = {};
    try {
      await config.applyToHTTPSOptions(options);
    } catch (cause) {
      throw new AppError('unauthorized', `no credentials from ${name}: ${messageOf(cause)}`, {
        cause,
        hint: `check user "${config.getCurrentUser()?.name ?? ''}" of the kubeconfig and its login command`,
      });
    }
    return {
      headers: headersOf(options),
      tls: {
        ca: pem(options.ca),
        cert: pem(options.cert),
        key: pem(options.key),
        servername: options.servername,
        rejectUnauthorized: options.rejectUnauthorized ?? true,
      },
    };
  };
}

function headersOf({ headers: given, auth }: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [key, value] of Object.entries(given ?? {})) if (value !== undefined) headers[key] = `${value}`;
  const token = /^Bearer (.+)$/.exec(headers['Authorization'] ?? '')?.[1];
  if (token) headers['Authorization'] = bearer(token);
  const login = /^([^:]*):(.*)$/s.exec(auth ?? '');
  if (login) headers['Authorization'] = basic(login[1] ?? '', login[2] ?? '');
  return headers;
}

function pem(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : undefined;
}
