import { canonicalJson, sha256Hex } from '#base/digest.ts';
import type { KubeObject } from '#kube/port.ts';
import { inClusterName, inClusterServer, labels as labelNames, annotations as names } from '#model/argocd/names.ts';
import { secretData } from './instance.ts';

/** A cluster as a Secret labelled `argocd.argoproj.io/secret-type: cluster` declares it. */
export interface ClusterDeclaration {
  /** As destinations name it, without a slash at the end. */
  server: string;
  name: string;
  /** The AppProject it belongs to; undefined for all. */
  project: string | undefined;
  /** Empty is all. */
  namespaces: string[];
  /** With `namespaces`: whether objects without a namespace are managed too. */
  clusterResources: boolean;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** The Secret; undefined for the instance's own cluster without one. */
  secret: string | undefined;
  /** How to reach it, as JSON. Secret. */
  config: string;
}

/** The instance's own cluster when no Secret says more about it. */
export const ownCluster: ClusterDeclaration = {
  server: inClusterServer,
  name: inClusterName,
  project: undefined,
  namespaces: [],
  clusterResources: false,
  labels: {},
  annotations: {},
  secret: undefined,
  config: '',
};

export function parseClusterSecret(secret: KubeObject): ClusterDeclaration {
  const data = secretData(secret);
  const { [labelNames.secretType]: _type, ...labels } = secret.metadata.labels ?? {};
  const { [names.lastApplied]: _applied, 'managed-by': _managed, ...annotations } = secret.metadata.annotations ?? {};
  const server = (data['server'] ?? '').trim().replace(/\/+$/, '');
  return {
    server,
    name: data['name'] || server,
    project: data['project'] || undefined,
    namespaces: (data['namespaces'] ?? '')
      .split(',')
      .map((namespace) => namespace.trim())
      .filter((namespace) => namespace !== ''),
    clusterResources: data['clusterResources'] === 'true',
    labels,
    annotations,
    secret: secret.metadata.name,
    config: data['config'] ?? '',
  };
}

/** Differs when the cluster has to be reached in another way than before. */
export function connectionId(declaration: ClusterDeclaration): string {
  const { server, name, namespaces, clusterResources, config } = declaration;
  return sha256Hex(canonicalJson([server, name, namespaces, clusterResources, config]));
}
