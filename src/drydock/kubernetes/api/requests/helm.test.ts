import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { getArray, getPath, getString } from '#base/json.ts';
import { toolPath } from '../../../../../test/tools.ts';
import { configMaps, type TestCluster, testCluster } from '../api-fixture.test.ts';

let home: string;
let cluster: TestCluster;
before(async () => {
  home = mkdtempSync(join(tmpdir(), 'drydock-helm-'));
  cluster = await testCluster();
  writeFileSync(join(home, 'kubeconfig'), cluster.server.kubeconfig(), { mode: 0o600 });
  mkdirSync(join(home, 'chart/templates'), { recursive: true });
  writeFileSync(join(home, 'chart/Chart.yaml'), 'apiVersion: v2\nname: chart\nversion: 0.1.0\n');
  writeFileSync(join(home, 'chart/values.yaml'), 'color: red\nsecond: true\n');
  writeFileSync(
    join(home, 'chart/templates/all.yaml'),
    `apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}-one"}
data: {color: "{{ .Values.color }}"}
{{- if .Values.second }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}-two"}
{{- end }}
---
apiVersion: v1
kind: Service
metadata: {name: "{{ .Release.Name }}"}
spec: {ports: [{port: 80}], selector: {app: x}}
`,
  );
});
after(async () => {
  await cluster[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

function helm(...args: string[]): Promise<string> {
  const env = {
    HOME: home,
    KUBECONFIG: join(home, 'kubeconfig'),
    HELM_CACHE_HOME: join(home, 'cache'),
    HELM_CONFIG_HOME: join(home, 'config'),
    HELM_DATA_HOME: join(home, 'data'),
  };
  return new Promise((resolve, reject) => {
    execFile(toolPath('helm'), args, { env, timeout: 30_000 }, (error, out, err) =>
      error ? reject(new Error(`helm ${args.join(' ')}: ${err}`)) : resolve(out),
    );
  });
}

test('helm installs, upgrades, rolls back and uninstalls', async () => {
  const chart = join(home, 'chart');
  const color = async (): Promise<unknown> =>
    getPath((await cluster.send('GET', `${configMaps}/rel-one`)).body, 'data', 'color');
  assert.match(await helm('install', 'rel', chart, '--wait', '--timeout=20s'), /STATUS: deployed\nREVISION: 1/);
  assert.equal(await color(), 'red');
  await helm('upgrade', 'rel', chart, '--set', 'color=blue,second=false');
  assert.equal(await color(), 'blue');
  assert.equal((await cluster.send('GET', `${configMaps}/rel-two`)).code, 404);
  await helm('rollback', 'rel', '1');
  assert.equal(await color(), 'red');
  assert.match(await helm('status', 'rel'), /REVISION: 3/);
  const secrets = await cluster.send('GET', '/api/v1/namespaces/default/secrets?labelSelector=owner%3Dhelm');
  const types = getArray(secrets.body, 'items').map((item) => getString(item, 'type'));
  assert.deepEqual(new Set(types), new Set(['helm.sh/release.v1']));
  await helm('uninstall', 'rel', '--wait', '--timeout=20s');
  assert.equal((await cluster.send('GET', `${configMaps}/rel-one`)).code, 404);
});
