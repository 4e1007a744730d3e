import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type CliAnswer, runTestCli } from './cli-fixture.test.ts';
import type { DoctorProbe } from './doctor/checks.ts';

let cwd = '';
before(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'slipway-health-'));
  await writeFile(join(cwd, 'objects.yaml'), objects);
  await writeFile(join(cwd, 'settings.yaml'), settings);
  await writeFile(join(cwd, 'list.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [bound] }));
  await writeFile(join(cwd, 'broken.yaml'), 'a: 1\n');
});
after(() => rm(cwd, { recursive: true }));

const bound = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'data' },
  status: { phase: 'Bound' },
};
const objects = `
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: web, namespace: shop}
status:
  conditions: [{type: Ready, status: "False", message: no issuer}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: plain}
---
apiVersion: example.org/v1
kind: Widget
metadata: {name: w}
status: {colour: green}
`;
const settings = `
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cm}
data:
  resource.customizations.health.example.org_Widget: |
    return { status = obj.status.colour == "green" and "Healthy" or "Degraded", message = obj.metadata.name }
`;

function never(): never {
  throw new Error('not wanted here');
}

const probe: DoctorProbe = {
  program: never,
  nodeVersion: never,
  dataDirectory: never,
  server: never,
  cluster: never,
  ports: never,
};

function run(...args: string[]): Promise<CliAnswer> {
  const processes = { up: never, demo: never, serve: never, cluster: never, clusterKubeconfig: never };
  return runTestCli(['health', ...args], { cwd, probe, dispatch: never, processes });
}

test('health of files: built-in checks, own checks, and no opinion', async () => {
  const { code, out } = await run('objects.yaml', 'list.json', '--settings', 'settings.yaml', '-o', 'json');
  assert.equal(code, 0);
  assert.deepEqual(
    JSON.parse(out).map((entry: { kind: string; health: unknown }) => [entry.kind, entry.health]),
    [
      ['Certificate', { status: 'Degraded', message: 'no issuer' }],
      ['ConfigMap', null],
      ['Widget', { status: 'Healthy', message: 'w' }],
      ['PersistentVolumeClaim', { status: 'Healthy' }],
    ],
  );
});

test('the table, and the exit code on request', async () => {
  const { code, out } = await run('objects.yaml', '--exit-code');
  assert.equal(code, 1);
  assert.match(out, /^Degraded\s+Certificate\s+shop\/web\s+objects\.yaml\s+no issuer$/m);
  assert.equal((await run('list.json', '--exit-code')).code, 0);
});

test('what cannot be read is said', async () => {
  const absent = await run('absent.yaml');
  assert.deepEqual([absent.code, /absent\.yaml cannot be read/.test(absent.err)], [3, true]);
  const broken = await run('broken.yaml');
  assert.deepEqual([broken.code, /without apiVersion or kind/.test(broken.err)], [2, true]);
  const wrong = await run('list.json', '--settings', 'objects.yaml');
  assert.deepEqual([wrong.code, /not the ConfigMap argocd-cm/.test(wrong.err)], [2, true]);
});
