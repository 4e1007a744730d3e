import type { ClusterState } from '#apps/port.ts';
import type { Application } from '#model/argocd/application.ts';
import { projectNameOf } from './access/guard.ts';
import type { SyncCount } from './sync-counter.ts';
import { isAutomated } from './view.ts';

/** What the process counts itself. */
export interface ServerCounts {
  requests: ReadonlyMap<string, number>;
  logins: ReadonlyMap<string, number>;
  /** Pushes that webhooks told of, by repository. */
  pushes: ReadonlyMap<string, number>;
  streamReaders: number;
  streamDropped: number;
}

/** What the engine did since it started, as far as it tells. */
export interface EngineWork {
  renders: number;
  cacheHits: number;
  /** Questions whether applying an object would change it. */
  dryRuns: number;
  /** Looks at applications that ended. */
  reconciles: number;
  /** Applications that were not looked at yet. */
  unseen: number;
}

export interface Measured {
  work: EngineWork | undefined;
  applications: readonly Application[];
  clusters: readonly ClusterState[];
  syncs: Iterable<SyncCount>;
  counts: ServerCounts;
  version: string;
}

const contentType = 'text/plain; version=0.0.4; charset=utf-8';

/** Prometheus' text format. What Argo CD measures as well has its names and labels, so its dashboards work. */
export function renderMetrics(measured: Measured): { text: string; contentType: string } {
  const { applications, clusters, counts, version } = measured;
  const syncs = [...measured.syncs];
  const families = [
    family('argocd_info', 'gauge', 'Version of the server.', [{ labels: { version: `v${version}` }, value: 1 }]),
    family('argocd_app_info', 'gauge', 'Information about an application.', applications.map(appInfo)),
    family('argocd_app_condition', 'gauge', 'Conditions of an application.', applications.flatMap(appConditions)),
    family(
      'argocd_app_sync_total',
      'counter',
      'Operations that ended.',
      syncs.map(({ labels, count }) => ({ labels, value: count })),
    ),
    family('argocd_app_sync_duration_seconds_total', 'counter', 'Time that operations took.', syncDurations(syncs)),
    ...clusterFamilies(clusters),
    family('argocd_login_request_total', 'counter', 'Logins by name and password.', countsBy('status', counts.logins)),
    family(
      'argocd_webhook_requests_total',
      'counter',
      'Pushes that webhooks told of.',
      countsBy('repo', counts.pushes),
    ),
    ...(measured.work ? workFamilies(measured.work) : []),
    family(
      'slipway_http_requests_total',
      'counter',
      'Answered HTTP requests by status.',
      countsBy('status', counts.requests),
    ),
    family('slipway_stream_readers', 'gauge', 'Open live streams.', [{ labels: {}, value: counts.streamReaders }]),
    family('slipway_stream_dropped_total', 'counter', 'Live streams ended because the reader was too slow.', [
      { labels: {}, value: counts.streamDropped },
    ]),
  ];
  return { text: families.join(''), contentType };
}

interface Sample {
  labels: Record<string, string>;
  value: number;
}

function countsBy(label: string, counts: ReadonlyMap<string, number>): Sample[] {
  return [...counts].map(([key, value]) => ({ labels: { [label]: key }, value }));
}

function family(name: string, type: 'gauge' | 'counter', help: string, samples: Sample[]): string {
  const lines = samples.map(({ labels, value }) => {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(text)}"`);
    return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function syncDurations(syncs: readonly SyncCount[]): Sample[] {
  const byPlace = new Map<string, Sample>();
  for (const { labels, seconds } of syncs) {
    const { phase: _, dry_run: __, ...place } = labels;
    const id = JSON.stringify(place);
    byPlace.set(id, { labels: place, value: (byPlace.get(id)?.value ?? 0) + seconds });
  }
  return [...byPlace.values()];
}

function workFamilies({ renders, cacheHits, dryRuns, reconciles, unseen }: EngineWork): string[] {
  const one = (value: number) => [{ labels: {}, value }];
  return [
    family('slipway_renders_total', 'counter', 'Sources that were rendered.', one(renders)),
    family('slipway_render_cache_hits_total', 'counter', 'Renders that were known already.', one(cacheHits)),
    family('slipway_dry_runs_total', 'counter', 'Questions whether applying would change something.', one(dryRuns)),
    family('slipway_reconciles_total', 'counter', 'Looks at applications that ended.', one(reconciles)),
    family('slipway_applications_unseen', 'gauge', 'Applications that were not looked at yet.', one(unseen)),
  ];
}

function clusterFamilies(clusters: readonly ClusterState[]): string[] {
  const each = (
    value: (state: ClusterState) => number,
    more: (state: ClusterState) => Record<string, string> = () => ({}),
  ) => clusters.map((state) => ({ labels: { server: state.server, ...more(state) }, value: value(state) }));
  const version = (state: ClusterState) => ({ k8s_version: state.serverVersion ?? '' });
  return [
    family(
      'argocd_cluster_info',
      'gauge',
      'Information about a cluster.',
      each(
        () => 1,
        (state) => ({ name: state.name, ...version(state) }),
      ),
    ),
    family(
      'argocd_cluster_connection_status',
      'gauge',
      '1 while the cluster can be reached.',
      each(({ status }) => (status === 'Successful' ? 1 : 0), version),
    ),
    family(
      'argocd_cluster_api_resource_objects',
      'gauge',
      'Objects that are followed.',
      each(({ resources }) => resources),
    ),
    family(
      'argocd_cluster_api_resources',
      'gauge',
      'Kinds that are followed.',
      each(({ kinds }) => kinds),
    ),
  ];
}

function appInfo(application: Application): Sample {
  const { metadata, spec, status } = application;
  const phase = status?.operationState?.phase;
  return {
    labels: {
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      project: projectNameOf(application),
      autosync_enabled: String(isAutomated(application)),
      repo: (spec.sources?.[0] ?? spec.source)?.repoURL ?? '',
      dest_server: spec.destination.server ?? spec.destination.name ?? '',
      dest_namespace: spec.destination.namespace ?? '',
      sync_status: status?.sync?.status ?? 'Unknown',
      health_status: status?.health?.status ?? 'Unknown',
      operation: metadata.deletionTimestamp ? 'delete' : phase === 'Running' ? 'sync' : '',
    },
    value: 1,
  };
}

function appConditions(application: Application): Sample[] {
  const { metadata, status } = application;
  const counts = new Map<string, number>();
  for (const { type } of status?.conditions ?? []) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([condition, value]) => ({
    labels: {
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      project: projectNameOf(application),
      condition,
    },
    value,
  }));
}
