import type { KubeObject } from '#kube/port.ts';
import type { HealthStatus } from '#model/argocd/application.ts';
import { type Health, health } from '../health.ts';
import {
  always,
  at,
  type Catalogue,
  type Check,
  conditions,
  field,
  firstOf,
  items,
  kinds,
  present,
  textAt,
  without,
} from '../rules.ts';

const report =
  'Ensure your ArgoCD is current and then check for/file a bug report: https://github.com/argoproj/argo-cd/issues';

const postgresPhases: Readonly<Record<string, HealthStatus>> = {
  'Cluster in healthy state': 'Healthy',
  'Setting up primary': 'Progressing',
  'Creating a new replica': 'Progressing',
  'Upgrading cluster': 'Progressing',
  'Waiting for the instances to become active': 'Progressing',
  'Promoting to primary cluster': 'Progressing',
  'Switchover in progress': 'Degraded',
  'Failing over': 'Degraded',
  'Upgrading Postgres major version': 'Degraded',
  'Cluster upgrade delayed': 'Degraded',
  'Waiting for user action': 'Degraded',
  'Primary instance is being restarted in-place': 'Degraded',
  'Primary instance is being restarted without a switchover': 'Degraded',
  'Cluster cannot execute instance online upgrade due to missing architecture binary': 'Degraded',
  'Online upgrade in progress': 'Degraded',
  'Applying configuration': 'Degraded',
  'Unable to create required cluster objects': 'Suspended',
  'Cluster cannot proceed to reconciliation due to an unknown plugin being required': 'Suspended',
  'Cluster has incomplete or invalid image catalog': 'Suspended',
  'Cluster is unrecoverable and needs manual intervention': 'Suspended',
};

/** CloudNativePG: a phase is one of a fixed set of sentences. */
function cloudNativePostgres(object: KubeObject): Health {
  if (object.metadata.annotations?.['cnpg.io/reconciliationLoop'] === 'disabled')
    return health('Suspended', 'Cluster reconciliation is suspended');
  const said = textAt(object, 'status.phaseReason');
  if (!present(object, 'status.conditions')) return health('Progressing', said);
  const hibernation = items(object, 'status.conditions').find((c) => textAt(c, 'type') === 'cnpg.io/hibernation');
  if (hibernation !== undefined)
    return health(textAt(hibernation, 'status') === 'True' ? 'Suspended' : 'Degraded', textAt(hibernation, 'message'));
  return health(postgresPhases[textAt(object, 'status.phase') ?? ''] ?? 'Unknown', said);
}

/** MariaDB's operator: the first condition that is False says what is being worked on, or that it failed. */
function mariadbCluster(failed: (condition: unknown) => boolean, say: (condition: unknown) => string): Check {
  return firstOf((object) => {
    if (!present(object, 'status.conditions')) return undefined;
    const list = items(object, 'status.conditions');
    const open = list.find((condition) => textAt(condition, 'status') === 'False');
    const said = open ?? list.at(-1);
    const status = open === undefined ? 'Healthy' : failed(open) ? 'Degraded' : 'Progressing';
    return health(status, said === undefined ? '' : say(said));
  }, mariadbWaits);
}

const mariadbWaits = always('Progressing', 'No status info available');
const message = (condition: unknown) => textAt(condition, 'message') ?? '';
const reasonAndMessage = (condition: unknown) => `${textAt(condition, 'reason') ?? ''} ${message(condition)}`;
const mariadb = mariadbCluster((condition) => textAt(condition, 'reason') === 'Failed', message);

/** What is not decided yet still shows the newest condition. */
const lastCondition =
  (say: (condition: unknown) => string): Check =>
  (object) => {
    const last = items(object, 'status.conditions').at(-1);
    return last === undefined ? undefined : health('Progressing', say(last));
  };

