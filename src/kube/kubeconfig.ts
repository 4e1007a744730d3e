import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { load } from 'js-yaml';
import { AppError, messageOf } from '#base/errors.ts';
import { getArray, getObject, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import { staticAccess } from './static-access.ts';
import type { KubeTarget } from './target.ts';

/** Where a kubeconfig is read from. Relative paths in a file are resolved against the file's folder. */
export type KubeconfigSource = { path: string; context?: string } | { text: string; context?: string };

interface Entry {
  cluster: JsonObject;
  user: JsonObject;
  userName: string;
}

/**
 * Reads a kubeconfig; `context` names another than the current one. Throws AppError `bad-input` when it cannot be read or
 * names no cluster, listing the contexts there are, and `unsupported` for what would be ignored otherwise.
 */
export async function loadKubeTarget(source: KubeconfigSource): Promise<KubeTarget> {
  const name = 'path' in source ? `kubeconfig ${source.path}` : 'the kubeconfig';
  const text = 'path' in source ? await readText(source.path, name) : source.text;
  const config = parse(text, name);
  const context = source.context ?? getString(config, 'current-context') ?? '';
  const entry = find(config, context, name);
  refuse(entry, name);
  const server = getString(entry.cluster, 'server')?.replace(/\/+$/, '') ?? '';
  if (!URL.canParse(server)) throw new AppError('bad-input', `${name} has no usable server for context "${context}"`);
  if (entry.user['exec'] !== undefined || entry.user['auth-provider'] !== undefined) {
    // The library knows the login programs. It costs most of a second and 90 MB: only who needs it pays for it.
    const { pluginAccess } = await import('./plugin-access.ts');
    return { server, access: pluginAccess({ ...source, context }, name) };
  }
  const folder = 'path' in source ? dirname(resolve(source.path)) : '/';
  return { server, access: staticAccess(entry, { folder, name }) };
}

/** The cluster that this process runs in as a pod, as the service account of the pod. */
export function inClusterTarget(host: string, port: string): KubeTarget {
  const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
  const cluster = { 'certificate-authority': 'ca.crt' };
  const user = { tokenFile: 'token' };
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return { server, access: staticAccess({ cluster, user, userName: 'service account' }, { folder, name: folder }) };
}

async function readText(path: string, name: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw unreadable(name, cause);
  }
}

function parse(text: string, name: string): JsonObject {
  let config: unknown;
  try {
    config = load(text);
  } catch (cause) {
    throw unreadable(name, cause);
  }
  if (!isObject(config)) throw unreadable(name, new Error('it is not a mapping'));
  return config;
}

function unreadable(name: string, cause: unknown): AppError {
  return new AppError('bad-input', `${name} cannot be read: ${messageOf(cause)}`, {
    cause,
    hint: 'give the path of a readable kubeconfig file, as kubectl takes it',
  });
}

function find(config: JsonObject, context: string, name: string): Entry {
  const named = (list: string, wanted: string | undefined) =>
    getArray(config, list).find((item) => getString(item, 'name') === wanted);
  const chosen = named('contexts', context);
  const cluster = named('clusters', getString(chosen, 'context', 'cluster'));
  if (!chosen || !cluster) {
    const known = getArray(config, 'contexts').flatMap((item) => getString(item, 'name') ?? []);
    throw new AppError('bad-input', `${name} has no cluster for context "${context}"`, {
      hint: known.length > 0 ? `contexts in it: ${known.join(', ')}` : 'it has no contexts',
    });
  }
  const userName = getString(chosen, 'context', 'user') ?? '';
  return { cluster: getObject(cluster, 'cluster'), user: getObject(named('users', userName), 'user'), userName };
}

/** Leaving these out would reach another server or act with other rights than kubectl does. */
function refuse({ cluster, user }: Entry, name: string): void {
  const ignored = [
    ...['proxy-url'].filter((key) => getPath(cluster, key) !== undefined),
    ...['as-groups', 'as-uid', 'as-user-extra'].filter((key) => getPath(user, key) !== undefined),
  ];
  if (ignored.length === 0) return;
  throw new AppError('unsupported', `${name} sets ${ignored.join(', ')}, which is not supported`, {
    hint: 'use a context without it',
  });
}
