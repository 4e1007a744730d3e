import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { silentLogger } from '#base/log.ts';
import { parseYamlDocuments } from '#base/yaml.ts';
import type { HelmSource } from '#model/argocd/application.ts';
import { ChartRepositoryServer } from '../../test/chart-repository.ts';
import { testClock } from '../../test/clock.ts';
import { toolPath } from '../../test/tools.ts';
import { createChartLibrary } from './charts/library.ts';
import type { ChartLibrary } from './charts/port.ts';
import type { Renderer } from './port.ts';
import { createRenderer } from './renderer.ts';
import { fileTree } from './tree-fixture.test.ts';

const run = promisify(execFile);
const soon = () => AbortSignal.timeout(60_000);
const apiVersions = ['v1', 'apps/v1', 'autoscaling/v2', 'monitoring.coreos.com/v1/ServiceMonitor'];

/** Templates that every chart of a house shares, as library charts do. */
const commonChart = {
  'Chart.yaml': 'apiVersion: v2\nname: common\nversion: 2.3.0\ntype: library\n',
  'templates/_names.tpl':
    '{{- define "common.name" -}}\n{{- printf "%s-%s" .Release.Name (default .Chart.Name .Values.nameOverride) | trunc 63 | trimSuffix "-" -}}\n{{- end -}}\n{{- define "common.labels" -}}\napp.kubernetes.io/name: {{ .Chart.Name }}\napp.kubernetes.io/managed-by: {{ .Release.Service }}\nhelm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}\n{{- with .Values.commonLabels }}\n{{ toYaml . }}\n{{- end }}\n{{- end -}}\n',
};

/** A cache as a StatefulSet, with a secret that its values may bring. */
const cacheChart = {
  'Chart.yaml':
    'apiVersion: v2\nname: cache\nversion: 18.1.4\nappVersion: "7.2"\ndependencies:\n  - name: common\n    version: 2.x.x\n    repository: REPOSITORY\n',
  'values.yaml':
    'replicas: 1\nauth:\n  enabled: true\n  password: ""\npersistence: {size: 8Gi, storageClass: ""}\nresources: {}\nexports:\n  data:\n    port: 6379\nglobal: {}\n',
  'templates/statefulset.yaml': `apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ include "common.name" . }}
  labels: {{- include "common.labels" . | nindent 4 }}
spec:
  serviceName: {{ include "common.name" . }}
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app.kubernetes.io/name: cache}
  template:
    metadata:
      labels: {app.kubernetes.io/name: cache}
      annotations:
        checksum/config: {{ toYaml .Values.auth | sha256sum }}
    spec:
      containers:
        - name: cache
          image: {{ printf "%s/cache:%s" (.Values.global.imageRegistry | default "docker.io") .Chart.AppVersion }}
          resources: {{- toYaml .Values.resources | nindent 12 }}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        {{- with .Values.persistence.storageClass }}
        storageClassName: {{ . | quote }}
        {{- end }}
        resources: {requests: {storage: {{ .Values.persistence.size }}}}
`,
  'templates/secret.yaml':
    '{{- if .Values.auth.enabled }}\napiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ include "common.name" . }}\ntype: Opaque\ndata:\n  password: {{ default "changeme" .Values.auth.password | b64enc | quote }}\n{{- end }}\n',
};

