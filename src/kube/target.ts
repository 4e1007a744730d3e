export interface TlsMaterial {
  ca: string | undefined;
  cert: string | undefined;
  key: string | undefined;
  servername: string | undefined;
  rejectUnauthorized: boolean;
}

/** What one request needs to reach the cluster. Asked for again for every request: credentials are renewed. */
export interface KubeAccess {
  headers: Record<string, string>;
  tls: TlsMaterial;
}

/** One cluster as one user. */
export interface KubeTarget {
  readonly server: string;
  /** Through which the server is reached, by CONNECT; undefined is directly. */
  readonly proxy?: string | undefined;
  access(): Promise<KubeAccess>;
}
