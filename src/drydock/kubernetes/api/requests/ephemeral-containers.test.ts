import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getArray, getObject, getString } from '#base/json.ts';
import { testCluster } from '../api-fixture.test.ts';

const pods = '/api/v1/namespaces/default/pods';
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'c', image: 'x:1' }] },
};
const debug = { name: 'debug', image: 'busybox:1' };

test('ephemeral containers are added to a pod, and only added', async () => {
  await using cluster = await testCluster();
  await cluster.send('POST', pods, { body: pod });
  const patch = (container: Record<string, string>, extra = {}) =>
    cluster.send('PATCH', `${pods}/p/ephemeralcontainers`, {
      type: 'application/strategic-merge-patch+json',
      body: { metadata: { labels: { not: 'this' } }, spec: { ephemeralContainers: [container], ...extra } },
    });
  const added = await patch(debug, { nodeName: 'nor-this' });
  assert.equal(added.code, 200);
  const [first] = getArray(added.body, 'spec', 'ephemeralContainers');
  assert.equal(getString(first, 'name'), 'debug');
  assert.equal(getString(first, 'terminationMessagePolicy'), 'File');
  assert.equal(getString(added.body, 'spec', 'nodeName'), undefined);
  assert.deepEqual(getObject(added.body, 'metadata', 'labels'), {});
  const owners = getArray(added.body, 'metadata', 'managedFields').map((entry) => getString(entry, 'subresource'));
  assert.deepEqual(owners.includes('ephemeralcontainers'), true);

  const changed = await patch({ ...debug, image: 'busybox:2' });
  assert.equal(changed.code, 422);
  assert.match(String(changed.body['message']), /existing ephemeral containers "debug" may not be changed/);
  const removed = await cluster.send('PUT', `${pods}/p/ephemeralcontainers`, { body: pod });
  assert.equal(removed.code, 422);
  assert.match(String(removed.body['message']), /existing ephemeral containers "debug" may not be removed/);
  assert.equal((await patch({ ...debug, name: 'c' })).code, 422);

  const shown = await cluster.send('GET', `${pods}/p/ephemeralcontainers`);
  assert.deepEqual(getArray(shown.body, 'spec', 'ephemeralContainers').length, 1);
});

test('kubectl debug adds a container', async () => {
  await using cluster = await testCluster();
  await cluster.send('POST', pods, { body: pod });
  const debugged = await cluster.kubectl(
    'debug',
    'p',
    '--image=busybox',
    '--attach=false',
    '-c',
    'd',
    '--profile=general',
  );
  assert.equal(debugged.code, 0, debugged.err);
  const shown = await cluster.kubectl('get', 'pod', 'p', '-o', 'jsonpath={.spec.ephemeralContainers[*].name}');
  assert.equal(shown.out, 'd');
});

test('a replacement without what was filled in at creation changes nothing', async () => {
  await using cluster = await testCluster();
  const made = await cluster.send('POST', pods, { body: { ...pod, spec: { ...pod.spec, serviceAccountName: 'a' } } });
  const spec = getObject(made.body, 'spec');
  const { priority: _priority, preemptionPolicy: _policy, ...rest } = spec;
  const replaced = await cluster.send('PUT', `${pods}/p`, { body: { ...pod, spec: rest } });
  assert.deepEqual([replaced.code, replaced.body['spec']], [200, spec]);
});