/** A controller with its definitions, a webhook, hooks, tests, files and what depends on the cluster. */
const controllerChart = {
  'Chart.yaml': 'apiVersion: v2\nname: controller\nversion: 4.10.1\nappVersion: 1.10.1\nkubeVersion: ">=1.20.0-0"\n',
  '.helmignore': '*.md\nci/\n',
  'README.md': '{{ not a template',
  'ci/values.yaml': 'a: b\n',
  'values.yaml':
    'controller:\n  kind: Deployment\n  replicas: 2\n  autoscaling: {enabled: false, minReplicas: 1, maxReplicas: 11}\n  config: {}\n  extraArgs: []\n  admission: {enabled: true}\n  podAnnotations:\n    note: "{{ .Release.Name }} in {{ .Release.Namespace }}"\nserviceMonitor: true\n',
  'values.schema.json': '{"type":"object","properties":{"controller":{"type":"object"}}}',
  'crds/class.yaml':
    'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: classes.example.io\nspec: {group: example.io}\n',
  'files/nginx.conf': 'worker_processes auto;\n',
  'files/extra.conf': 'a {{ literal }}\n',
  'templates/NOTES.txt': 'Thanks\n',
  'templates/_helpers.tpl':
    '{{- define "controller.fullname" -}}{{ .Release.Name }}-controller{{- end -}}\n{{- define "controller.args" -}}\n{{- range .Values.controller.extraArgs }}\n- {{ . | quote }}\n{{- end }}\n{{- end -}}\n',
  'templates/config.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ include "controller.fullname" . }}\ndata:\n  {{- (.Files.Glob "files/*.conf").AsConfig | nindent 2 }}\n  {{- range $key, $value := .Values.controller.config }}\n  {{ $key }}: {{ $value | quote }}\n  {{- end }}\n',
  'templates/workload.yaml':
    '{{- if eq .Values.controller.kind "Deployment" }}\napiVersion: apps/v1\nkind: Deployment\n{{- else }}\napiVersion: apps/v1\nkind: DaemonSet\n{{- end }}\nmetadata:\n  name: {{ include "controller.fullname" . }}\n  annotations: {{- tpl (toYaml .Values.controller.podAnnotations) . | nindent 4 }}\nspec:\n  {{- if not .Values.controller.autoscaling.enabled }}\n  replicas: {{ .Values.controller.replicas }}\n  {{- end }}\n  template:\n    spec:\n      containers:\n        - name: controller\n          args: {{- include "controller.args" . | nindent 12 }}\n',
  'templates/hpa.yaml':
    '{{- with .Values.controller.autoscaling }}\n{{- if .enabled }}\napiVersion: {{ ternary "autoscaling/v2" "autoscaling/v2beta2" ($.Capabilities.APIVersions.Has "autoscaling/v2") }}\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: {{ include "controller.fullname" $ }}\nspec: {minReplicas: {{ .minReplicas }}, maxReplicas: {{ .maxReplicas }}}\n{{- end }}\n{{- end }}\n',
  'templates/monitor.yaml':
    '{{- if and .Values.serviceMonitor (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1/ServiceMonitor") }}\napiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata:\n  name: {{ .Release.Name }}\n{{- end }}\n',
  'templates/admission.yaml':
    '{{- if .Values.controller.admission.enabled }}\n{{- range list "create" "patch" }}\n---\napiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {{ $.Release.Name }}-{{ . }}\n  annotations:\n    helm.sh/hook: pre-install,pre-upgrade\n    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded\nspec: {}\n{{- end }}\n---\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata:\n  name: {{ $.Release.Name }}\nwebhooks: []\n{{- end }}\n',
  'templates/old.yaml':
    '{{- if lookup "v1" "Secret" .Release.Namespace "x" }}\napiVersion: v1\nkind: Secret\nmetadata: {name: found}\n{{- end }}\n{{- if semverCompare "<1.25-0" .Capabilities.KubeVersion.GitVersion }}\napiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: old}\n{{- end }}\n',
  'templates/tests/ping.yaml':
    'apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}-ping\n  annotations: {helm.sh/hook: test}\n',
};

/** An application over both, with aliases, conditions, tags, imported and global values. */
const umbrella = {
  'app/Chart.yaml': `apiVersion: v2
name: shop
version: 0.1.0
dependencies:
  - name: cache
    version: ~18.1
    repository: REPOSITORY
    condition: cache.enabled
    import-values: [data]
  - name: cache
    alias: sessions
    version: 18.x
    repository: REPOSITORY
    tags: [sessions]
  - name: controller
    version: ^4.0.0
    repository: REPOSITORY
    condition: controller.enabled
`,
  'app/values.yaml':
    'global: {imageRegistry: registry.example}\ncache:\n  enabled: true\n  replicas: 3\n  resources: {limits: {cpu: 100m, memory: 64Mi}}\ntags: {sessions: true}\nsessions: {nameOverride: sessions, auth: {enabled: false}}\n',
  'app/values-prod.yaml':
    'cache: {replicas: 5, persistence: {storageClass: fast}}\ncontroller:\n  controller: {autoscaling: {enabled: true}, extraArgs: [--a=b, "--c={{ d }}"], config: {size: 8m, "on": true}}\n',
  'app/templates/port.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  port: {{ .Values.port | quote }}\n  replicas: {{ .Values.cache.replicas | quote }}\n',
};

