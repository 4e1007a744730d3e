import type { Application } from '#model/argocd/application.ts';
import { isAutomated } from './view.ts';

/** What the process counts itself. */
export interface ServerCounts {
  requests: Map<string, number>;
  streamReaders: number;
  streamDropped: number;
}

const contentType = 'text/plain; version=0.0.4; charset=utf-8';

/** Prometheus' text format. The application gauges carry Argo CD's names and labels, so its dashboards work. */
export function renderMetrics(
  applications: Application[],
  counts: ServerCounts,
): { text: string; contentType: string } {
  const families = [
    family('argocd_app_info', 'gauge', 'Information about an application.', applications.map(appInfo)),
    family('argocd_app_condition', 'gauge', 'Conditions of an application.', applications.flatMap(appConditions)),
    family(
      'slipway_http_requests_total',
      'counter',
      'Answered HTTP requests by status.',
      [...counts.requests].map(([status, value]) => ({ labels: { status }, value })),
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

function appInfo(application: Application): Sample {
  const { metadata, spec, status } = application;
  const phase = status?.operationState?.phase;
  return {
    labels: {
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      project: spec.project,
      autosync_enabled: String(isAutomated(application)),
      repo: (spec.sources?.[0] ?? spec.source)?.repoURL ?? '',
      dest_server: spec.destination.server ?? spec.destination.name ?? '',
      dest_namespace: spec.destination.namespace ?? '',
      sync_status: status?.sync?.status ?? 'Unknown',
      health_status: status?.health?.status ?? 'Unknown',
      operation: application.metadata.deletionTimestamp ? 'delete' : phase === 'Running' ? 'sync' : '',
    },
    value: 1,
  };
}

function appConditions({ metadata, spec, status }: Application): Sample[] {
  const counts = new Map<string, number>();
  for (const { type } of status?.conditions ?? []) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([condition, value]) => ({
    labels: { namespace: metadata.namespace ?? '', name: metadata.name, project: spec.project, condition },
    value,
  }));
}
