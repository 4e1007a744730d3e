import assert from 'node:assert/strict';
import type { Client, Step } from './client.ts';

const chart: Record<string, string> = {
  'Chart.yaml': 'apiVersion: v2\nname: web\nversion: 0.1.0\n',
  'values.yaml': 'replicas: 1\nimage: example.com/web:1\nnodeSelector: {}\n',
  'templates/web.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      terminationGracePeriodSeconds: 1
      nodeSelector: {{ toJson .Values.nodeSelector }}
      containers:
      - {name: main, image: {{ .Values.image | quote }}}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector: {app: {{ .Release.Name }}}
  ports: [{port: 80}]
`,
  'templates/hook.yaml': `apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-migrate
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-delete-policy: before-hook-creation
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: "example.com/migrate:1"}]
`,
  'templates/test.yaml': `apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-test
  annotations:
    helm.sh/hook: test
    simulator.drydock.dev/runs-for: 1s
spec:
  restartPolicy: Never
  containers: [{name: main, image: "example.com/test:1"}]
`,
};

function written(client: Client): string {
  for (const [name, text] of Object.entries(chart)) client.file(`chart/${name}`, text);
  const path = client.file('chart/.helmignore', '');
  return path.slice(0, path.lastIndexOf('/'));
}

export const helmSteps: readonly Step[] = [
  {
    name: 'install --wait with hooks',
    run: async (c) => {
      const out = await c.ok(['install', 'web', written(c), '--create-namespace', '--wait', '--timeout', '40s']);
      assert.match(out, /STATUS: deployed/);
    },
  },
  {
    name: 'install of a name that is taken',
    run: async (c) => assert.match(await c.fails(['install', 'web', written(c)]), /cannot re-use a name|still in use/),
  },
  {
    name: 'list, status, history, get',
    run: async (c) => {
      assert.match(await c.ok(['list']), /^web\s.*\sdeployed\s/m);
      assert.match(await c.ok(['status', 'web']), /STATUS: deployed/);
      assert.match(await c.ok(['history', 'web']), /^1\s/m);
      assert.match(await c.ok(['get', 'manifest', 'web']), /kind: Deployment/);
      assert.match(await c.ok(['get', 'hooks', 'web']), /kind: Job/);
      assert.match(await c.ok(['get', 'values', 'web', '--all']), /replicas: 1/);
    },
  },
  {
    name: 'test',
    run: async (c) => assert.match(await c.ok(['test', 'web', '--timeout', '40s']), /Phase: +Succeeded/),
  },
  {
    name: 'upgrade --dry-run=server',
    run: async (c) => {
      const out = await c.ok(['upgrade', 'web', written(c), '--dry-run=server', '--set', 'replicas=5']);
      assert.match(out, /replicas: 5/);
      assert.doesNotMatch(await c.ok(['history', 'web']), /^2\s/m);
    },
  },
  {
    name: 'upgrade',
    run: async (c) => {
      await c.ok(['upgrade', 'web', written(c), '--set', 'replicas=2', '--wait', '--timeout', '40s']);
      assert.match(await c.ok(['get', 'manifest', 'web']), /replicas: 2/);
    },
  },
  {
    name: 'upgrade that fails is rolled back',
    run: async (c) => {
      const flag = c.version.startsWith('3.') ? '--atomic' : '--rollback-on-failure';
      const args = ['upgrade', 'web', written(c), '--set', 'nodeSelector.no=where,image=example.com/web:9'];
      await c.fails([...args, flag, '--timeout', '4s']);
      assert.match(await c.ok(['history', 'web']), /^4\s.*Rollback to 2/m);
      assert.match(await c.ok(['get', 'manifest', 'web']), /web:1/);
    },
  },
  {
    name: 'rollback',
    run: async (c) => {
      await c.ok(['rollback', 'web', '1', '--wait', '--timeout', '40s']);
      assert.match(await c.ok(['get', 'manifest', 'web']), /replicas: 1/);
    },
  },
  {
    name: 'uninstall',
    run: async (c) => {
      assert.match(await c.ok(['uninstall', 'web', '--wait', '--timeout', '40s']), /release "web" uninstalled/);
      assert.match(await c.fails(['status', 'web']), /release: not found/);
    },
  },
];
