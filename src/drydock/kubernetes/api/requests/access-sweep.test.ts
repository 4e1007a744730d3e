import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getArray, getString } from '#base/json.ts';
import { type TestCluster, testCluster } from '../api-fixture.test.ts';

/** Every path that discovery names, with a namespace and a name where they belong. */
async function resourcePaths(cluster: TestCluster): Promise<{ resource: string; path: string }[]> {
  const { body } = await cluster.send('GET', '/apis');
  const versions = getArray(body, 'groups').flatMap((group) =>
    getArray(group, 'versions').map((version) => `/apis/${getString(version, 'groupVersion') ?? ''}`),
  );
  const paths: { resource: string; path: string }[] = [];
  for (const root of ['/api/v1', ...versions]) {
    const list = await cluster.send('GET', root);
    for (const item of getArray(list.body, 'resources')) {
      const resource = getString(item, 'name') ?? '';
      const [plural, ...subresource] = resource.split('/');
      const home = Object(item).namespaced === true ? `${root}/namespaces/default` : root;
      if (subresource.length > 0) paths.push({ resource, path: `${home}/${plural}/x/${subresource.join('/')}` });
      else paths.push({ resource, path: `${home}/${plural}` }, { resource, path: `${home}/${plural}/x` });
    }
  }
  return paths;
}

/** What everybody known may ask about himself. */
const open = new Set(['selfsubjectaccessreviews', 'selfsubjectrulesreviews', 'selfsubjectreviews']);

test('without a role, nothing that is served can be read or written', async () => {
  await using cluster = await testCluster({ tokens: [{ token: 'nobody-token', user: 'nobody', groups: [] }] });
  const paths = await resourcePaths(cluster);
  const admitted: string[] = [];
  let asked = 0;
  for (const { resource, path } of paths) {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      if (method === 'POST' && open.has(resource)) continue;
      const body = method === 'POST' || method === 'PUT' ? '{}' : undefined;
      const { code } = await cluster.send(method, path, { token: 'nobody-token', ...(body ? { body } : {}) });
      asked += 1;
      if (code !== 403) admitted.push(`${method} ${path} ${code}`);
    }
  }
  for (const path of ['/', '/metrics', '/logs/', '/debug/pprof', '/healthz/ping', '/api/v1/watch/pods']) {
    const { code } = await cluster.send('GET', path, { token: 'nobody-token' });
    if (code !== 403) admitted.push(`GET ${path} ${code}`);
  }
  assert.deepEqual(admitted, []);
  assert.ok(asked > 500, `${asked} requests`);
});
