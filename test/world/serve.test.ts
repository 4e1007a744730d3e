import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import { startKubernetes } from '#drydock/kubernetes/cluster.ts';
import { forgeApi, git, kubectl, kubectlJson, slipway, waitForApplication } from '#main/demo/tools.ts';
import { testClock, testEntropy } from '../clock.ts';
import { person, scratchDirectory } from './shared-world.ts';

/** `slipway serve` as a process of its own; resolves when it says where it listens. */
async function startServe(args: string[], env: Record<string, string>) {
  const cli = join(import.meta.dirname, '..', '..', 'src', 'main', 'cli.ts');
  const child = spawn(process.execPath, [cli, 'serve', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /^Slipway serves \S+ at (\S+)/.exec(line)?.[1];
      if (found) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}: ${said}`)));
  });
  return { child, url };
}

test('slipway serve --kubeconfig looks after any cluster: it installs its definitions, syncs, and asks for its token', async () => {
  const me = await person();
  const { developer, forge } = me.world;
  await using cluster = await startKubernetes({
    clock: testClock,
    entropy: testEntropy,
    logger: silentLogger,
    dataDir: undefined,
    node: { kind: 'none' },
  });
  const kubeconfig = join(me.workDir, 'kubeconfig');
  writeFileSync(kubeconfig, cluster.kubeconfig);
  const there = { ...me, world: { ...me.world, kubernetes: { url: cluster.url, kubeconfig } } };

  await forgeApi(me, developer, { method: 'POST', path: '/orgs/myshop/repos', body: { name: 'served' } });
  await git(me, developer, me.workDir, ['clone', '-q', `${forge.url}/myshop/served.git`]);
  const checkout = join(me.workDir, 'served');
  writeFileSync(
    join(checkout, 'settings.yaml'),
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: "1"}\n',
  );
  await git(me, developer, checkout, ['checkout', '-q', '-B', 'main']);
  await git(me, developer, checkout, ['add', '.']);
  await git(me, developer, checkout, ['commit', '-qm', 'settings']);
  await git(me, developer, checkout, ['push', '-q', 'origin', 'main']);

  const args = ['--kubeconfig', kubeconfig, '--port', '0', '--data', scratchDirectory('serve')];
  const { child, url } = await startServe(args, { SLIPWAY_TOKEN: 'a-token-for-this-test' });
  try {
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    assert.equal((await fetch(`${url}/api/v1/applications`)).status, 401);
    const application = {
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name: 'served', namespace: 'argocd' },
      spec: {
        project: 'default',
        source: { repoURL: `${forge.url}/myshop/served.git`, targetRevision: 'main', path: '.' },
        destination: { name: 'in-cluster', namespace: 'served' },
        syncPolicy: { automated: {}, syncOptions: ['CreateNamespace=true'] },
      },
    };
    await kubectl(there, ['apply', '-f', '-'], JSON.stringify(application));
    await waitForApplication(there, 'served', { sync: 'Synced', health: 'Healthy', timeoutMs: 20_000 });
    const settings = await kubectlJson(there, ['get', 'configmap', 'settings', '-n', 'served']);
    assert.deepEqual(settings['data'], { a: '1' });
    const asked = { ...there, world: { ...there.world, slipway: { url, token: 'a-token-for-this-test' } } };
    assert.match(
      (await slipway(asked, ['app', 'list'])).stdout,
      /served +\S+ +Synced +Healthy|served.*Synced.*Healthy/,
    );
  } finally {
    child.kill('SIGTERM');
  }
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
});

test('a kubeconfig that leads nowhere is one clear message', async () => {
  const me = await person();
  const missing = startServe(
    ['--kubeconfig', join(me.workDir, 'none'), '--port', '0', '--data', scratchDirectory('none')],
    {},
  );
  await assert.rejects(missing, /ended with 2: kubeconfig .*none cannot be read/);
});
