import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import { getPath, isObject } from '#base/json.ts';
import { createTypeRegistry } from '../registry.ts';

const registry = createTypeRegistry();

function defaulted(gvk: string, raw: JsonObject): JsonObject {
  const [group = '', version = '', kind = ''] = gvk.split('/');
  const type = registry.builtin({ group, version, kind });
  assert.ok(type, gvk);
  const { object } = type.decode({ metadata: { name: 'x', uid: 'u-1' }, ...raw });
  type.applyDefaults(object);
  const again = structuredClone(object);
  type.applyDefaults(again, object);
  assert.deepEqual(again, object, 'defaults are stable');
  return object;
}

/** Every member of `want` must be in `got`; lists must be equal in length. */
function includes(got: unknown, want: unknown, path = ''): void {
  if (isObject(want) && isObject(got)) {
    for (const [key, value] of Object.entries(want)) includes(got[key], value, `${path}.${key}`);
  } else if (Array.isArray(want) && Array.isArray(got)) {
    assert.equal(got.length, want.length, path);
    for (const [index, value] of want.entries()) includes(got[index], value, `${path}[${index}]`);
  } else assert.deepEqual(got, want, path);
}

const template = { spec: { containers: [{ name: 'c', image: 'shop:1.0' }] } };
const templateDefaults = {
  metadata: { creationTimestamp: null },
  spec: {
    containers: [
      {
        imagePullPolicy: 'IfNotPresent',
        resources: {},
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
      },
    ],
    dnsPolicy: 'ClusterFirst',
    restartPolicy: 'Always',
    schedulerName: 'default-scheduler',
    securityContext: {},
    terminationGracePeriodSeconds: 30,
  },
};

const rows: { gvk: string; raw: JsonObject; want: JsonObject }[] = [
  {
    gvk: 'apps/v1/Deployment',
    raw: { spec: { template } },
    want: {
      spec: {
        replicas: 1,
        progressDeadlineSeconds: 600,
        revisionHistoryLimit: 10,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
        template: templateDefaults,
      },
      status: {},
    },
  },
  {
    gvk: 'apps/v1/Deployment',
    raw: { spec: { strategy: { type: 'Recreate' }, replicas: 0 } },
    want: { spec: { replicas: 0, strategy: { type: 'Recreate', rollingUpdate: undefined } } },
  },
  {
    gvk: 'apps/v1/ReplicaSet',
    raw: { spec: { template } },
    want: { spec: { replicas: 1, template: templateDefaults } },
  },
  {
    gvk: 'apps/v1/StatefulSet',
    raw: { spec: { template, volumeClaimTemplates: [{ metadata: { name: 'd' } }] } },
    want: {
      spec: {
        replicas: 1,
        podManagementPolicy: 'OrderedReady',
        revisionHistoryLimit: 10,
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
        volumeClaimTemplates: [
          {
            kind: 'PersistentVolumeClaim',
            apiVersion: 'v1',
            metadata: { name: 'd', creationTimestamp: null },
            spec: { volumeMode: 'Filesystem' },
            status: { phase: 'Pending' },
          },
        ],
      },
      status: { replicas: 0, availableReplicas: 0 },
    },
  },
  {
    gvk: 'apps/v1/DaemonSet',
    raw: { spec: { template } },
    want: {
      metadata: { annotations: { 'deprecated.daemonset.template.generation': '1' } },
      spec: {
        revisionHistoryLimit: 10,
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      },
      status: { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 },
    },
  },
  {
    gvk: 'batch/v1/Job',
    raw: { spec: { template } },
    want: {
      spec: {
        backoffLimit: 6,
        completionMode: 'NonIndexed',
        completions: 1,
        manualSelector: false,
        parallelism: 1,
        podReplacementPolicy: 'TerminatingOrFailed',
        suspend: false,
      },
    },
  },
  {
    gvk: 'batch/v1/CronJob',
    raw: { spec: { schedule: '* * * * *', jobTemplate: { spec: { template } } } },
    want: {
      spec: {
        concurrencyPolicy: 'Allow',
        failedJobsHistoryLimit: 1,
        successfulJobsHistoryLimit: 3,
        suspend: false,
        jobTemplate: {
          metadata: { creationTimestamp: null },
          spec: { template: templateDefaults, backoffLimit: undefined },
        },
      },
    },
  },
  {
    gvk: '/v1/Service',
    raw: { spec: { ports: [{ port: 80 }] } },
    want: {
      spec: {
        internalTrafficPolicy: 'Cluster',
        ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
        sessionAffinity: 'None',
        type: 'ClusterIP',
        externalTrafficPolicy: undefined,
      },
      status: { loadBalancer: {} },
    },
  },
  {
    gvk: '/v1/Service',
    raw: { spec: { type: 'LoadBalancer', sessionAffinity: 'ClientIP', ports: [{ port: 80, targetPort: 'web' }] } },
    want: {
      spec: {
        allocateLoadBalancerNodePorts: true,
        externalTrafficPolicy: 'Cluster',
        ports: [{ targetPort: 'web' }],
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } },
      },
    },
  },
  {
    gvk: '/v1/Secret',
    raw: { stringData: { word: 'hi' }, data: { other: 'AA==' } },
    want: { type: 'Opaque', data: { word: 'aGk=', other: 'AA==' }, stringData: undefined },
  },
  {
    gvk: '/v1/PersistentVolumeClaim',
    raw: {},
    want: {
      spec: { volumeMode: 'Filesystem' },
      status: { phase: 'Pending' },
    },
  },
  {
    gvk: '/v1/PersistentVolume',
    raw: { spec: { hostPath: { path: '/d' } } },
    want: {
      spec: { hostPath: { type: '' }, persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' },
    },
  },
  {
    gvk: 'autoscaling/v2/HorizontalPodAutoscaler',
    raw: {},
    want: {
      spec: {
        minReplicas: 1,
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
        ],
      },
      status: { desiredReplicas: 0, currentMetrics: null },
    },
  },
  {
    gvk: 'networking.k8s.io/v1/NetworkPolicy',
    raw: { spec: { podSelector: {}, egress: [{ ports: [{ port: 53 }] }] } },
    want: { spec: { policyTypes: ['Ingress', 'Egress'], egress: [{ ports: [{ protocol: 'TCP' }] }] } },
  },
  {
    gvk: 'rbac.authorization.k8s.io/v1/RoleBinding',
    raw: {
      roleRef: { kind: 'Role', name: 'r' },
      subjects: [
        { kind: 'User', name: 'u' },
        { kind: 'ServiceAccount', name: 's' },
      ],
    },
    want: {
      roleRef: { apiGroup: 'rbac.authorization.k8s.io' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io' }, { apiGroup: undefined }],
    },
  },
  {
    gvk: 'storage.k8s.io/v1/StorageClass',
    raw: { provisioner: 'p' },
    want: { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' },
  },
  {
    gvk: 'admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration',
    raw: { webhooks: [{ name: 'w.x.io', clientConfig: { service: { name: 's', namespace: 'n' } } }] },
    want: {
      webhooks: [
        {
          clientConfig: { service: { port: 443 } },
          failurePolicy: 'Fail',
          matchPolicy: 'Equivalent',
          namespaceSelector: {},
          objectSelector: {},
          timeoutSeconds: 10,
        },
      ],
    },
  },
  { gvk: 'networking.k8s.io/v1/Ingress', raw: { spec: {} }, want: { status: { loadBalancer: {} } } },
];

for (const { gvk, raw, want } of rows) {
  test(`defaults of ${gvk} ${JSON.stringify(raw).slice(0, 60)}`, () => includes(defaulted(gvk, raw), want));
}

test('a Pod gets requests from limits; a template does not', () => {
  const containers = [
    { name: 'c', image: 'x', resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '100m' } } },
  ];
  const pod = defaulted('/v1/Pod', { spec: { containers } });
  assert.deepEqual(getPath(pod, 'spec', 'containers', 0, 'resources', 'requests'), { cpu: '100m', memory: '1Gi' });
  assert.equal(getPath(pod, 'spec', 'enableServiceLinks'), true);
  const deployment = defaulted('apps/v1/Deployment', { spec: { template: { spec: { containers } } } });
  assert.deepEqual(getPath(deployment, 'spec', 'template', 'spec', 'containers', 0, 'resources', 'requests'), {
    cpu: '100m',
  });
});

