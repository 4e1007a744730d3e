import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from '../health.ts';
import {
  always,
  at,
  behind,
  type Catalogue,
  type Check,
  conditions,
  field,
  firstOf,
  given,
  items,
  kinds,
  present,
  textAt,
  without,
} from '../rules.ts';

const humioObject = firstOf(
  field('status.state', {
    Exists: ['Healthy', 'Component state: Exists.'],
    NotFound: ['Missing', 'Component state: NotFound.'],
    ConfigError: ['Degraded', 'Component state: ConfigError.'],
    Unknown: ['Unknown', 'Component state: Unknown.'],
  }),
  always('Progressing', 'Update in progress'),
);

const own = (words: string) => `{.status.message|${words}}`;

const humioCluster = firstOf(
  field('status.state', {
    Running: ['Healthy', own('Cluster is in a healthy running state')],
    Restarting: ['Progressing', own('Cluster pods are being restarted')],
    Upgrading: ['Progressing', own('Cluster pods are being upgraded')],
    ConfigError: ['Degraded', own('User-provided cluster specification resulted in a configuration error')],
    Pending: ['Progressing', own('Cluster is waiting on resources to be provisioned')],
    Unknown: ['Unknown', own('Component state: Unknown.')],
  }),
  always('Progressing', 'Update in progress'),
);

function keptn(kind: string, path = 'status.status'): Check {
  return firstOf(
    field(path, { Succeeded: ['Healthy', `${kind} is healthy`], Failed: ['Degraded', `${kind} is degraded`] }),
    always('Progressing', `${kind} is progressing`),
  );
}

/** Availability said last wins, as a Prometheus reports one such condition at a time. */
function prometheus(object: KubeObject): Health {
  const available = items(object, 'status.conditions').findLast((c) => textAt(c, 'type') === 'Available');
  if (available === undefined) return health('Progressing', 'Waiting for initialization');
  if (textAt(available, 'status') === 'True') return health('Healthy', 'All instances are available');
  const reason = textAt(available, 'reason');
  return health(reason === 'SomePodsNotReady' ? 'Progressing' : 'Degraded', textAt(available, 'message') ?? reason);
}

function because(condition: unknown): string {
  const [reason, type, message] = ['reason', 'type', 'message'].map((name) => textAt(condition, name));
  if (reason === undefined) return '';
  const kind = type === undefined ? '' : ` for ${type}${message === undefined ? '' : ` because ${message}`}`;
  return reason + kind;
}

/** Grafana's objects: every condition up to the first False one is told. */
function grafanaObject(object: KubeObject): Health {
  const list = items(object, 'status.conditions').filter((condition) => present(condition, 'status'));
  const failed = list.findIndex((condition) => textAt(condition, 'status') === 'False');
  const told = failed < 0 ? list : list.slice(0, failed + 1);
  const said = told.reduce<string>((before, c) => `${before === '' ? '' : `${before}, `}${because(c)}`, '');
  if (failed >= 0) return health('Degraded', said);
  return health(list.some((c) => textAt(c, 'status') === 'True') ? 'Healthy' : 'Progressing', said);
}

function collector(object: KubeObject): Health {
  const mode = textAt(object, 'spec.mode');
  if (!present(object, 'status')) return health('Progressing', 'Waiting for OpenTelemetry Collector status');
  const replicas = textAt(object, 'status.scale.statusReplicas');
  if (replicas === undefined)
    return mode === 'sidecar'
      ? health('Healthy', 'Collector is running in sidecar mode')
      : health('Progressing', 'Scale status not available');
  const [ready, total] = (/(\d+)\/(\d+)/.exec(replicas) ?? []).slice(1).map(Number);
  if (ready === undefined || total === undefined)
    return health('Progressing', `Unable to parse replica status: ${replicas}`);
  if (ready === 0 && mode === 'daemonset' && total === 0)
    return health('Healthy', 'DaemonSet has no eligible nodes (0/0)');
  if (ready === 0) return health('Degraded', 'No replicas are ready');
  return ready === total
    ? health('Healthy', 'All replicas are ready')
    : health('Progressing', 'Replicas are starting up');
}

function keptnMetric(object: KubeObject): Health {
  if ((textAt(object, 'status.errMsg') ?? '') !== '') return health('Degraded', 'KeptnMetric is degraded');
  return present(object, 'status.value')
    ? health('Healthy', 'KeptnMetric is healthy')
    : health('Progressing', 'KeptnMetric is progressing');
}

const reason = (words: string, object: KubeObject) => {
  const said = textAt(object, 'status.reason') ?? '';
  return said === '' ? words : said;
};

