import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#kube/port.ts';
import { assessHealth } from '../assess.ts';
import { catalogued, cataloguedKinds } from './catalogue.ts';

type Condition = readonly [type: string, status: string, reason?: string, message?: string];

interface Given {
  conditions?: readonly Condition[];
  status?: Record<string, unknown>;
  spec?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
}

function objectOf(groupKind: string, given: Given): KubeObject {
  const [group = '', kind = ''] = groupKind.split('/');
  const conditions = given.conditions?.map(([type, status, reason, message]) => ({ type, status, reason, message }));
  const known = given.status !== undefined || conditions !== undefined;
  return {
    apiVersion: `${group}/v1`,
    kind,
    metadata: { name: 'x', generation: 2, ...given.metadata },
    ...(given.spec === undefined ? {} : { spec: given.spec }),
    ...(known ? { status: { ...given.status, ...(conditions === undefined ? {} : { conditions }) } } : {}),
  };
}

/** A kind in some state, and the status with its message, after a colon. */
const rows: readonly (readonly [groupKind: string, given: Given, want: string])[] = [
  ['cert-manager.io/Certificate', {}, 'Progressing: Waiting for certificate'],
  ['cert-manager.io/Certificate', { conditions: [['Ready', 'True', 'Ready', 'up to date']] }, 'Healthy: up to date'],
  ['cert-manager.io/Certificate', { conditions: [['Ready', 'False', 'X', 'no']] }, 'Degraded: no'],
  [
    'cert-manager.io/Certificate',
    {
      conditions: [
        ['Ready', 'False', 'X', 'no'],
        ['Issuing', 'True', 'R', 'renews'],
      ],
    },
    'Progressing: renews',
  ],
  [
    'external-secrets.io/ExternalSecret',
    { conditions: [['Ready', 'Unknown']] },
    'Progressing: Waiting for ExternalSecret',
  ],
  [
    'external-secrets.io/ClusterExternalSecret',
    {
      conditions: [
        ['Ready', 'True', '', 'old'],
        ['NotReady', 'True', '', 'none'],
      ],
    },
    'Degraded: none',
  ],
  ['kustomize.toolkit.fluxcd.io/Kustomization', { spec: { suspend: true } }, 'Suspended: Kustomization is suspended'],
  ['kustomize.toolkit.fluxcd.io/Kustomization', { conditions: [['Ready', 'True', 'Done']] }, 'Healthy: Done'],
  [
    'kustomize.toolkit.fluxcd.io/Kustomization',
    {
      conditions: [
        ['Ready', 'Unknown', 'Progressing'],
        ['Reconciling', 'True'],
      ],
    },
    'Progressing: Progressing',
  ],
  ['helm.toolkit.fluxcd.io/HelmRelease', { conditions: [['Ready', 'True', 'Up']] }, 'Degraded: Up'],
  [
    'helm.toolkit.fluxcd.io/HelmRelease',
    {
      conditions: [
        ['Ready', 'True', 'Up'],
        ['Released', 'True'],
      ],
    },
    'Healthy: Up',
  ],
  [
    'source.toolkit.fluxcd.io/GitRepository',
    {
      conditions: [
        ['Ready', 'False', 'Auth'],
        ['ArtifactOutdated', 'True', 'NewRevision'],
      ],
    },
    'Degraded: Auth NewRevision',
  ],
  ['s3.aws.upbound.io/Bucket', { status: {} }, 'Progressing: Provisioning ...'],
  ['s3.aws.upbound.io/Bucket', {}, 'Healthy: Resource is up-to-date.'],
  [
    's3.aws.upbound.io/Bucket',
    {
      conditions: [
        ['Ready', 'True'],
        ['Synced', 'False', 'E', 'denied'],
      ],
    },
    'Degraded: denied',
  ],
  [
    'rds.aws.crossplane.io/DBInstance',
    { conditions: [['Synced', 'True']] },
    'Progressing: Waiting for DBInstance to be available',
  ],
  [
    'rds.aws.crossplane.io/DBInstance',
    { conditions: [['Synced', 'False', 'ReconcilePaused']] },
    'Suspended: ReconcilePaused',
  ],
  [
    'sql.cnrm.cloud.google.com/SQLInstance',
    { conditions: [['Ready', 'False', 'DependencyNotReady', 'dep']] },
    'Suspended: dep',
  ],
  ['dynamodb.services.k8s.aws/Table', { conditions: [['ACK.Terminal', 'True', '', 'bad']] }, 'Degraded: bad'],
  [
    'postgresql.cnpg.io/Cluster',
    { status: { phase: 'Failing over', phaseReason: 'r', conditions: [] } },
    'Degraded: r',
  ],
  ['acid.zalan.do/postgresql', { status: { PostgresClusterStatus: 'SyncFailed' } }, 'Degraded: SyncFailed'],
  ['k8s.mariadb.com/MariaDB', { conditions: [['Ready', 'False', 'Failed', 'no disk']] }, 'Degraded: no disk'],
  [
    'elasticsearch.k8s.elastic.co/Elasticsearch',
    { spec: { nodeSets: [{ count: 2 }, { count: 1 }] }, status: { availableNodes: 1 } },
    'Progressing: The desired amount of availableNodes is 3 but the current amount is 1',
  ],
  [
    'kafka.strimzi.io/Kafka',
    { conditions: [['NotReady', 'True', 'Creating', 'x']] },
    'Progressing: Waiting for Kafka Cluster',
  ],
  ['kafka.strimzi.io/KafkaTopic', { conditions: [['Ready', 'True']] }, 'Healthy'],
  ['rabbitmq.com/Queue', {}, 'Unknown: RabbitMQ queue status is unknown'],
  ['platform.confluent.io/Kafka', { status: { phase: 'RUNNING' } }, 'Healthy: Kafka running'],
  [
    'keda.sh/ScaledObject',
    {
      conditions: [
        ['Ready', 'True', '', 'ok'],
        ['Paused', 'True', '', 'held'],
      ],
    },
    'Suspended: held',
  ],
  [
    'keda.sh/ScaledObject',
    {
      conditions: [
        ['Ready', 'True', '', 'ok'],
        ['Fallback', 'True', '', 'fell'],
      ],
    },
    'Degraded: fell',
  ],
  [
    'serving.knative.dev/Service',
    { conditions: [['Ready', 'False', 'Boom', 'why']] },
    'Degraded: Ready is False, since Boom. why\n',
  ],
  [
    'argoproj.io/Rollout',
    { status: { observedGeneration: '1' } },
    'Progressing: Waiting for rollout spec update to be observed',
  ],
  [
    'argoproj.io/Rollout',
    { status: { observedGeneration: '2', phase: 'Paused', message: 'CanaryPauseStep' } },
    'Suspended: CanaryPauseStep',
  ],
  ['argoproj.io/AnalysisRun', { status: { phase: 'Inconclusive' } }, 'Unknown: Analysis run was inconclusive'],
  ['argoproj.io/ApplicationSet', { conditions: [['ResourcesUpToDate', 'True', '', 'all']] }, 'Healthy: all'],
  ['gateway.networking.k8s.io/Gateway', { conditions: [['Programmed', 'False', '', 'soon']] }, 'Progressing: soon'],
  [
    'gateway.networking.k8s.io/HTTPRoute',
    {
      status: {
        parents: [{ parentRef: { name: 'web' }, conditions: [{ type: 'Accepted', status: 'False', message: 'no' }] }],
      },
    },
    'Degraded: Parent web: no',
  ],
  [
    'policy/PodDisruptionBudget',
    { conditions: [['DisruptionAllowed', 'False', 'InsufficientPods']] },
    'Healthy: PodDisruptionBudget has InsufficientPods',
  ],
  [
    'monitoring.coreos.com/Prometheus',
    { conditions: [['Available', 'False', 'SomePodsNotReady', 'one']] },
    'Progressing: one',
  ],
  [
    'cluster.x-k8s.io/MachinePool',
    { status: { phase: 'Running' }, conditions: [['Ready', 'False', 'W']] },
    'Healthy: MachinePool is Running: Not Ready (W)',
  ],
  [
    'karpenter.sh/NodeClaim',
    { status: { observedGeneration: 1 } },
    'Progressing: Waiting for NodeClaim spec to be reconciled',
  ],
  [
    'operator.victoriametrics.com/VMAgent',
    { status: { updateStatus: 'failed', observedGeneration: 2 } },
    'Degraded: Reconciliation failed',
  ],
  [
    'ceph.rook.io/CephCluster',
    { status: { ceph: { health: 'HEALTH_OK' }, state: 'Created' } },
    'Healthy: Ceph health is HEALTH_OK - Ceph cluster state is Created',
  ],
  [
    'capabilities.3scale.net/Product',
    { conditions: [['Invalid', 'True']] },
    'Degraded: 3scale Product configuration is invalid',
  ],
  ['gloo.solo.io/Upstream', { status: { state: 1 } }, 'Healthy: The resource has been validated'],
  [
    'route.openshift.io/Route',
    { status: { ingress: [{ conditions: [{ type: 'Admitted', status: 'False' }] }] } },
    'Degraded: Route is degraded',
  ],
  ['microgateway.airlock.com/Limits', {}, 'Healthy: Limits is healthy'],
  [
    'promoter.argoproj.io/PullRequest',
    { metadata: { deletionTimestamp: 'x', finalizers: ['pullrequest.promoter.argoproj.io/finalizer'] } },
    'Progressing: Pull request is being deleted. pullrequest.promoter.argoproj.io/finalizer: Waiting for SCM closure or reconciliation of the pull request. Risk if removed manually: the real PR can stay open after the CR is gone.',
  ],
  ['keda.sh/ScaledObject', { metadata: { deletionTimestamp: 'x' } }, 'Progressing: Pending deletion'],
];

for (const [groupKind, given, want] of rows)
  test(`${groupKind} is ${want}`, () => {
    const { status, message } = assessHealth(objectOf(groupKind, given)) ?? {};
    assert.equal(message === undefined ? status : `${status}: ${message}`, want);
  });

test('no check stumbles over an object without status, or with one of unexpected shape', () => {
  const shapes: Given[] = [
    {},
    { status: {} },
    { conditions: [] },
    { status: { conditions: 'x', phase: 7 } },
    { status: { conditions: [null, 'x', {}] } },
  ];
  for (const groupKind of cataloguedKinds)
    for (const given of shapes) {
      const name = groupKind.replaceAll('*', 'x');
      assert.doesNotThrow(() => catalogued(name)?.(objectOf(name, given)), `${name} ${JSON.stringify(given)}`);
    }
});

test('patterns apply to their group only', () => {
  assert.ok(catalogued('s3.aws.upbound.io/Bucket'));
  assert.equal(catalogued('upbound.io.example.org/Bucket'), undefined);
  assert.equal(catalogued('example.org/Bucket'), undefined);
});