const cases: { name: string; helm: HelmSource; flags: string[] }[] = [
  { name: 'as it is', helm: {}, flags: ['--include-crds'] },
  {
    name: 'for production',
    helm: { valueFiles: ['values-prod.yaml'], skipTests: true },
    flags: ['--include-crds', '--skip-tests', '--values', 'app/values-prod.yaml'],
  },
  {
    name: 'with parameters, without definitions',
    helm: {
      skipCrds: true,
      values: 'tags: {sessions: false}\ncontroller: {controller: {kind: DaemonSet}}\n',
      parameters: [
        { name: 'cache.auth.password', value: 'a,b' },
        { name: 'controller.enabled', value: 'true' },
        { name: 'cache.commonLabels.tier', value: '1', forceString: true },
      ],
    },
    flags: [
      ...['--values', 'inline.yaml', '--set', 'cache.auth.password=a\\,b', '--set', 'controller.enabled=true'],
      ...['--set-string', 'cache.commonLabels.tier=1'],
    ],
  },
  { name: 'on an old cluster', helm: { kubeVersion: 'v1.24.3-eks-1' }, flags: ['--include-crds'] },
];

let server: ChartRepositoryServer;
let folder: string;
let charts: ChartLibrary;
let renderer: Renderer;
const filled = (files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).map(([path, text]) => [path, text.replaceAll('REPOSITORY', server.url)]));

async function helm(...args: string[]): Promise<string> {
  const env = { HOME: folder, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder, PATH: '/bin' };
  return (await run(toolPath('helm'), args, { cwd: folder, env, maxBuffer: 1 << 26, signal: soon() })).stdout;
}

function write(files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

before(async () => {
  server = await ChartRepositoryServer.start();
  folder = mkdtempSync(join(tmpdir(), 'shapes-'));
  await server.publish('common', '2.3.0', commonChart);
  const withCommon = Object.fromEntries(
    Object.entries(commonChart).map(([path, text]) => [`charts/common/${path}`, text]),
  );
  await server.publish('cache', '18.1.4', { ...filled(cacheChart), ...withCommon });
  await server.publish('cache', '19.0.0', { ...filled(cacheChart), ...withCommon });
  await server.publish('controller', '4.10.1', controllerChart);
  const access = { find: async (url: string) => ({ url, type: 'git' as const }), list: async () => [] };
  const common = { clock: testClock, logger: silentLogger };
  charts = createChartLibrary({ cacheDir: join(folder, 'library'), access, ...common });
  const tool = { path: toolPath('helm'), version: '4' };
  renderer = createRenderer({ cacheDir: join(folder, 'renders'), ...common, helm: tool, charts });
});
after(async () => {
  await charts[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function rendered(tree: Parameters<typeof fileTree>[0] | 'chart', source: HelmSource): Promise<unknown[]> {
  const ask = { repoURL: server.url, chart: 'controller', revision: '4.x', project: 'default' };
  const files = tree === 'chart' ? await charts.open(ask, { maxAgeMs: 60_000 }, soon()) : fileTree(tree);
  const { manifests } = await renderer.render(
    {
      application: { name: 'shop', instanceName: 'shop', project: 'default', destinationNamespace: 'prod' },
      source: { repoURL: files.url, path: tree === 'chart' ? '' : 'app', helm: source },
      tree: files,
      refs: new Map(),
      cluster: { kubeVersion: '1.33.1', apiVersions },
    },
    soon(),
  );
  return manifests;
}

const template = [
  '--name-template',
  'shop',
  '--namespace',
  'prod',
  ...apiVersions.flatMap((api) => ['--api-versions', api]),
];
const kubeVersion = ({ kubeVersion: own }: HelmSource) => ['--kube-version', own ? '1.24.3' : '1.33.1'];

test('a chart with dependencies gives what "helm dependency build" and "helm template" give by hand', async () => {
  const files = filled(umbrella);
  write(files);
  await helm('dependency', 'update', 'app');
  for (const { name, helm: source, flags } of cases) {
    write({ 'inline.yaml': source.values ?? '' });
    const byHand = await helm('template', 'app', ...template, ...kubeVersion(source), ...flags);
    const ours = await rendered(files, source);
    assert.deepEqual(ours, parseYamlDocuments(byHand, name), name);
    assert.ok(ours.length >= 5, name);
  }
});

test('a chart of a repository gives what "helm template --repo" gives by hand', async () => {
  const prefix = 'app/';
  for (const { name, helm: source, flags } of cases.filter(({ helm: own }) => !own.valueFiles)) {
    write({ 'inline.yaml': source.values ?? '' });
    const args = ['template', 'controller', '--repo', server.url, '--version', '4.x', ...template];
    const byHand = await helm(...args, ...kubeVersion(source), ...flags.map((flag) => flag.replace(prefix, '')));
    assert.deepEqual(await rendered('chart', source), parseYamlDocuments(byHand, name), name);
  }
});