function clickhouse(name: string): Check {
  return firstOf(
    field(
      'status.status',
      {
        Completed: ['Healthy', `${name} installation completed successfully`],
        InProgress: ['Progressing', `${name} installation in progress`],
      },
      ['Degraded', `${name} status: {.status.status}`],
    ),
    always('Progressing', `${name} status not yet available`),
  );
}

/** The Atlas operator; `busy` are messages or reasons that mean work. */
function atlas(where: 'message' | 'reason', busy: readonly string[]): Check {
  return firstOf(
    (object) => {
      const ready = items(object, 'status.conditions').find((condition) => textAt(condition, 'type') === 'Ready');
      if (ready === undefined) return undefined;
      const reason = textAt(ready, 'reason');
      if (textAt(ready, 'status') === 'True') return health('Healthy', reason);
      return health(busy.includes(textAt(ready, where) ?? '') ? 'Progressing' : 'Degraded', reason);
    },
    always('Progressing', 'Waiting for Atlas Operator'),
  );
}

const elasticColours = field('status.health', {
  green: ['Healthy', 'Elasticsearch Cluster status is Green'],
  yellow: ['Progressing', 'Elasticsearch Cluster status is Yellow. Check the status of indices, replicas and shards'],
  red: ['Degraded', 'Elasticsearch Cluster status is Red. Check the status of indices, replicas and shards'],
});
const elasticPhases = field('status.phase', {
  ApplyingChanges: ['Progressing', 'Elasticsearch phase is ApplyingChanges'],
  MigratingData: ['Progressing', 'Elasticsearch phase is MigratingData'],
  Invalid: ['Degraded', 'Elasticsearch phase is Invalid'],
});

function elasticsearch(object: KubeObject): Health | undefined {
  const available = Number(textAt(object, 'status.availableNodes') ?? Number.NaN);
  const wanted = items(object, 'spec.nodeSets').reduce<number>(
    (sum, set) => sum + Number(textAt(set, 'count') ?? 0),
    0,
  );
  if (available < wanted)
    return health(
      'Progressing',
      `The desired amount of availableNodes is ${wanted} but the current amount is ${available}`,
    );
  if (available !== wanted || !present(object, 'status.health')) return undefined;
  return textAt(object, 'status.phase') === 'Ready' ? elasticColours(object) : elasticPhases(object);
}

const beat = firstOf(
  (object) =>
    present(object, 'status.health') || present(object, 'status.expectedNodes')
      ? without('status.health', always('Progressing', 'Elastic Beat phase is progressing'))(object)
      : undefined,
  (object) =>
    textAt(object, 'status.health') === 'yellow' &&
    present(object, 'status.availableNodes') &&
    present(object, 'status.expectedNodes')
      ? health(
          'Progressing',
          `Elastic Beat status is deploying, there is ${textAt(object, 'status.availableNodes')} instance(s) on ${textAt(object, 'status.expectedNodes')} expected`,
        )
      : undefined,
  field('status.health', {
    red: ['Degraded', 'Elastic Beat status is Red'],
    green: ['Healthy', 'Elastic Beat status is Green'],
    yellow: ['Progressing', 'Elastic Beat phase is progressing'],
  }),
  always('Unknown', `Elastic Beat status is unknown. ${report}`),
);

const nodes = '{.status.ready}/{.status.size} node(s) are ready';

function galera(object: KubeObject): Health | undefined {
  if (textAt(object, 'status.state') !== 'error') return undefined;
  return health('Degraded', `Cluster is on error: ${items(object, 'status.message').map(String).join(', ')}`);
}

function racks(object: KubeObject): Health | undefined {
  if (!present(object, 'status.racks')) return undefined;
  const waits = items(object, 'status.racks').some(
    (rack) =>
      present(rack, 'members') && present(rack, 'readyMembers') && at(rack, 'members') !== at(rack, 'readyMembers'),
  );
  return waits ? undefined : health('Healthy');
}

