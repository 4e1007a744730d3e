/** How to reach one repository, as a Secret labelled `repository` or `repo-creds` says it; without a Secret, by `url` alone. */
export interface RepositoryAccess {
  url: string;
  /** The Secret it comes from, and whether that speaks of one repository or of all below a prefix. */
  secret?: string;
  template?: boolean;
  type: 'git' | 'helm' | 'oci';
  name?: string;
  /** Only this AppProject may use it. */
  project?: string;
  username?: string;
  password?: string;
  bearerToken?: string;
  sshPrivateKey?: string;
  /** No verification of the server's certificate or host key. */
  insecure?: boolean;
  /** A Helm repository that is a registry; `url` has no scheme. */
  enableOci?: boolean;
  /** The registry speaks plain HTTP. */
  insecureOciForceHttp?: boolean;
  tlsClientCertData?: string;
  tlsClientCertKey?: string;
  /** PEM of the authorities trusted for this host (`argocd-tls-certs-cm`). */
  caData?: string;
  /** The host keys that are known (`argocd-ssh-known-hosts-cm`), as OpenSSH's file holds them. */
  sshKnownHosts?: string;
  proxy?: string;
  noProxy?: string;
  enableLfs?: boolean;
  forceHttpBasicAuth?: boolean;
  githubApp?: { id: string; installationId: string | undefined; privateKey: string; enterpriseBaseUrl?: string };
}

/** Finds the access to a URL for an AppProject: an exact `repository` Secret, else the longest `repo-creds` prefix. */
export interface RepositoryAccessSource {
  find(url: string, project: string | undefined, signal: AbortSignal): Promise<RepositoryAccess>;
  /** All that are declared, templates (`repo-creds`) too, with their secrets: faces take them out. */
  list(signal: AbortSignal): Promise<RepositoryAccess[]>;
}
