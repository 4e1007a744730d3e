import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { AppError, messageOf } from '#base/errors.ts';
import { getString, type JsonObject } from '#base/json.ts';
import { registerSecret } from '#base/redact.ts';
import type { KubeAccess } from './target.ts';

export interface StaticAccessOptions {
  /** Relative paths start here. */
  folder: string;
  /** The kubeconfig in messages. */
  name: string;
}

/** Credentials that stand in a kubeconfig or in files it names. Files are read again when they change. */
export function staticAccess(
  { cluster, user, userName }: { cluster: JsonObject; user: JsonObject; userName: string },
  { folder, name }: StaticAccessOptions,
): () => Promise<KubeAccess> {
  const files = new FileCache(`user "${userName}" of ${name}`);
  const material = async (from: JsonObject, key: string): Promise<string | undefined> => {
    const data = getString(from, `${key}-data`);
    if (data) return Buffer.from(data, 'base64').toString('utf8');
    const path = getString(from, key);
    return path ? files.read(resolve(folder, path)) : undefined;
  };
  const authorization = async (): Promise<string | undefined> => {
    const tokenFile = getString(user, 'tokenFile');
    const token = tokenFile ? (await files.read(resolve(folder, tokenFile))).trim() : getString(user, 'token');
    if (token) return bearer(token);
    const username = getString(user, 'username');
    return username ? basic(username, getString(user, 'password') ?? '') : undefined;
  };
  return async () => {
    const [ca, cert, key, header] = await Promise.all([
      material(cluster, 'certificate-authority'),
      material(user, 'client-certificate'),
      material(user, 'client-key'),
      authorization(),
    ]);
    const impersonated = getString(user, 'as');
    return {
      headers: { ...(header && { Authorization: header }), ...(impersonated && { 'Impersonate-User': impersonated }) },
      tls: {
        ca,
        cert,
        key,
        servername: getString(cluster, 'tls-server-name'),
        rejectUnauthorized: cluster['insecure-skip-tls-verify'] !== true,
      },
    };
  };
}

export function bearer(token: string): string {
  registerSecret(token);
  return `Bearer ${token}`;
}

export function basic(username: string, password: string): string {
  registerSecret(password);
  const encoded = Buffer.from(`${username}:${password}`).toString('base64');
  registerSecret(encoded);
  return `Basic ${encoded}`;
}

class FileCache {
  readonly #what: string;
  readonly #files = new Map<string, { stamp: string; text: string }>();

  constructor(what: string) {
    this.#what = what;
  }

  async read(path: string): Promise<string> {
    try {
      const { mtimeMs, size, ino } = await stat(path);
      const stamp = `${mtimeMs} ${size} ${ino}`;
      const known = this.#files.get(path);
      if (known?.stamp === stamp) return known.text;
      const text = await readFile(path, 'utf8');
      this.#files.set(path, { stamp, text });
      return text;
    } catch (cause) {
      throw new AppError('unauthorized', `no credentials for ${this.#what}: ${messageOf(cause)}`, {
        cause,
        hint: 'check the files that the kubeconfig names',
      });
    }
  }
}
