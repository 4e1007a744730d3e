import type { ClusterState } from '#apps/port.ts';
import { AppError } from '#base/errors.ts';
import { getArray, getObject, getString, isObject, type JsonObject } from '#base/json.ts';
import { annotations, labels as labelNames } from '#model/argocd/names.ts';
import type { SecretData } from '../access/instance-secret.ts';
import { type DeclaredSecret, fnv32a, secretDataOf } from './declared-secrets.ts';

/** A cluster of the API, as its Secret holds it. */
export interface ClusterRequest {
  data: SecretData;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

function texts(value: unknown): Record<string, string> {
  if (!isObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]));
}

/** Reads a cluster from a request. Throws `bad-input` for one without a server. */
export function clusterRequestOf(body: unknown): ClusterRequest {
  const server = (getString(body, 'server') ?? '').replace(/\/+$/, '');
  if (server === '') throw new AppError('bad-input', 'missing payload in request: the cluster has no server');
  const namespaces = getArray(body, 'namespaces').map(String);
  const own = getObject(body);
  const given = texts(own['annotations']);
  if (given[annotations.lastApplied])
    throw new AppError('bad-input', `annotation ${annotations.lastApplied} cannot be set`);
  const shard = own['shard'];
  const data = secretDataOf({
    server,
    name: getString(body, 'name') || server,
    namespaces: namespaces.join(','),
    config: JSON.stringify(getObject(body, 'config')),
    clusterResources: own['clusterResources'] === true,
    project: getString(body, 'project'),
  });
  return {
    data: { ...data, ...(shard === undefined || shard === null ? {} : { shard: String(shard) }) },
    labels: texts(own['labels']),
    annotations: given,
  };
}

export function clusterSecretName(server: string): string {
  const host = URL.canParse(server) ? new URL(server).hostname : server.replaceAll(/[^a-z0-9.-]/gi, '-');
  return `cluster-${host.replaceAll(/[[\]]/g, '').replaceAll(':', '-').toLowerCase()}-${fnv32a(server)}`;
}

/** The instance's own cluster while no Secret speaks of it. */
export const ownClusterData: SecretData = {
  server: 'https://kubernetes.default.svc',
  name: 'in-cluster',
  config: '{}',
};

function without(value: Record<string, string> | undefined, ...keys: string[]): Record<string, string> | undefined {
  const kept = Object.entries(value ?? {}).filter(([key]) => !keys.includes(key));
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}

/** What of the way to a cluster may be shown: no credentials, no arguments of programs that fetch them. */
function shownConfig(text: string | undefined): JsonObject {
  let config: JsonObject = {};
  try {
    const parsed: unknown = JSON.parse(text || '{}');
    if (isObject(parsed)) config = parsed;
  } catch {
    // A Secret that cannot be read is shown without its way.
  }
  const tls = getObject(config, 'tlsClientConfig');
  const serverName = getString(tls, 'serverName');
  const proxyUrl = getString(config, 'proxyUrl');
  return {
    tlsClientConfig: { insecure: tls['insecure'] === true, ...(serverName ? { serverName } : {}) },
    ...(isObject(config['awsAuthConfig']) ? { awsAuthConfig: config['awsAuthConfig'] } : {}),
    ...(config['disableCompression'] === true ? { disableCompression: true } : {}),
    ...(proxyUrl ? { proxyUrl: proxyUrl.replace(/\/\/[^@/]*@/, '//') } : {}),
  };
}

export interface ClusterSight {
  state: ClusterState | undefined;
  applications: number;
}

/** A cluster as the API shows it, with how it stands. */
export function clusterShape(secret: DeclaredSecret | undefined, { state, applications }: ClusterSight): JsonObject {
  const data = secret?.data ?? ownClusterData;
  const metadata = secret?.object.metadata;
  const connectionState = {
    status: state?.status ?? 'Unknown',
    message: state?.message ?? '',
    attemptedAt: state?.attemptedAt ?? null,
  };
  const namespaces = (data['namespaces'] ?? '')
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '');
  const labels = without(metadata?.labels, labelNames.secretType);
  const shown = without(metadata?.annotations, 'managed-by', annotations.lastApplied);
  const serverVersion = state?.serverVersion ?? '';
  const cacheInfo = {
    resourcesCount: state?.resources ?? 0,
    apisCount: state?.kinds ?? 0,
    lastCacheSyncTime: state?.attemptedAt ?? null,
  };
  return {
    server: data['server'] ?? '',
    name: data['name'] || data['server'] || '',
    config: shownConfig(data['config']),
    connectionState,
    serverVersion,
    info: {
      connectionState,
      serverVersion,
      cacheInfo,
      applicationsCount: applications,
      ...(state && state.apiVersions.length > 0 ? { apiVersions: state.apiVersions } : {}),
    },
    ...(namespaces.length > 0 ? { namespaces } : {}),
    ...(data['project'] ? { project: data['project'] } : {}),
    ...(data['clusterResources'] === 'true' ? { clusterResources: true } : {}),
    ...(data['shard'] === undefined ? {} : { shard: Number(data['shard']) }),
    ...(labels ? { labels } : {}),
    ...(shown ? { annotations: shown } : {}),
  };
}
