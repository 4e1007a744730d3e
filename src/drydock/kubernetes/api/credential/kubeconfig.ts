import type { Clock, Entropy } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import { parseServiceAccount, serviceAccountGroups } from '../../access/user.ts';
import { type ClusterIdentity, issueClientCertificate, type KeyedCertificate } from './certificates.ts';

/** A kubeconfig for the administrator, by client certificate and by token; holds no paths, so it can be moved. */
export function adminKubeconfig(url: string, identity: ClusterIdentity): string {
  return kubeconfig(url, identity, {
    user: 'drydock-admin',
    certificate: identity.admin,
    token: identity.adminToken,
    namespace: undefined,
  });
}

export interface KubeconfigSubject {
  /** A user name, or `system:serviceaccount:<namespace>:<name>`. */
  user: string;
  /** What rights are bound to beside the name; an account has its own groups without being told. */
  groups?: readonly string[];
  /** Where commands without a namespace go. */
  namespace?: string;
}

/** A kubeconfig for any user, by a client certificate that is made here. Throws AppError bad-input for an empty name. */
export function userKubeconfig(
  deps: { clock: Clock; entropy: Entropy },
  cluster: { url: string; identity: ClusterIdentity },
  subject: KubeconfigSubject,
): string {
  const { user, namespace } = subject;
  if (user === '') throw new AppError('bad-input', 'a kubeconfig needs the name of a user');
  const account = parseServiceAccount(user);
  const groups = subject.groups ?? (account ? serviceAccountGroups(account.namespace) : []);
  const certificate = issueClientCertificate(deps, cluster.identity.authority, { name: user, groups });
  return kubeconfig(cluster.url, cluster.identity, { user, certificate, token: undefined, namespace });
}

function kubeconfig(
  url: string,
  identity: ClusterIdentity,
  {
    user,
    certificate,
    token,
    namespace,
  }: { user: string; certificate: KeyedCertificate; token: string | undefined; namespace: string | undefined },
): string {
  const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
  const name = JSON.stringify(user);
  return `apiVersion: v1
kind: Config
clusters:
  - name: drydock
    cluster:
      server: ${url}
      certificate-authority-data: ${base64(identity.authority.certificatePem)}
users:
  - name: ${name}
    user:
      client-certificate-data: ${base64(certificate.certificatePem)}
      client-key-data: ${base64(certificate.keyPem)}
${token === undefined ? '' : `      token: ${token}\n`}contexts:
  - name: drydock
    context:
      cluster: drydock
      user: ${name}
${namespace === undefined ? '' : `      namespace: ${JSON.stringify(namespace)}\n`}current-context: drydock
`;
}
