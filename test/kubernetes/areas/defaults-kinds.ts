import { getObject, type JsonObject } from '#base/json.ts';
import { claim, configMap, job, secret, workload } from '../suite/objects.ts';

export interface Defaulted {
  id: string;
  resource: string;
  /** Of the whole cluster; made by a dry run, so that nothing stays. */
  clustered?: boolean;
  body: JsonObject;
  /** What the server adds or rewrites: path by path, everything else stays as it was sent. */
  adds: Record<string, unknown>;
}

export const container = {
  resources: {},
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  imagePullPolicy: 'IfNotPresent',
};

/** What a template of one container gets below `at`. */
export function templateDefaults(at: string, restartPolicy = true): Record<string, unknown> {
  const adds: Record<string, unknown> = {
    [`${at}.metadata.creationTimestamp`]: null,
    [`${at}.spec.terminationGracePeriodSeconds`]: 30,
    [`${at}.spec.dnsPolicy`]: 'ClusterFirst',
    [`${at}.spec.securityContext`]: {},
  };
  if (restartPolicy) adds[`${at}.spec.restartPolicy`] = 'Always';
  for (const [key, value] of Object.entries(container)) adds[`${at}.spec.containers.0.${key}`] = value;
  return adds;
}

export const tolerate = (key: string) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 });
export const serviceDefaults = {
  'spec.ports.0.protocol': 'TCP',
  'spec.ports.0.targetPort': 80,
  'spec.sessionAffinity': 'None',
  'spec.internalTrafficPolicy': 'Cluster',
  status: { loadBalancer: {} },
};

