import { dump } from 'js-yaml';
import { AppError } from '#base/errors.ts';
import { getArray, getObject, getString, isObject, type JsonObject } from '#base/json.ts';
import { registerSecret } from '#base/redact.ts';
import { basic, bearer } from './static-access.ts';
import type { KubeAccess, KubeTarget, TlsMaterial } from './target.ts';

export interface ClusterConnection {
  server: string;
  /** The cluster's name, for messages. */
  name: string;
  /** The JSON text of the Secret's `config`; empty reaches the cluster without credentials. */
  config: string;
}

/** Without the parser's own words, which quote the text: it holds secrets. */
function parseConfig(text: string, what: string): JsonObject {
  let config: unknown = {};
  try {
    if (text.trim() !== '') config = JSON.parse(text);
  } catch {
    throw new AppError('bad-input', `${what} is not JSON`);
  }
  if (!isObject(config)) throw new AppError('bad-input', `${what} is not a JSON object`);
  return config;
}

function decoded(tls: JsonObject, key: string): string | undefined {
  const text = getString(tls, key);
  return text ? Buffer.from(text, 'base64').toString('utf8') : undefined;
}

function tlsOf(config: JsonObject): TlsMaterial {
  const tls = getObject(config, 'tlsClientConfig');
  const key = decoded(tls, 'keyData');
  registerSecret(key ?? '');
  return {
    ca: decoded(tls, 'caData'),
    cert: decoded(tls, 'certData'),
    key,
    servername: getString(tls, 'serverName') || undefined,
    rejectUnauthorized: tls['insecure'] !== true,
  };
}

/** The login program of a cluster on AWS, as `awsAuthConfig` describes it. */
function awsProgram(aws: JsonObject): JsonObject {
  const option = (flag: string, key: string) => {
    const value = getString(aws, key);
    return value ? [flag, value] : [];
  };
  return {
    apiVersion: 'client.authentication.k8s.io/v1beta1',
    command: 'aws',
    args: [
      'eks',
      'get-token',
      ...option('--cluster-name', 'clusterName'),
      ...option('--role-arn', 'roleARN'),
      ...option('--profile', 'profile'),
    ],
    env: null,
    interactiveMode: 'Never',
  };
}

function execProgram(exec: JsonObject): JsonObject {
  return {
    apiVersion: getString(exec, 'apiVersion') ?? 'client.authentication.k8s.io/v1beta1',
    command: getString(exec, 'command') ?? '',
    args: getArray(exec, 'args'),
    env: Object.entries(getObject(exec, 'env')).map(([name, value]) => ({ name, value })),
    installHint: getString(exec, 'installHint') ?? '',
    interactiveMode: 'Never',
  };
}

/** What a login program's credentials are added to, in the form in which the library reads it. */
function kubeconfigOf({ server, name }: ClusterConnection, config: JsonObject, exec: JsonObject): string {
  const tls = getObject(config, 'tlsClientConfig');
  return dump({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [
      {
        name,
        cluster: {
          server,
          ...(tls['insecure'] === true ? { 'insecure-skip-tls-verify': true } : {}),
          ...(getString(tls, 'caData') ? { 'certificate-authority-data': getString(tls, 'caData') } : {}),
          ...(getString(tls, 'serverName') ? { 'tls-server-name': getString(tls, 'serverName') } : {}),
        },
      },
    ],
    users: [{ name, user: { exec } }],
  });
}

function authorizationOf(config: JsonObject): Record<string, string> {
  const token = getString(config, 'bearerToken');
  if (token) return { Authorization: bearer(token) };
  const username = getString(config, 'username');
  return username ? { Authorization: basic(username, getString(config, 'password') ?? '') } : {};
}

/** Reaches a cluster as a declared cluster's config says. Throws AppError bad-input or unsupported that names the cluster. */
export async function clusterTarget(connection: ClusterConnection): Promise<KubeTarget> {
  const { server, name } = connection;
  const what = `the config of cluster "${name}"`;
  if (!URL.canParse(server))
    throw new AppError('bad-input', `cluster "${name}" has no usable server: ${JSON.stringify(server)}`);
  const config = parseConfig(connection.config, what);
  const proxy = getString(config, 'proxyUrl') || undefined;
  if (proxy !== undefined && !/^https?:\/\//.test(proxy))
    throw new AppError('unsupported', `${what} sets proxyUrl to what is no http or https address`, {
      hint: 'use a proxy that understands CONNECT over http or https',
    });
  const exec = isObject(config['execProviderConfig'])
    ? execProgram(config['execProviderConfig'])
    : isObject(config['awsAuthConfig'])
      ? awsProgram(config['awsAuthConfig'])
      : undefined;
  if (exec) {
    const { pluginAccess } = await import('./plugin-access.ts');
    const text = kubeconfigOf(connection, config, exec);
    return { server, proxy, access: pluginAccess({ text, context: name }, what) };
  }
  const access: KubeAccess = { headers: authorizationOf(config), tls: tlsOf(config) };
  return { server, proxy, access: async () => access };
}
