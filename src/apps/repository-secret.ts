import { AppError } from '#base/errors.ts';
import { registerSecret } from '#base/redact.ts';
import type { KubeObject } from '#kube/port.ts';
import { labels } from '#model/argocd/names.ts';
import type { RepositoryAccess } from '#model/argocd/repository-access.ts';
import { secretData } from './instance.ts';

/** Ways to sign in that no client here knows: such a Secret is refused where it is used. */
const unsupported = ['gcpServiceAccountKey', 'azureServicePrincipalClientSecret', 'useAzureWorkloadIdentity'];

const secretKeys = ['password', 'bearerToken', 'sshPrivateKey', 'tlsClientCertKey', 'githubAppPrivateKey'];

const textKeys = [
  'name',
  'project',
  'username',
  'password',
  'bearerToken',
  'sshPrivateKey',
  'tlsClientCertData',
  'tlsClientCertKey',
  'proxy',
  'noProxy',
] as const;

interface SecretReader {
  name: string;
  data: Record<string, string>;
}

function flag({ name, data }: SecretReader, key: string): boolean {
  const text = (data[key] ?? '').trim();
  if (/^(1|t|true)$/i.test(text)) return true;
  if (text === '' || /^(0|f|false)$/i.test(text)) return false;
  throw new AppError('bad-input', `Secret ${name}: ${key} is ${JSON.stringify(text)}`, {
    hint: `set ${key} to "true" or "false"`,
  });
}

function githubAppOf({ data }: SecretReader): Pick<RepositoryAccess, 'githubApp'> {
  const { githubAppID: id, githubAppInstallationID, githubAppPrivateKey, githubAppEnterpriseBaseUrl } = data;
  if (!id || !githubAppPrivateKey) return {};
  return {
    githubApp: {
      id,
      installationId: githubAppInstallationID || undefined,
      privateKey: githubAppPrivateKey,
      ...(githubAppEnterpriseBaseUrl ? { enterpriseBaseUrl: githubAppEnterpriseBaseUrl } : {}),
    },
  };
}

function typeOf({ name, data }: SecretReader): RepositoryAccess['type'] {
  const type = data['type'] || 'git';
  if (type === 'git' || type === 'helm' || type === 'oci') return type;
  throw new AppError('bad-input', `Secret ${name}: type is ${JSON.stringify(type)}`, {
    hint: 'set type to git, helm or oci',
  });
}

/** Reads a Secret labelled `repository` or `repo-creds`. Throws AppError that names the Secret and its key. */
export function parseRepositorySecret(secret: KubeObject): RepositoryAccess {
  const data = secretData(secret);
  for (const key of secretKeys) registerSecret(data[key] ?? '');
  const reader = { name: secret.metadata.name, data };
  const unknown = unsupported.filter((key) => data[key]);
  if (unknown.length > 0)
    throw new AppError(
      'unsupported',
      `Secret ${reader.name} signs in by ${unknown.join(', ')}, which is not supported`,
      {
        hint: 'give a user and a token, an SSH key or a GitHub App',
      },
    );
  const texts = textKeys.flatMap((key) => (data[key] ? [[key, data[key]] as const] : []));
  return {
    url: (data['url'] ?? '').trim(),
    secret: reader.name,
    template: secret.metadata.labels?.[labels.secretType] === 'repo-creds',
    type: typeOf(reader),
    ...Object.fromEntries(texts),
    ...githubAppOf(reader),
    insecure: flag(reader, 'insecure') || flag(reader, 'insecureIgnoreHostKey'),
    enableOci: flag(reader, 'enableOCI'),
    insecureOciForceHttp: flag(reader, 'insecureOCIForceHttp'),
    enableLfs: flag(reader, 'enableLfs'),
    forceHttpBasicAuth: flag(reader, 'forceHttpBasicAuth'),
  };
}

export function hasCredentials(access: RepositoryAccess): boolean {
  const { username, password, bearerToken, sshPrivateKey, tlsClientCertData, githubApp } = access;
  return [username, password, bearerToken, sshPrivateKey, tlsClientCertData, githubApp].some(
    (value) => value !== undefined,
  );
}
