import type { ClusterIdentity } from './certificates.ts';

/** A kubeconfig for the administrator, by client certificate and by token; holds no paths, so it can be moved. */
export function adminKubeconfig(url: string, identity: ClusterIdentity): string {
  const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
  return `apiVersion: v1
kind: Config
clusters:
  - name: drydock
    cluster:
      server: ${url}
      certificate-authority-data: ${base64(identity.authority.certificatePem)}
users:
  - name: drydock-admin
    user:
      client-certificate-data: ${base64(identity.admin.certificatePem)}
      client-key-data: ${base64(identity.admin.keyPem)}
      token: ${identity.adminToken}
contexts:
  - name: drydock
    context:
      cluster: drydock
      user: drydock-admin
current-context: drydock
`;
}
