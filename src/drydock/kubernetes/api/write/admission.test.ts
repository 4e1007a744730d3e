import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getArray, getObject, getPath, getString, type JsonObject } from '#base/json.ts';
import { testCluster } from '../api-fixture.test.ts';

const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x:1' }] } };
const own = 'batch.kubernetes.io/controller-uid';

const rows: { name: string; labels?: JsonObject; pod?: JsonObject; want: (generated: JsonObject) => JsonObject }[] = [
  { name: 'no labels at all', want: (generated) => generated },
  { name: 'labels of the template', pod: { app: 'a' }, want: (generated) => ({ app: 'a', ...generated }) },
  { name: 'labels of its own', labels: { app: 'b' }, pod: { app: 'a' }, want: () => ({ app: 'b' }) },
];

test('a Job selects its pods by its uid; labels of its own stay as they are; nobody owns what the server made', async () => {
  await using cluster = await testCluster();
  for (const [index, { name, labels, pod, want }] of rows.entries()) {
    const { body, code } = await cluster.send('POST', '/apis/batch/v1/namespaces/default/jobs', {
      body: {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: `j${index}`, ...(labels ? { labels } : {}) },
        spec: { template: { ...template, ...(pod ? { metadata: { labels: pod } } : {}) } },
      },
    });
    assert.equal(code, 201, name);
    const uid = getString(body, 'metadata', 'uid') ?? '';
    const both = { [own]: uid, 'batch.kubernetes.io/job-name': `j${index}` };
    const generated = { ...both, 'controller-uid': uid, 'job-name': `j${index}` };
    assert.deepEqual(getObject(body, 'metadata', 'labels'), want(generated), name);
    assert.deepEqual(getPath(body, 'spec', 'template', 'metadata', 'labels'), { ...pod, ...generated }, name);
    assert.deepEqual(getPath(body, 'spec', 'selector'), { matchLabels: { [own]: uid } }, name);
    const owned = JSON.stringify(getArray(body, 'metadata', 'managedFields'));
    assert.ok(!owned.includes('controller-uid') && !owned.includes('f:selector'), owned);
  }
});

test('claims and volumes are protected, and a volume begins Pending whatever the request says', async () => {
  await using cluster = await testCluster();
  const { body } = await cluster.send('POST', '/api/v1/persistentvolumes', {
    body: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v' },
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } },
      status: { phase: 'Bound' },
    },
  });
  assert.deepEqual(getPath(body, 'metadata', 'finalizers'), ['kubernetes.io/pv-protection']);
  const created = getPath(body, 'metadata', 'creationTimestamp');
  assert.deepEqual(body['status'], { phase: 'Pending', lastPhaseTransitionTime: created });
  const claim = await cluster.send('POST', '/api/v1/namespaces/default/persistentvolumeclaims', {
    body: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'c' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  });
  assert.deepEqual(getPath(claim.body, 'metadata', 'finalizers'), ['kubernetes.io/pvc-protection']);
  assert.ok(!JSON.stringify(getPath(claim.body, 'metadata', 'managedFields')).includes('f:finalizers'));
});

test('a DaemonSet counts the changes of its template, not other changes', async () => {
  await using cluster = await testCluster();
  const path = '/apis/apps/v1/namespaces/default/daemonsets';
  const annotation = 'deprecated.daemonset.template.generation';
  const patch = async (body: JsonObject) => {
    const type = 'application/merge-patch+json';
    const { body: answer } = await cluster.send('PATCH', `${path}/d`, { type, body });
    return getPath(answer, 'metadata', 'annotations', annotation);
  };
  const labels = { app: 'd' };
  const containers = [{ name: 'c', image: 'x:1' }];
  await cluster.send('POST', path, {
    body: {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'd' },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
    },
  });
  assert.equal(await patch({ spec: { minReadySeconds: 3 } }), '1');
  assert.equal(await patch({ spec: { template: { spec: { containers: [{ name: 'c', image: 'x:2' }] } } } }), '2');
});
