/** How to reach one repository, as a Secret labelled `repository` or `repo-creds` says it; without a Secret, by `url` alone. */
export interface RepositoryAccess {
  url: string;
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
  proxy?: string;
  noProxy?: string;
  enableLfs?: boolean;
  forceHttpBasicAuth?: boolean;
  githubApp?: { id: string; installationId: string | undefined; privateKey: string; enterpriseBaseUrl?: string };
}

/** Finds the access to a URL for an AppProject: an exact `repository` Secret, else the longest `repo-creds` prefix. */
export interface RepositoryAccessSource {
  find(url: string, project: string | undefined, signal: AbortSignal): Promise<RepositoryAccess>;
  /** All that are declared, for faces; without secrets' values removed. */
  list(signal: AbortSignal): Promise<RepositoryAccess[]>;
}
