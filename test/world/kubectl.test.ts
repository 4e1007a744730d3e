import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { kubectl, kubectlJson, serviceUrl, waitForVersion } from '#main/demo/tools.ts';
import { person, sharedWorld } from './shared-world.ts';

const manifest = (image: string, replicas: number) => `
apiVersion: v1
kind: Namespace
metadata: {name: by-hand}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, namespace: by-hand}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
        - name: api
          image: ${image}
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: by-hand}
spec:
  type: NodePort
  selector: {app: shop}
  ports: [{port: 80, targetPort: http}]
`;

test('plain kubectl works against the running world, from apply to delete', async (t) => {
  const me = await person();
  const image = `${me.world.registry.host}/myshop-api:1.4.2`;
  const inNamespace = (...args: string[]) => kubectl(me, [...args, '-n', 'by-hand']);

  await t.test('apply, client-side; a second apply changes nothing', async () => {
    const first = await kubectl(me, ['apply', '-f', '-'], manifest(image, 1));
    assert.equal(first, 'namespace/by-hand created\ndeployment.apps/shop created\nservice/shop created\n');
    const second = await kubectl(me, ['apply', '-f', '-'], manifest(image, 1));
    assert.equal(second, 'namespace/by-hand unchanged\ndeployment.apps/shop unchanged\nservice/shop unchanged\n');
  });

  await t.test('wait and rollout status see the pods become ready; the Service answers', async () => {
    assert.match(
      await inNamespace('wait', '--for=condition=Available', 'deployment/shop', '--timeout=30s'),
      /condition met/,
    );
    assert.match(await inNamespace('rollout', 'status', 'deployment/shop', '--timeout=30s'), /successfully rolled out/);
    await waitForVersion(me, { url: await serviceUrl(me, 'by-hand', 'shop'), version: '1.4.2', timeoutMs: 10_000 });
  });

  await t.test('get prints the columns people know', async () => {
    assert.match(
      await inNamespace('get', 'deployment', 'shop'),
      /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nshop +1\/1 +1 +1 /,
    );
    assert.match(await inNamespace('get', 'pods'), /^NAME +READY +STATUS +RESTARTS +AGE\nshop-\S+ +1\/1 +Running +0 /);
    assert.match(await kubectl(me, ['get', 'nodes']), /Ready/);
  });

  await t.test('describe tells the story with its events', async () => {
    const text = await inNamespace('describe', 'pod', '-l', 'app=shop');
    for (const part of [
      /Image: +\S+\/myshop-api:1\.4\.2/,
      /Image ID: +\S+@sha256:[0-9a-f]{64}/,
      /Scheduled/,
      /Pulled/,
      /Started/,
    ]) {
      assert.match(text, part);
    }
  });

  await t.test('logs come from the process itself', async () => {
    assert.match(await inNamespace('logs', 'deployment/shop'), /myshop-api 1\.4\.2 listens on/);
    assert.match(await inNamespace('logs', 'deployment/shop', '--tail=1', '--timestamps'), /^\d{4}-\d\d-\d\dT\S+Z /);
  });

  await t.test('scale goes up and down', async () => {
    await inNamespace('scale', 'deployment/shop', '--replicas=3');
    await inNamespace('rollout', 'status', 'deployment/shop', '--timeout=30s');
    assert.match(await inNamespace('get', 'deployment', 'shop'), /shop +3\/3/);
    await inNamespace('scale', 'deployment/shop', '--replicas=1');
    await inNamespace('rollout', 'status', 'deployment/shop', '--timeout=30s');
  });

  await t.test('server-side apply owns its fields, and a conflict names the other manager', async () => {
    const config =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: owned, namespace: by-hand}\ndata: {colour: blue}\n';
    await kubectl(me, ['apply', '--server-side', '--field-manager=painter', '-f', '-'], config);
    const clash = kubectl(
      me,
      ['apply', '--server-side', '--field-manager=other', '-f', '-'],
      config.replace('blue', 'red'),
    );
    await assert.rejects(clash, /conflict with "painter": \.data\.colour/);
    const args = ['apply', '--server-side', '--field-manager=other', '--force-conflicts', '-f', '-'];
    await kubectl(me, args, config.replace('blue', 'red'));
    const found = await kubectlJson(me, ['get', 'configmap', 'owned', '-n', 'by-hand']);
    assert.deepEqual(found['data'], { colour: 'red' });
  });

  await t.test('get --watch streams changes', async () => {
    const world = await sharedWorld();
    const watch = spawn(me.programs.kubectl, ['get', 'configmap', '-n', 'by-hand', '--watch', '-o', 'name'], {
      env: { ...process.env, KUBECONFIG: world.info.kubernetes.kubeconfig, KUBECACHEDIR: me.workDir },
    });
    try {
      const seen = new Promise<string>((resolve) => {
        createInterface({ input: watch.stdout }).on('line', (line) => line.endsWith('/fresh') && resolve(line));
      });
      await inNamespace('create', 'configmap', 'fresh', '--from-literal=a=1');
      assert.equal(await seen, 'configmap/fresh');
    } finally {
      watch.kill();
    }
  });

  await t.test('wrong input is refused with the real texts', async () => {
    await assert.rejects(inNamespace('get', 'deployment', 'nothing'), /deployments\.apps "nothing" not found/);
    await assert.rejects(kubectl(me, ['create', 'namespace', 'by-hand']), /namespaces "by-hand" already exists/);
    const bad = manifest(image, 1).replace('{matchLabels: {app: shop}}', '{matchLabels: {app: other}}');
    await assert.rejects(kubectl(me, ['apply', '-f', '-'], bad), /selector/);
    await assert.rejects(
      kubectl(me, ['apply', '-f', '-'], manifest(image, 1).replace('replicas: 1', 'replica: 1')),
      /unknown field "spec\.replica"/,
    );
  });

  await t.test('delete waits until the namespace and all in it are gone', async () => {
    await kubectl(me, ['delete', 'namespace', 'by-hand', '--timeout=30s']);
    await assert.rejects(kubectl(me, ['get', 'namespace', 'by-hand']), /not found/);
  });
});
