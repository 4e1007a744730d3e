import { parseRepositorySecret } from '#apps/repository-secret.ts';
import { isObject, type JsonObject } from '#base/json.ts';
import type { RepositoryAccess } from '#model/argocd/repository-access.ts';
import { encodeSecret, type SecretData } from '../access/instance-secret.ts';

/** Fields of repositories and of credentials by their names in the API and in a Secret. */
const common = [
  'username',
  'password',
  'bearerToken',
  'sshPrivateKey',
  'enableOCI',
  'insecureOCIForceHttp',
  'tlsClientCertData',
  'tlsClientCertKey',
  'type',
  'githubAppPrivateKey',
  'githubAppID',
  'githubAppInstallationID',
  'githubAppEnterpriseBaseUrl',
  'gcpServiceAccountKey',
  'proxy',
  'noProxy',
  'forceHttpBasicAuth',
  'useAzureWorkloadIdentity',
  'azureServicePrincipalClientId',
  'azureServicePrincipalClientSecret',
  'azureServicePrincipalTenantId',
  'azureActiveDirectoryEndpoint',
];
export const credentialFields = common;
export const repositoryFields = [
  ...common,
  'name',
  'project',
  'insecureIgnoreHostKey',
  'insecure',
  'enableLfs',
  'depth',
  'webhookManifestCacheWarmDisabled',
];

/** What an API answer may say; the rest is secret. */
const shownTexts = ['name', 'project', 'username', 'type', 'proxy', 'noProxy', 'githubAppEnterpriseBaseUrl'];
const shownAzure = ['azureActiveDirectoryEndpoint', 'azureServicePrincipalClientId', 'azureServicePrincipalTenantId'];
const shownFlags = ['enableLfs', 'enableOCI', 'forceHttpBasicAuth', 'useAzureWorkloadIdentity'];
const shownNumbers = ['githubAppID', 'githubAppInstallationID', 'depth'];

export function typeOf(data: SecretData, url: string): 'git' | 'helm' | 'oci' {
  const { type } = data;
  if (type === 'helm' || type === 'oci' || type === 'git') return type;
  return url.startsWith('oci://') ? 'oci' : 'git';
}

function isOn(data: SecretData, key: string): boolean {
  return /^(?:1|t|true)$/i.test(data[key] ?? '');
}

function shown(data: SecretData): JsonObject {
  const out: JsonObject = {};
  for (const key of [...shownTexts, ...shownAzure]) if (data[key]) out[key] = data[key];
  for (const key of shownFlags) if (isOn(data, key)) out[key] = true;
  for (const key of shownNumbers) if (Number(data[key]) > 0) out[key] = Number(data[key]);
  return out;
}

/** A declared repository as the API shows it: nothing secret in it. */
export function repositoryShape(data: SecretData, connectionState: JsonObject): JsonObject {
  const url = data['url'] ?? '';
  const insecure = isOn(data, 'insecure') || isOn(data, 'insecureIgnoreHostKey');
  return {
    repo: url,
    ...shown(data),
    type: typeOf(data, url),
    ...(insecure ? { insecure: true } : {}),
    connectionState,
  };
}

/** Declared credentials as the API shows them: the prefix and the user, nothing more. */
export function credentialShape(data: SecretData): JsonObject {
  const { name: _, project: __, ...rest } = shown(data);
  return { url: data['url'] ?? '', ...rest };
}

/** How a repository would be reached with these values, to try it before they are kept. Throws for values that do not fit. */
export function accessOf(data: SecretData): RepositoryAccess {
  const metadata = { name: 'of the request' };
  return parseRepositorySecret({ apiVersion: 'v1', kind: 'Secret', metadata, data: encodeSecret(data) });
}

const credentials = [
  'username',
  'password',
  'sshPrivateKey',
  'bearerToken',
  'tlsClientCertData',
  'githubAppPrivateKey',
];

export function hasCredentials(data: SecretData): boolean {
  return credentials.some((key) => data[key] !== undefined && data[key] !== '');
}

/** The fields of a request that a Secret of that sort keeps, under their names there. */
export function fieldsOf(body: unknown, names: readonly string[]): JsonObject {
  if (!isObject(body)) return {};
  return Object.fromEntries(names.flatMap((name) => (body[name] === undefined ? [] : [[name, body[name]]])));
}
