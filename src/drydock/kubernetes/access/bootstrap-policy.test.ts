import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { getArray, getPath, isObject, type JsonObject } from '#base/json.ts';
import { type TestCluster, testCluster } from '../api/api-fixture.test.ts';
import { bootstrapPolicy } from './bootstrap-policy.ts';

const rbac = '/apis/rbac.authorization.k8s.io/v1';

function pathOf(object: JsonObject): string {
  const plural = `${String(object['kind']).toLowerCase()}s`;
  const namespace = getPath(object, 'metadata', 'namespace');
  return namespace === undefined ? `${rbac}/${plural}` : `${rbac}/namespaces/${namespace}/${plural}`;
}

/** What differs between two objects made one after the other. */
function withoutIdentity(object: JsonObject): unknown {
  return JSON.parse(JSON.stringify(object), (key: string, value: unknown) =>
    ['uid', 'resourceVersion', 'creationTimestamp', 'time', 'name'].includes(key) ? undefined : value,
  );
}

test('what is installed at the start is what its creation by a client would store', async () => {
  await using cluster = await testCluster();
  const policy = bootstrapPolicy();
  let compared = 0;
  for (const object of policy.filter(({ metadata }) => /^(view|edit|cluster-admin|system:[^c])/.test(metadata.name))) {
    const path = pathOf(object);
    const stored = await cluster.send('GET', `${path}/${object.metadata.name}`);
    const { name: _name, ...metadata } = object.metadata;
    const body = { ...object, metadata: { ...metadata, name: `${object.metadata.name}-again` } };
    const created = await cluster.send('POST', `${path}?dryRun=All&fieldManager=kube-apiserver`, { body });
    assert.equal(created.code, 201, created.text);
    assert.deepEqual(withoutIdentity(stored.body), withoutIdentity(created.body), object.metadata.name);
    compared += 1;
  }
  assert.ok(compared > 30);
  for (const plural of ['clusterroles', 'clusterrolebindings', 'roles', 'rolebindings']) {
    const { body } = await cluster.send('GET', `${rbac}/${plural}`);
    const kind = policy.filter((object) => pathOf(object).endsWith(`/${plural}`));
    assert.equal(getArray(body, 'items').length, kind.length, plural);
  }
});

async function change(cluster: TestCluster, path: string, patch: JsonObject): Promise<void> {
  const answer = await cluster.send('PATCH', `${rbac}/${path}`, { body: patch, type: 'application/merge-patch+json' });
  assert.equal(answer.code, 200, answer.text);
}

test('a start gives back what is missing, keeps what was added, and leaves protected roles alone', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'drydock-policy-'));
  const own = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
  const unprotected = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' };
  try {
    {
      await using cluster = await testCluster({ dataDir });
      await change(cluster, 'clusterroles/system:basic-user', { rules: [own] });
      await change(cluster, 'clusterroles/system:discovery', { metadata: { annotations: unprotected }, rules: [own] });
      await change(cluster, 'clusterrolebindings/system:public-info-viewer', { subjects: null });
      await cluster.send('DELETE', `${rbac}/clusterroles/system:monitoring`);
    }
    await using cluster = await testCluster({ dataDir });
    const get = async (path: string): Promise<JsonObject> => (await cluster.send('GET', `${rbac}/${path}`)).body;
    const resources = getArray(await get('clusterroles/system:basic-user'), 'rules').map(
      (rule) => isObject(rule) && rule['resources'],
    );
    assert.deepEqual(resources, [
      ['pods'],
      ['selfsubjectaccessreviews'],
      ['selfsubjectrulesreviews'],
      ['selfsubjectreviews'],
    ]);
    assert.deepEqual((await get('clusterroles/system:discovery'))['rules'], [own]);
    assert.equal(getArray(await get('clusterrolebindings/system:public-info-viewer'), 'subjects').length, 2);
    assert.equal(getPath(await get('clusterroles/system:monitoring'), 'metadata', 'name'), 'system:monitoring');
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('a second start writes nothing', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'drydock-policy-'));
  const revisions: unknown[] = [];
  try {
    for (let start = 0; start < 2; start += 1) {
      await using cluster = await testCluster({ dataDir, port: 0 });
      const { body } = await cluster.send('GET', `${rbac}/clusterroles`);
      revisions.push(getArray(body, 'items').map((item) => getPath(item, 'metadata', 'resourceVersion')));
    }
    assert.deepEqual(revisions[1], revisions[0]);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});