/** Databases and search engines. */
export const databaseKinds: Catalogue = {
  'acid.zalan.do/postgresql': firstOf(
    field(
      'status.PostgresClusterStatus',
      {
        Running: ['Healthy', '{.status.PostgresClusterStatus}'],
        Creating: ['Progressing', '{.status.PostgresClusterStatus}'],
        Updating: ['Progressing', '{.status.PostgresClusterStatus}'],
      },
      ['Degraded', '{.status.PostgresClusterStatus}'],
    ),
    always('Progressing', 'Waiting for postgres cluster status...'),
  ),
  'postgresql.cnpg.io/Cluster': cloudNativePostgres,
  'k8s.mariadb.com/MariaDB': mariadb,
  'mariadb.mmontes.io/MariaDB': mariadb,
  'k8s.mariadb.com/Backup': mariadbCluster(
    (condition) => textAt(condition, 'reason') === 'CronJobScheduled' && message(condition) === 'Failed',
    reasonAndMessage,
  ),
  ...kinds('k8s.mariadb.com', ['Database', 'Grant', 'User'], () =>
    firstOf(conditions(['Ready=True', 'Healthy'], ['Ready!=True', 'Degraded']), lastCondition(message), mariadbWaits),
  ),
  'k8s.mariadb.com/SqlJob': firstOf(
    conditions(
      ['*=True/JobComplete', 'Healthy', '{reason} {message}'],
      ['*=True/JobFailed', 'Degraded', '{reason} {message}'],
    ),
    lastCondition(reasonAndMessage),
    mariadbWaits,
  ),
  'psmdb.percona.com/PerconaServerMongoDB': firstOf(
    without('status', always('Unknown', 'Cluster status is unknown')),
    field(
      'status.state',
      {
        initializing: ['Progressing', nodes],
        ready: ['Healthy', nodes],
        error: ['Degraded', nodes],
        stopping: ['Progressing', nodes],
        paused: ['Suspended', nodes],
      },
      ['Unknown', nodes],
    ),
    always('Unknown', nodes),
  ),
  'pxc.percona.com/PerconaXtraDBCluster': firstOf(
    galera,
    field('status.state', {
      initializing: ['Progressing', nodes],
      ready: ['Healthy', nodes],
      paused: ['Unknown', 'Cluster is paused'],
      stopping: ['Degraded', `Cluster is stopping (${nodes})`],
    }),
    always('Unknown', `Cluster status is unknown. ${report}`),
  ),
  'clickhouse-keeper.altinity.com/ClickHouseKeeperInstallation': clickhouse('ClickHouseKeeper'),
  'clickhouse.altinity.com/ClickHouseInstallation': clickhouse('ClickHouse'),
  'cassandra.rook.io/Cluster': firstOf(racks, always('Progressing', 'Waiting for Cassandra Cluster')),
  'db.atlasgo.io/AtlasMigration': atlas('reason', ['Reconciling']),
  'db.atlasgo.io/AtlasSchema': atlas('message', ['Reconciling', 'GettingDevDB']),
  'elasticsearch.k8s.elastic.co/Elasticsearch': firstOf(
    elasticsearch,
    always('Unknown', `Elasticsearch Cluster status is unknown. ${report}`),
  ),
  'beat.k8s.elastic.co/Beat': beat,
  'logstash.k8s.elastic.co/Logstash': firstOf(
    field('status.health', {
      green: ['Healthy', 'Logstash status is Green'],
      yellow: ['Progressing', 'Logstash status is Yellow'],
      red: ['Degraded', 'Logstash status is Red'],
    }),
    always('Progressing', 'Waiting for Logstash'),
  ),
  'solr.apache.org/SolrCloud': firstOf(
    without('status.solrNodes', always('Progressing', 'Waiting for solr to exist')),
    (object) =>
      items(object, 'status.solrNodes').every((node) => at(node, 'ready') === true)
        ? health('Healthy', 'Solr is ready')
        : health('Progressing', 'Not all replicas are ready'),
  ),
};
