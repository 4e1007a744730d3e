import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '#kube/port.ts';
import type { HealthStatus } from '#model/argocd/application.ts';
import { type AggregatedResource, aggregateHealth } from './aggregate.ts';
import { assessHealth } from './assess.ts';

const condition = (type: string, status = 'True', reason = '', message = '') => ({ type, status, reason, message });

interface Row {
  name: string;
  kind: string;
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
  want: HealthStatus | undefined;
}

const rolled = { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
const deployment = { kind: 'apps/v1/Deployment', spec: { replicas: 2 }, metadata: { generation: 1 } };
const set = {
  kind: 'apps/v1/StatefulSet',
  spec: { replicas: 2, updateStrategy: { type: 'RollingUpdate' } },
  metadata: { generation: 1 },
};
const daemon = { kind: 'apps/v1/DaemonSet', spec: {}, metadata: { generation: 1 } };
const waiting = (reason: string) => ({ phase: 'Pending', containerStatuses: [{ state: { waiting: { reason } } }] });
const hpa = (status: Record<string, unknown>): Pick<Row, 'kind' | 'status'> => ({
  kind: 'autoscaling/v2/HorizontalPodAutoscaler',
  status,
});
const child = (status: Record<string, unknown>) => ({
  kind: 'argoproj.io/v1alpha1/Application',
  spec: { source: { repoURL: 'x' }, destination: { name: 'in-cluster' } },
  status,
});
const compared = { sync: { comparedTo: { source: { repoURL: 'x' }, destination: { name: 'in-cluster' } } } };

const rows: Row[] = [
  { name: 'rolled out', ...deployment, status: rolled, want: 'Healthy' },
  {
    name: 'no replicas wanted',
    ...deployment,
    spec: { replicas: 0 },
    status: { observedGeneration: 1 },
    want: 'Healthy',
  },
  { name: 'paused', ...deployment, spec: { paused: true }, want: 'Suspended' },
  { name: 'not observed', ...deployment, metadata: { generation: 2 }, status: rolled, want: 'Progressing' },
  {
    name: 'deadline',
    ...deployment,
    status: { ...rolled, conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded')] },
    want: 'Degraded',
  },
  { name: 'not updated', ...deployment, status: { ...rolled, updatedReplicas: 1 }, want: 'Progressing' },
  { name: 'old ones left', ...deployment, status: { ...rolled, replicas: 3 }, want: 'Progressing' },
  { name: 'not available', ...deployment, status: { ...rolled, availableReplicas: 1 }, want: 'Progressing' },
  { name: 'terminating', ...deployment, metadata: { deletionTimestamp: 'x' }, status: rolled, want: 'Progressing' },
  { name: 'set', kind: 'apps/v1/ReplicaSet', spec: { replicas: 1 }, status: { availableReplicas: 1 }, want: 'Healthy' },
  {
    name: 'set fails',
    kind: 'apps/v1/ReplicaSet',
    status: { conditions: [condition('ReplicaFailure')] },
    want: 'Degraded',
  },
  { name: 'not observed', ...set, status: {}, want: 'Progressing' },
  { name: 'not ready', ...set, status: { observedGeneration: 1, readyReplicas: 1 }, want: 'Progressing' },
  {
    name: 'revisions differ',
    ...set,
    status: { observedGeneration: 1, readyReplicas: 2, updateRevision: 'b', currentRevision: 'a' },
    want: 'Progressing',
  },
  {
    name: 'revisions agree',
    ...set,
    status: { observedGeneration: 1, readyReplicas: 2, updateRevision: 'a', currentRevision: 'a' },
    want: 'Healthy',
  },
  {
    name: 'partition',
    ...set,
    spec: { replicas: 2, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } },
    status: { observedGeneration: 1, readyReplicas: 2, updatedReplicas: 0 },
    want: 'Progressing',
  },
  {
    name: 'OnDelete',
    ...set,
    spec: { replicas: 2, updateStrategy: { type: 'OnDelete' } },
    status: { observedGeneration: 1, readyReplicas: 2 },
    want: 'Healthy',
  },
  {
    name: 'daemons there',
    ...daemon,
    status: { observedGeneration: 1, desiredNumberScheduled: 1, updatedNumberScheduled: 1, numberAvailable: 1 },
    want: 'Healthy',
  },
  {
    name: 'daemons missing',
    ...daemon,
    status: { observedGeneration: 1, desiredNumberScheduled: 1, updatedNumberScheduled: 1 },
    want: 'Progressing',
  },
  { name: 'pending', kind: 'v1/Pod', status: { phase: 'Pending' }, want: 'Progressing' },
  { name: 'image cannot be pulled', kind: 'v1/Pod', status: waiting('ErrImagePull'), want: 'Degraded' },
  { name: 'back-off', kind: 'v1/Pod', status: waiting('ImagePullBackOff'), want: 'Degraded' },
  { name: 'creating', kind: 'v1/Pod', status: waiting('ContainerCreating'), want: 'Progressing' },
  {
    name: 'a job pod that waits',
    kind: 'v1/Pod',
    spec: { restartPolicy: 'Never' },
    status: waiting('ErrImagePull'),
    want: 'Progressing',
  },
  { name: 'ready', kind: 'v1/Pod', status: { phase: 'Running', conditions: [condition('Ready')] }, want: 'Healthy' },
  {
    name: 'crashed once',
    kind: 'v1/Pod',
    status: { phase: 'Running', containerStatuses: [{ lastState: { terminated: {} } }] },
    want: 'Degraded',
  },
  {
    name: 'running once',
    kind: 'v1/Pod',
    spec: { restartPolicy: 'OnFailure' },
    status: { phase: 'Running' },
    want: 'Progressing',
  },
  { name: 'succeeded', kind: 'v1/Pod', status: { phase: 'Succeeded' }, want: 'Healthy' },
  { name: 'failed', kind: 'v1/Pod', status: { phase: 'Failed' }, want: 'Degraded' },
  { name: 'running', kind: 'batch/v1/Job', status: {}, want: 'Progressing' },
  {
    name: 'complete',
    kind: 'batch/v1/Job',
    status: { conditions: [condition('SuccessCriteriaMet'), condition('Complete')] },
    want: 'Healthy',
  },
  { name: 'failed', kind: 'batch/v1/Job', status: { conditions: [condition('Failed')] }, want: 'Degraded' },
  { name: 'suspended', kind: 'batch/v1/Job', status: { conditions: [condition('Suspended')] }, want: 'Suspended' },
  { name: 'suspended', kind: 'batch/v1/CronJob', spec: { suspend: true }, want: 'Healthy' },
  {
    name: 'last run failed',
    kind: 'batch/v1/CronJob',
    status: { lastScheduleTime: '2026-01-02T00:00:00Z', lastSuccessfulTime: '2026-01-01T00:00:09Z' },
    want: 'Degraded',
  },
  {
    name: 'long-running by annotation',
    kind: 'v1/Pod',
    metadata: { annotations: { 'argocd.argoproj.io/ignore-restart-policy': 'true' } },
    spec: { restartPolicy: 'Never' },
    status: { phase: 'Running', conditions: [condition('Ready')] },
    want: 'Healthy',
  },
  {
    name: 'last run succeeded',
    kind: 'batch/v1/CronJob',
    status: { lastScheduleTime: '2026-01-01T00:00:00Z', lastSuccessfulTime: '2026-01-01T00:00:09Z' },
    want: 'Healthy',
  },
  { name: 'bound', kind: 'v1/PersistentVolumeClaim', status: { phase: 'Bound' }, want: 'Healthy' },
  { name: 'lost', kind: 'v1/PersistentVolumeClaim', status: { phase: 'Lost' }, want: 'Degraded' },
  { name: 'plain', kind: 'v1/Service', spec: {}, want: 'Healthy' },
  { name: 'no address yet', kind: 'v1/Service', spec: { type: 'LoadBalancer' }, want: 'Progressing' },
  {
    name: 'address',
    kind: 'networking.k8s.io/v1/Ingress',
    status: { loadBalancer: { ingress: [{ ip: '1' }] } },
    want: 'Healthy',
  },
  { name: 'no address', kind: 'networking.k8s.io/v1/Ingress', want: 'Progressing' },
  { name: 'scales', ...hpa({ conditions: [condition('AbleToScale')] }), want: 'Healthy' },
  {
    name: 'no metric',
    ...hpa({ conditions: [condition('AbleToScale'), condition('ScalingActive', 'False', 'FailedGetResourceMetric')] }),
    want: 'Degraded',
  },
  { name: 'old version', kind: 'autoscaling/v2beta1/HorizontalPodAutoscaler', want: 'Unknown' },
  {
    name: 'available',
    kind: 'apiregistration.k8s.io/v1/APIService',
    status: { conditions: [condition('Available')] },
    want: 'Healthy',
  },
  {
    name: 'established',
    kind: 'apiextensions.k8s.io/v1/CustomResourceDefinition',
    status: { conditions: [condition('NamesAccepted'), condition('Established')] },
    want: 'Healthy',
  },
  {
    name: 'names refused',
    kind: 'apiextensions.k8s.io/v1/CustomResourceDefinition',
    status: { conditions: [condition('NamesAccepted', 'False')] },
    want: 'Degraded',
  },
  { name: 'succeeded', kind: 'argoproj.io/v1alpha1/Workflow', status: { phase: 'Succeeded' }, want: 'Healthy' },
  { name: 'not compared', ...child({}), want: 'Progressing' },
  { name: 'compared', ...child({ ...compared, health: { status: 'Degraded' } }), want: 'Degraded' },
  {
    name: 'compared with another source',
    ...child({ sync: { comparedTo: { source: { repoURL: 'y' } } }, health: { status: 'Healthy' } }),
    want: 'Progressing',
  },
  { name: 'no opinion', kind: 'v1/ConfigMap', want: undefined },
];

for (const row of rows)
  test(`health of ${row.kind}: ${row.name}`, () => {
    const parts = row.kind.split('/');
    const kind = parts.pop() ?? '';
    const object = {
      apiVersion: parts.join('/'),
      kind,
      metadata: { name: 'x', ...row.metadata },
      spec: row.spec,
      status: row.status,
    };
    assert.equal(assessHealth(object as KubeObject)?.status, row.want);
  });

const there: KubeObject = { apiVersion: 'v1', kind: 'X', metadata: { name: 'x' } };
const resource = (status: HealthStatus | undefined, fields: Partial<AggregatedResource> = {}): AggregatedResource => ({
  group: '',
  kind: 'X',
  namespace: 'n',
  name: 'x',
  hook: false,
  live: there,
  health: status && { status },
  self: false,
  ...fields,
});
const application = { group: 'argoproj.io', kind: 'Application' };
const aggregates: { name: string; resources: AggregatedResource[]; want: string }[] = [
  { name: 'nothing', resources: [], want: 'Healthy' },
  {
    name: 'the worst',
    resources: [resource('Healthy'), resource('Progressing'), resource('Suspended')],
    want: 'Progressing Caused by X:n/x',
  },
  { name: 'no opinion', resources: [resource(undefined)], want: 'Healthy' },
  { name: 'all absent', resources: [resource('Missing', { live: undefined })], want: 'Missing' },
  { name: 'one absent', resources: [resource('Missing', { live: undefined }), resource('Healthy')], want: 'Healthy' },
  {
    name: 'hooks do not count',
    resources: [resource('Degraded', { hook: true }), resource('Healthy')],
    want: 'Healthy',
  },
  { name: 'self does not count', resources: [resource('Degraded', { self: true })], want: 'Healthy' },
  {
    name: 'ignored',
    resources: [
      resource('Degraded', {
        live: { ...there, metadata: { name: 'x', annotations: { 'argocd.argoproj.io/ignore-healthcheck': 'true' } } },
      }),
    ],
    want: 'Healthy',
  },
  { name: 'an unknown child', resources: [resource('Unknown', application)], want: 'Healthy' },
  {
    name: 'a degraded child',
    resources: [resource('Degraded', application)],
    want: 'Degraded Caused by argoproj.io/Application:n/x',
  },
];
for (const row of aggregates)
  test(`aggregate: ${row.name}`, () => {
    const { status, message } = aggregateHealth(row.resources);
    assert.equal(message === undefined ? status : `${status} ${message}`, row.want);
  });