test('the pull policy follows the tag', () => {
  const policies: [string, string][] = [
    ['shop', 'Always'],
    ['shop:latest', 'Always'],
    ['shop:1', 'IfNotPresent'],
    ['localhost:5000/shop', 'Always'],
    ['localhost:5000/shop:2', 'IfNotPresent'],
    [`shop@sha256:${'0'.repeat(64)}`, 'IfNotPresent'],
  ];
  for (const [image, want] of policies) {
    const pod = defaulted('/v1/Pod', { spec: { containers: [{ name: 'c', image }] } });
    assert.equal(getPath(pod, 'spec', 'containers', 0, 'imagePullPolicy'), want, image);
  }
});

test('probes, ports, environment and volumes of a container', () => {
  const pod = defaulted('/v1/Pod', {
    spec: {
      containers: [
        {
          name: 'c',
          image: 'x:1',
          ports: [{ containerPort: 80 }],
          env: [
            { name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
            { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
          ],
          livenessProbe: { httpGet: { port: 80 } },
          readinessProbe: { grpc: { port: 1 } },
        },
      ],
      volumes: [
        { name: 'a' },
        { name: 'b', configMap: { name: 'm' } },
        { name: 'c', hostPath: { path: '/d' } },
        { name: 'd', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
      ],
    },
  });
  const timing = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 };
  includes(getPath(pod, 'spec', 'containers', 0), {
    ports: [{ protocol: 'TCP' }],
    env: [{ valueFrom: { fieldRef: { apiVersion: 'v1' } } }, { valueFrom: { resourceFieldRef: { divisor: '0' } } }],
    livenessProbe: { ...timing, httpGet: { path: '/', scheme: 'HTTP' } },
    readinessProbe: { ...timing, grpc: { service: '' } },
  });
  includes(getPath(pod, 'spec', 'volumes'), [
    { emptyDir: {} },
    { configMap: { defaultMode: 420 } },
    { hostPath: { type: '' } },
    { projected: { defaultMode: 420, sources: [{ serviceAccountToken: { expirationSeconds: 3600 } }] } },
  ]);
});