function victoriaMetrics(object: KubeObject): Health {
  switch (textAt(object, 'status.updateStatus')) {
    case 'operational':
      return health('Healthy', 'All components are operational');
    case 'expanding':
      return health('Progressing', reason('Reconciliation in progress', object));
    case 'paused':
      return health('Suspended', reason('Reconciliation is paused', object));
    case 'failed':
      return health('Degraded', reason('Reconciliation failed', object));
    default:
      return health('Progressing', 'Waiting for the operator to report status');
  }
}

/** Metrics, logs, traces and what is measured with them. */
export const observabilityKinds: Catalogue = {
  'monitoring.coreos.com/Prometheus': prometheus,
  'grafana.integreatly.org/Grafana': firstOf(
    without('status.stageStatus', always('Progressing', 'Waiting for Grafana status info')),
    (object) => {
      const stage = textAt(object, 'status.stage');
      const outcome = textAt(object, 'status.stageStatus');
      if (outcome === 'failed') return health('Degraded', `Failed at stage ${stage ?? ''}`);
      return stage === 'complete' && outcome === 'success' ? health('Healthy') : health('Progressing', stage);
    },
  ),
  ...kinds('grafana.integreatly.org', ['GrafanaDashboard', 'GrafanaFolder'], () => grafanaObject),
  'grafana.integreatly.org/GrafanaDatasource': firstOf(
    without('status', always('Progressing')),
    (object) => (at(object, 'status.uid') === '' ? health('Progressing') : undefined),
    (object) =>
      at(object, 'status.NoMatchingInstances') === true
        ? health('Degraded', "can't find matching grafana instance")
        : health('Healthy'),
  ),
  'jaegertracing.io/Jaeger': firstOf(
    field('status.phase', {
      Running: ['Healthy', 'Jaeger is Running'],
      Failed: ['Degraded', 'Jaeger Failed For Some Reason'],
    }),
    always('Progressing', 'Waiting for Jaeger'),
  ),
  'kiali.io/Kiali': firstOf(
    conditions(['Successful=True', 'Healthy'], ['Failure=True', 'Degraded'], ['Running/Running', 'Progressing']),
    always('Progressing', 'Waiting for Kiali'),
  ),
  'opentelemetry.io/OpenTelemetryCollector': collector,
  'datadoghq.com/DatadogMetric': firstOf(
    (object) => {
      const failed = items(object, 'status.conditions').find(
        (c) => textAt(c, 'type') === 'Error' && textAt(c, 'status') === 'True',
      );
      if (failed === undefined) return undefined;
      const said = textAt(failed, 'message') ?? 'DatadogMetric reported an error';
      const why = textAt(failed, 'reason') ?? '';
      return health('Degraded', why === '' ? said : `${why}: ${said}`);
    },
    conditions(['Valid=False', 'Degraded', '{message|DatadogMetric is not valid}']),
    always('Healthy', 'DatadogMetric is healthy'),
  ),
  ...kinds('coralogix.com', ['Alert', 'RecordingRuleGroupSet'], () =>
    firstOf(
      conditions(['RemoteSynced=True', 'Healthy', 'Resource is ready'], ['RemoteSynced=False', 'Degraded']),
      always('Progressing', 'Waiting for status to be updated'),
    ),
  ),
  ...kinds(
    'core.humio.com',
    ['HumioAction', 'HumioAlert', 'HumioIngestToken', 'HumioParser', 'HumioRepository', 'HumioView'],
    () => humioObject,
  ),
  'core.humio.com/HumioCluster': humioCluster,
  ...kinds(
    'lifecycle.keptn.sh',
    ['KeptnAppVersion', 'KeptnTask', 'KeptnWorkloadInstance', 'KeptnWorkloadVersion'],
    (kind) => keptn(kind),
  ),
  'lifecycle.keptn.sh/KeptnEvaluation': keptn('KeptnEvaluation', 'status.overallStatus'),
  'metrics.keptn.sh/Analysis': firstOf(
    (object) => (at(object, 'status.pass') === true ? health('Healthy', 'Analysis is healthy') : undefined),
    (object) =>
      at(object, 'status.warning') === true ? health('Healthy', 'Analysis is healthy with warnings') : undefined,
    (object) => (at(object, 'status.pass') === false ? health('Degraded', 'Analysis is degraded') : undefined),
    always('Progressing', 'Analysis is progressing'),
  ),
  'metrics.keptn.sh/KeptnMetric': keptnMetric,
};

export const observabilityPatterns: Catalogue = {
  'grafana-org-operator.kubitus-project.gitlab.io/*': firstOf(
    conditions(['Ready=False', 'Degraded'], ['Ready=True', 'Healthy'], ['Ready', 'Progressing']),
    always('Progressing', 'Waiting ...'),
  ),
  'operator.victoriametrics.com/*': firstOf(
    behind('Waiting for the operator to reconcile'),
    given('status', victoriaMetrics),
    always('Progressing', 'Waiting for the operator to reconcile'),
  ),
};