export const kinds: Defaulted[] = [
  {
    id: 'deployment',
    resource: 'apps/v1/deployments',
    body: workload('Deployment', 'x'),
    adds: {
      'metadata.generation': 1,
      'spec.replicas': 1,
      ...templateDefaults('spec.template'),
      'spec.strategy': { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      'spec.revisionHistoryLimit': 10,
      'spec.progressDeadlineSeconds': 600,
      status: {},
    },
  },
  {
    id: 'stateful-set',
    resource: 'apps/v1/statefulsets',
    body: workload('StatefulSet', 'x', {
      serviceName: 'x',
      volumeClaimTemplates: [
        {
          metadata: { name: 'd' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1024Mi' } } },
        },
      ],
    }),
    adds: {
      'metadata.generation': 1,
      'spec.replicas': 1,
      ...templateDefaults('spec.template'),
      'spec.volumeClaimTemplates.0.kind': 'PersistentVolumeClaim',
      'spec.volumeClaimTemplates.0.apiVersion': 'v1',
      'spec.volumeClaimTemplates.0.metadata.creationTimestamp': null,
      'spec.volumeClaimTemplates.0.spec.resources.requests.storage': '1Gi',
      'spec.volumeClaimTemplates.0.spec.volumeMode': 'Filesystem',
      'spec.volumeClaimTemplates.0.status': { phase: 'Pending' },
      'spec.podManagementPolicy': 'OrderedReady',
      'spec.updateStrategy': { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      'spec.revisionHistoryLimit': 10,
      'spec.persistentVolumeClaimRetentionPolicy': { whenDeleted: 'Retain', whenScaled: 'Retain' },
      status: { replicas: 0, availableReplicas: 0 },
    },
  },
  {
    id: 'daemon-set',
    resource: 'apps/v1/daemonsets',
    body: workload('DaemonSet', 'x'),
    adds: {
      'metadata.generation': 1,
      'metadata.annotations': { 'deprecated.daemonset.template.generation': '1' },
      ...templateDefaults('spec.template'),
      'spec.updateStrategy': { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      'spec.revisionHistoryLimit': 10,
      status: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
    },
  },
  {
    id: 'replica-set',
    resource: 'apps/v1/replicasets',
    body: workload('ReplicaSet', 'x'),
    adds: {
      'metadata.generation': 1,
      'spec.replicas': 1,
      ...templateDefaults('spec.template'),
      status: { replicas: 0 },
    },
  },
  {
    id: 'cron-job',
    resource: 'batch/v1/cronjobs',
    body: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'x' },
      spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: getObject(job('x'), 'spec') } },
    },
    adds: {
      'metadata.generation': 1,
      'spec.concurrencyPolicy': 'Allow',
      'spec.suspend': false,
      'spec.jobTemplate.metadata.creationTimestamp': null,
      ...templateDefaults('spec.jobTemplate.spec.template', false),
      'spec.successfulJobsHistoryLimit': 3,
      'spec.failedJobsHistoryLimit': 1,
      status: {},
    },
  },
  {
    id: 'service-headless',
    resource: 'services',
    body: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'x' },
      spec: { clusterIP: 'None', selector: { app: 'x' }, ports: [{ port: 80 }] },
    },
    adds: {
      ...serviceDefaults,
      'spec.clusterIPs': ['None'],
      'spec.type': 'ClusterIP',
      'spec.ipFamilies': ['IPv4'],
      'spec.ipFamilyPolicy': 'SingleStack',
    },
  },
  {
    id: 'ingress',
    resource: 'networking.k8s.io/v1/ingresses',
    body: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'x' },
      spec: { ingressClassName: 'suite', defaultBackend: { service: { name: 'a', port: { number: 80 } } } },
    },
    adds: { 'metadata.generation': 1, status: { loadBalancer: {} } },
  },
  {
    id: 'network-policy',
    resource: 'networking.k8s.io/v1/networkpolicies',
    body: {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'x' },
      spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] },
    },
    adds: { 'metadata.generation': 1, 'spec.ingress.0.ports.0.protocol': 'TCP', 'spec.policyTypes': ['Ingress'] },
  },
  {
    id: 'claim',
    resource: 'persistentvolumeclaims',
    body: claim('x', { resources: { requests: { storage: '1024Mi' } } }),
    adds: {
      'metadata.finalizers': ['kubernetes.io/pvc-protection'],
      'spec.resources.requests.storage': '1Gi',
      'spec.volumeMode': 'Filesystem',
      status: { phase: 'Pending' },
    },
  },
  {
    id: 'volume',
    resource: 'persistentvolumes',
    clustered: true,
    body: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'x' },
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } },
    },
    adds: {
      'metadata.finalizers': ['kubernetes.io/pv-protection'],
      'spec.hostPath.type': '',
      'spec.persistentVolumeReclaimPolicy': 'Retain',
      'spec.volumeMode': 'Filesystem',
      'status.phase': 'Pending',
    },
  },
  {
    id: 'horizontal-pod-autoscaler',
    resource: 'autoscaling/v2/horizontalpodautoscalers',
    body: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'x' },
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' }, maxReplicas: 3 },
    },
    adds: {
      'spec.minReplicas': 1,
      'spec.metrics': [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
      ],
      status: { desiredReplicas: 0, currentMetrics: null },
    },
  },
  {
    id: 'disruption-budget',
    resource: 'policy/v1/poddisruptionbudgets',
    body: {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'x' },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'x' } } },
    },
    adds: {
      'metadata.generation': 1,
      status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
    },
  },
  {
    id: 'secret',
    resource: 'secrets',
    body: secret('x', { data: { a: 'Yg==' } }),
    adds: { type: 'Opaque' },
  },
  { id: 'config-map', resource: 'configmaps', body: configMap('x', { a: 'b' }), adds: {} },
  {
    id: 'service-account',
    resource: 'serviceaccounts',
    body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'x' } },
    adds: {},
  },
  {
    id: 'role-binding',
    resource: 'rbac.authorization.k8s.io/v1/rolebindings',
    body: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'x' },
      subjects: [{ kind: 'User', name: 'u' }],
      roleRef: { kind: 'ClusterRole', name: 'view' },
    },
    adds: {
      'subjects.0.apiGroup': 'rbac.authorization.k8s.io',
      'roleRef.apiGroup': 'rbac.authorization.k8s.io',
    },
  },
  {
    id: 'storage-class',
    resource: 'storage.k8s.io/v1/storageclasses',
    clustered: true,
    body: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'x' },
      provisioner: 'example.com/none',
    },
    adds: { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' },
  },
  {
    id: 'webhook',
    resource: 'admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
    clustered: true,
    body: {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'x' },
      webhooks: [
        {
          name: 'a.example.com',
          clientConfig: { service: { namespace: 'default', name: 'a' } },
          rules: [
            {
              apiGroups: ['example.com'],
              apiVersions: ['v1'],
              operations: ['CREATE'],
              resources: ['things'],
              scope: '*',
            },
          ],
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    },
    adds: {
      'metadata.generation': 1,
      'webhooks.0.clientConfig.service.port': 443,
      'webhooks.0.failurePolicy': 'Fail',
      'webhooks.0.matchPolicy': 'Equivalent',
      'webhooks.0.namespaceSelector': {},
      'webhooks.0.objectSelector': {},
      'webhooks.0.timeoutSeconds': 10,
    },
  },
  {
    id: 'namespace',
    resource: 'namespaces',
    clustered: true,
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } },
    adds: {
      'metadata.labels.kubernetes\\.io/metadata\\.name': 'x',
      'spec.finalizers': ['kubernetes'],
      'status.phase': 'Active',
    },
  },
  {
    id: 'lease',
    resource: 'coordination.k8s.io/v1/leases',
    body: {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'x' },
      spec: { holderIdentity: 'a' },
    },
    adds: {},
  },
  {
    id: 'event',
    resource: 'events',
    body: {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'x' },
      involvedObject: { kind: 'Pod', name: 'p', namespace: '' },
      reason: 'Suite',
      message: 'm',
      type: 'Normal',
    },
    adds: {
      source: {},
      firstTimestamp: null,
      lastTimestamp: null,
      eventTime: null,
      reportingComponent: '',
      reportingInstance: '',
    },
  },
];
