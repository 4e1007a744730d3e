import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '#base/json.ts';
import { createTypeRegistry } from '../registry.ts';

const registry = createTypeRegistry();

function findings(gvk: string, raw: JsonObject): string[] {
  const [group = '', version = '', kind = ''] = gvk.split('/');
  const type = registry.builtin({ group, version, kind });
  assert.ok(type, gvk);
  const { object } = type.decode({ metadata: { name: 'x' }, ...raw });
  type.applyDefaults(object);
  return type.validateCreate(object).map((error) => `${error.field}: ${error.message}`);
}

const container = { name: 'c', image: 'x:1' };
const must = 'requiredDuringSchedulingIgnoredDuringExecution';
const should = 'preferredDuringSchedulingIgnoredDuringExecution';

const pods: { name: string; spec?: JsonObject; container?: JsonObject; want: string[] }[] = [
  { name: 'nothing special', want: [] },
  {
    name: 'a privileged container that may not escalate',
    container: { securityContext: { privileged: true, allowPrivilegeEscalation: false } },
    want: [
      'spec.containers[0].securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
    ],
  },
  {
    name: 'a user below zero',
    spec: { securityContext: { fsGroup: -1 } },
    container: { securityContext: { runAsUser: -5 } },
    want: [
      'spec.containers[0].securityContext.runAsUser: Invalid value: -5: must be between 0 and 2147483647, inclusive',
      'spec.securityContext.fsGroup: Invalid value: -1: must be between 0 and 2147483647, inclusive',
    ],
  },
  {
    name: 'a local seccomp profile without its file',
    spec: { securityContext: { seccompProfile: { type: 'Localhost' } } },
    want: [
      'spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost',
    ],
  },
  {
    name: 'a probe of an init container, and one that is a sidecar',
    spec: {
      initContainers: [
        { name: 'a', image: 'x', readinessProbe: { exec: { command: ['true'] } } },
        { name: 'b', image: 'x', restartPolicy: 'Always', readinessProbe: { exec: { command: ['true'] } } },
        { name: 'd', image: 'x', restartPolicy: 'Never' },
      ],
    },
    want: [
      'spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
      'spec.initContainers[2].restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ],
  },
  {
    name: 'a container with a policy of its own, and a hook without a way',
    container: { restartPolicy: 'Always', lifecycle: { preStop: {} } },
    want: [
      'spec.containers[0].lifecycle.preStop: Required value: must specify a handler type',
      'spec.containers[0].restartPolicy: Forbidden: may not be set for non-init containers',
    ],
  },
  {
    name: 'fields that a variable cannot show',
    container: {
      env: [
        { name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.foo' } } },
        { name: 'B', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
      ],
    },
    want: [
      'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.foo": error converting fieldPath: field label not supported: spec.foo',
    ],
  },
  {
    name: 'modes and paths of volumes',
    spec: {
      volumes: [
        { name: 'a', secret: { secretName: 's', defaultMode: 1000, items: [{ key: 'k', path: '../up' }] } },
        { name: 'b', hostPath: { path: '/a/../b', type: 'Folder' } },
        { name: 'd', projected: { sources: [{}, { serviceAccountToken: { path: 't', expirationSeconds: 60 } }] } },
      ],
    },
    want: [
      'spec.volumes[0].secret.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive',
      `spec.volumes[0].secret.items[0].path: Invalid value: "../up": must not contain '..'`,
      `spec.volumes[1].hostPath.path: Invalid value: "/a/../b": must not contain '..'`,
      'spec.volumes[1].hostPath.type: Unsupported value: "Folder": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
      'spec.volumes[2].projected.sources[0]: Required value: must specify exactly one source',
      'spec.volumes[2].projected.sources[1].serviceAccountToken.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes',
    ],
  },
  {
    name: 'a port of the host twice',
    container: {
      ports: [
        { containerPort: 80, hostPort: 80 },
        { containerPort: 81, hostPort: 80 },
      ],
    },
    want: ['spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//80"'],
  },
  {
    name: 'no DNS policy and no server',
    spec: { dnsPolicy: 'None', dnsConfig: {} },
    want: [
      'spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None',
    ],
  },
  {
    name: 'a host alias that is no address',
    spec: { hostAliases: [{ ip: '1.2.3', hostnames: ['a'] }] },
    want: [
      'spec.hostAliases[0].ip: Invalid value: "1.2.3": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
  },
  {
    name: 'affinity without terms, weights and topology',
    spec: {
      affinity: {
        nodeAffinity: { [must]: { nodeSelectorTerms: [] }, [should]: [{ weight: 0, preference: {} }] },
        podAntiAffinity: { [must]: [{ labelSelector: {} }] },
      },
    },
    want: [
      `spec.affinity.nodeAffinity.${must}.nodeSelectorTerms: Required value: must have at least one node selector term`,
      `spec.affinity.nodeAffinity.${should}[0].weight: Invalid value: 0: must be in the range 1-100`,
      `spec.affinity.podAntiAffinity.${must}[0].topologyKey: Required value: can not be empty`,
    ],
  },
  {
    name: 'one spread twice',
    spec: {
      topologySpreadConstraints: [1, 2].map((maxSkew) => ({
        maxSkew,
        topologyKey: 'zone',
        whenUnsatisfiable: 'ScheduleAnyway',
      })),
    },
    want: [
      'spec.topologySpreadConstraints[1].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, ScheduleAnyway}"',
    ],
  },
  {
    name: 'a toleration for a time of what does not evict',
    spec: { tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 3 }] },
    want: [
      `spec.tolerations[0].effect: Invalid value: "NoSchedule": effect must be 'NoExecute' when \`tolerationSeconds\` is set`,
    ],
  },
];

for (const { name, spec, container: extra, want } of pods) {
  test(`pod: ${name}`, () => {
    assert.deepEqual(findings('/v1/Pod', { spec: { containers: [{ ...container, ...extra }], ...spec } }), want);
  });
}

const template = { spec: { restartPolicy: 'Never', containers: [container] }, metadata: { labels: { a: 'b' } } };
const selector = { matchLabels: { a: 'b' } };

const jobs: { name: string; spec: JsonObject; want: string[] }[] = [
  {
    name: 'indexed without a number of completions',
    spec: { completionMode: 'Indexed', parallelism: 2 },
    want: ['spec.completions: Required value: when completion mode is Indexed'],
  },
  {
    name: 'limits per index without indexes',
    spec: { maxFailedIndexes: 1 },
    want: [
      'spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode',
      'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified',
    ],
  },
  {
    name: 'replacement of pods that end, with a failure policy',
    spec: { podFailurePolicy: { rules: [] }, podReplacementPolicy: 'TerminatingOrFailed' },
    want: ['spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"'],
  },
  {
    name: 'a selector that misses its own pods',
    spec: { manualSelector: true, selector: { matchLabels: { a: 'c' } } },
    want: [
      'spec.template.metadata.labels: Invalid value: map[string]string{"a":"b"}: `selector` does not match template `labels`',
    ],
  },
];

for (const { name, spec, want } of jobs) {
  test(`job: ${name}`, () => {
    assert.deepEqual(findings('batch/v1/Job', { spec: { selector, manualSelector: true, template, ...spec } }), want);
  });
}

const schedules: [schedule: string, want: string][] = [
  ['*/5 0-6 1,15 jan-mar MON', ''],
  ['@hourly', ''],
  ['60 * * * *', 'end of range (60) above maximum (59): 60'],
  ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
  ['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
  ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
  ['*/0 * * * *', 'step of range should be a positive number: */0'],
  ['TZ=UTC * * * * *', 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'],
];

for (const [schedule, why] of schedules) {
  test(`schedule: ${schedule}`, () => {
    const want = why === '' ? [] : [`spec.schedule: Invalid value: ${JSON.stringify(schedule)}: ${why}`];
    assert.deepEqual(findings('batch/v1/CronJob', { spec: { schedule, jobTemplate: { spec: { template } } } }), want);
  });
}

test('a time zone is one that exists', () => {
  const spec = { schedule: '@daily', jobTemplate: { spec: { template } } };
  assert.deepEqual(findings('batch/v1/CronJob', { spec: { ...spec, timeZone: 'Europe/Zurich' } }), []);
  assert.deepEqual(findings('batch/v1/CronJob', { spec: { ...spec, timeZone: 'Mars/North' } }), [
    'spec.timeZone: Invalid value: "Mars/North": unknown time zone Mars/North',
  ]);
});
