import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import { createTypeRegistry } from '../registry.ts';

const registry = createTypeRegistry();
const labels = { a: 'b' };
const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'x:1' }] } };
const workload = { selector: { matchLabels: labels }, template };
const scaled = { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'd' } };
const ports = [{ port: 80 }];

const rows: { name: string; gvk: string; spec: JsonObject; want: string[] }[] = [
  {
    name: 'a partition below zero',
    gvk: 'apps/v1/StatefulSet',
    spec: { ...workload, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: -1 } } },
    want: ['spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0'],
  },
  {
    name: 'a partition of what is not rolled',
    gvk: 'apps/v1/StatefulSet',
    spec: { ...workload, updateStrategy: { type: 'OnDelete', rollingUpdate: { partition: 1 } } },
    want: [
      `spec.updateStrategy.rollingUpdate: Invalid value: {"partition":1}: only allowed for updateStrategy 'RollingUpdate'`,
    ],
  },
  {
    name: 'claims kept some other way',
    gvk: 'apps/v1/StatefulSet',
    spec: { ...workload, persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Archive' } },
    want: [
      'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Archive": supported values: "Delete", "Retain"',
    ],
  },
  {
    name: 'daemons that may neither go nor come',
    gvk: 'apps/v1/DaemonSet',
    spec: { ...workload, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 0 } } },
    want: ['spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0'],
  },
  {
    name: 'daemons that may both go and come',
    gvk: 'apps/v1/DaemonSet',
    spec: { ...workload, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } } },
    want: [
      'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero',
    ],
  },
  {
    name: 'metrics without type, source and target',
    gvk: 'autoscaling/v2/HorizontalPodAutoscaler',
    spec: {
      ...scaled,
      metrics: [
        {},
        { type: 'Moon' },
        { type: 'Resource' },
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization' } } },
        { type: 'Pods', pods: { metric: { name: '' }, target: { type: 'AverageValue', averageValue: '1' } } },
      ],
    },
    want: [
      'spec.metrics[0].type: Required value: must specify a metric source type',
      'spec.metrics[1].type: Unsupported value: "Moon": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
      'spec.metrics[2].resource: Required value: must populate information for the given metric source',
      'spec.metrics[3].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization',
      'spec.metrics[4].pods.metric.name: Required value',
    ],
  },
  {
    name: 'a port of the nodes inside the cluster',
    gvk: '/v1/Service',
    spec: { ports: [{ port: 80, nodePort: 30080 }] },
    want: ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
  },
  {
    name: 'what only Services for the outside have',
    gvk: '/v1/Service',
    spec: { ports, externalTrafficPolicy: 'Local', loadBalancerSourceRanges: ['10.0.0.0/8'] },
    want: [
      'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
      "spec.loadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
    ],
  },
  {
    name: 'affinity for too long, and an address that is none',
    gvk: '/v1/Service',
    spec: {
      ports,
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 90_000 } },
      externalIPs: ['1.2.3'],
    },
    want: [
      'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 90000: must be greater than 0 and less than 86400',
      'spec.externalIPs[0]: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
  },
  {
    name: 'ranges of addresses and ports',
    gvk: 'networking.k8s.io/v1/NetworkPolicy',
    spec: {
      podSelector: {},
      ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0' } }], ports: [{ port: 90, endPort: 80 }] }],
      egress: [{ ports: [{ port: 'http', endPort: 80 }, { endPort: 80 }] }],
    },
    want: [
      'spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`',
      'spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      'spec.egress[0].ports[0].endPort: Invalid value: 80: may not be specified when `port` is non-numeric',
      'spec.egress[0].ports[1].port: Required value: must be specified when `endPort` is specified',
    ],
  },
];

for (const { name, gvk, spec, want } of rows) {
  test(`refused: ${name}`, () => {
    const [group = '', version = '', kind = ''] = gvk.split('/');
    const type = registry.builtin({ group, version, kind });
    assert.ok(type, gvk);
    const { object } = type.decode({ metadata: { name: 'x' }, spec });
    type.applyDefaults(object);
    assert.deepEqual(
      type.validateCreate(object).map((error) => `${error.field}: ${error.message}`),
      want,
    );
  });
}
