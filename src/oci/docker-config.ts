import { AppError } from '#base/errors.ts';
import { isObject, parseJson } from '#base/json.ts';
import type { RegistryCredentials } from './port.ts';
import { dockerHub } from './reference.ts';

/**
 * Reads the `auths` of a docker `config.json` into credentials by registry. Entries without a password (kept in a
 * credential store of docker's) are left out. Throws `bad-input` naming a broken entry, never its content.
 */
export function parseDockerConfig(text: string, what = 'docker config.json'): Map<string, RegistryCredentials> {
  const document = parseJson(text, what);
  const found = new Map<string, RegistryCredentials>();
  const auths = isObject(document) ? document['auths'] : undefined;
  if (auths === undefined) return found;
  if (!isObject(auths)) throw new AppError('bad-input', `${what}: auths must be an object`);
  for (const [server, entry] of Object.entries(auths)) {
    const credentials = isObject(entry) ? readEntry(entry, `${what}: auths["${server}"]`) : undefined;
    if (credentials) found.set(registryOf(server), credentials);
  }
  return found;
}

function readEntry(entry: Record<string, unknown>, what: string): RegistryCredentials | undefined {
  const { username, password, auth } = entry;
  if (typeof username === 'string' && typeof password === 'string') return { username, password };
  if (typeof auth !== 'string' || auth === '') return undefined;
  const decoded = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = decoded.indexOf(':');
  if (colon < 0) throw new AppError('bad-input', `${what}.auth is not base64 of name:password`);
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** Docker writes its hub as a URL with a path, and others with or without a scheme. */
function registryOf(server: string): string {
  const host = server.replace(/^https?:\/\//, '').replace(/\/.*$/, '');
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? dockerHub : host;
}
