import assert from 'node:assert/strict';
import { getArray, getObject, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import { servedKinds } from '../served-kinds.ts';
import type { Area, Case } from '../suite/case.ts';
import type { Cluster } from '../suite/cluster.ts';
import { includes } from '../suite/expect.ts';
import type { Answer } from '../suite/http.ts';

const seen = 'answer of kube-apiserver 1.33';
const openApiSource = 'kubernetes.io/docs/concepts/overview/kubernetes-api: OpenAPI V3';
const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const aggregated = `${aggregatedType},application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json`;

/** Not served by this server's own machinery but by another, and outside what the document promises. */
const aggregator = (resource: string) => /^(?:componentstatuses|apiregistration)/.test(resource);

function parts(resource: string): { group: string; version: string; plural: string } {
  const names = resource.split('/');
  const plural = names.pop() ?? '';
  const version = names.pop() ?? 'v1';
  return { group: names.pop() ?? '', version, plural };
}

async function discovered(k: Cluster): Promise<JsonObject[]> {
  const answers = await Promise.all(['/api', '/apis'].map((path) => k.get(path, { accept: aggregated })));
  return answers.flatMap((answer) => getArray(answer.body, 'items')).filter(isObject);
}

function resourceIn(groups: JsonObject[], resource: string): JsonObject | undefined {
  const { group, version, plural } = parts(resource);
  const found = groups.find((item) => (getString(item, 'metadata', 'name') ?? '') === group);
  const served = getArray(found, 'versions').find((item) => getString(item, 'version') === version);
  return getArray(served, 'resources')
    .filter(isObject)
    .find((item) => item['resource'] === plural);
}

const kinds: Case[] = servedKinds.map((kind) => ({
  id: `kind-${kind.resource.replaceAll(/[/.]/g, '-')}`,
  title: `${kind.kind} in aggregated discovery`,
  source: seen,
  run: async (k) => {
    const resource = resourceIn(await discovered(k), kind.resource);
    assert.ok(resource, `${kind.resource} is served`);
    includes(resource, {
      responseKind: { kind: kind.kind },
      scope: kind.namespaced ? 'Namespaced' : 'Cluster',
      ...(kind.shortNames.length === 0 ? {} : { shortNames: [...kind.shortNames] }),
      ...(kind.categories.length === 0 ? {} : { categories: [...kind.categories] }),
    });
    const verbs = new Set(getArray(resource, 'verbs'));
    const want = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
    if (kind.kind !== 'Namespace')
      assert.deepEqual(
        want.filter((verb) => !verbs.has(verb)),
        [],
      );
    const subresources = getArray(resource, 'subresources').map((item) => getString(item, 'subresource'));
    for (const name of ['status', 'scale', 'log', 'binding', 'finalize'])
      if (kind.subresources.includes(name)) assert.ok(subresources.includes(name), `${kind.resource}/${name}`);
  },
}));

const aggregatedCases: Case[] = [
  {
    id: 'aggregated-headers',
    title: 'aggregated discovery names its type, and is good for If-None-Match',
    source: seen,
    run: async (k) => {
      for (const path of ['/api', '/apis']) {
        const answer = await k.get(path, { accept: aggregated });
        assert.equal(answer.headers['content-type'], aggregatedType);
        assert.deepEqual(
          [answer.body['kind'], answer.body['apiVersion']],
          ['APIGroupDiscoveryList', 'apidiscovery.k8s.io/v2'],
        );
        const etag = String(answer.headers['etag']);
        assert.match(etag, /^"[0-9A-F]+"$/);
        assert.match(String(answer.headers['vary']), /Accept/);
        const again = await k.get(path, { accept: aggregated, headers: { 'if-none-match': etag } });
        assert.deepEqual([again.code, again.text], [304, '']);
      }
    },
  },
  {
    id: 'aggregated-v2beta1',
    title: 'aggregated discovery in v2beta1',
    source: seen,
    run: async (k) => {
      const accept = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';
      const answer = await k.get('/apis', { accept });
      assert.equal(answer.body['apiVersion'], 'apidiscovery.k8s.io/v2beta1');
    },
  },
  {
    id: 'groups',
    title: 'plain discovery lists groups with their versions',
    source: 'kubernetes.io/docs/concepts/overview/kubernetes-api: discovery API',
    run: async (k) => {
      includes((await k.get('/api')).body, { kind: 'APIVersions', versions: ['v1'] });
      const { body } = await k.get('/apis');
      assert.deepEqual([body['kind'], body['apiVersion']], ['APIGroupList', 'v1']);
      const apps = getArray(body, 'groups').find((group) => getString(group, 'name') === 'apps');
      assert.deepEqual(apps, {
        name: 'apps',
        versions: [{ groupVersion: 'apps/v1', version: 'v1' }],
        preferredVersion: { groupVersion: 'apps/v1', version: 'v1' },
      });
      const autoscaling = getArray(body, 'groups').find((group) => getString(group, 'name') === 'autoscaling');
      assert.equal(getString(autoscaling, 'preferredVersion', 'version'), 'v2');
      assert.deepEqual((await k.get('/apis/apps')).body, { kind: 'APIGroup', apiVersion: 'v1', ...getObject(apps) });
    },
  },
  {
    id: 'resources',
    title: 'plain discovery lists the resources of a version',
    source: 'kubernetes.io/docs/concepts/overview/kubernetes-api: discovery API',
    run: async (k) => {
      const { body } = await k.get('/apis/apps/v1');
      assert.deepEqual([body['kind'], body['apiVersion'], body['groupVersion']], ['APIResourceList', 'v1', 'apps/v1']);
      const named = (name: string) =>
        getArray(body, 'resources')
          .filter(isObject)
          .find((item) => item['name'] === name) ?? {};
      const { storageVersionHash, ...deployments } = named('deployments');
      assert.equal(typeof storageVersionHash, 'string');
      assert.deepEqual(deployments, {
        name: 'deployments',
        singularName: 'deployment',
        namespaced: true,
        kind: 'Deployment',
        verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
        shortNames: ['deploy'],
        categories: ['all'],
      });
      assert.deepEqual(named('deployments/scale'), {
        name: 'deployments/scale',
        singularName: '',
        namespaced: true,
        group: 'autoscaling',
        version: 'v1',
        kind: 'Scale',
        verbs: ['get', 'patch', 'update'],
      });
    },
  },
];

const plain: Case[] = [
  {
    id: 'version',
    title: '/version is of the 1.33 line or newer',
    source: 'kubernetes.io/docs/reference/using-api',
    run: async (k) => {
      const { body } = await k.get('/version');
      assert.match(String(body['gitVersion']), /^v1\.\d+\.\d+/);
      assert.deepEqual(
        ['major', 'minor', 'gitCommit', 'buildDate', 'goVersion', 'compiler', 'platform'].filter(
          (key) => typeof body[key] !== 'string',
        ),
        [],
      );
    },
  },
  {
    id: 'health',
    title: '/healthz, /livez and /readyz say ok',
    source: 'kubernetes.io/docs/reference/using-api/health-checks',
    run: async (k) => {
      for (const path of ['/healthz', '/livez', '/readyz']) {
        const answer = await k.get(path);
        assert.deepEqual([answer.code, answer.text], [200, 'ok']);
        assert.match((await k.get(`${path}?verbose`)).text, /^\[\+\]ping ok$/m);
      }
    },
  },
  {
    id: 'root',
    title: '/ lists paths',
    source: seen,
    run: async (k) => {
      const paths = getArray((await k.get('/')).body, 'paths');
      for (const path of ['/api', '/api/v1', '/apis', '/apis/apps/v1', '/version', '/openapi/v3'])
        assert.ok(paths.includes(path), path);
    },
  },
];

async function document(k: Cluster, group: string): Promise<{ url: string; answer: Answer }> {
  const root = await k.get('/openapi/v3', { accept: 'application/json, */*' });
  const url = getString(root.body, 'paths', group, 'serverRelativeURL') ?? '';
  return { url, answer: await k.get(url) };
}

const openApi: Case[] = [
  {
    id: 'openapi-root',
    title: '/openapi/v3 names a document with a hash for every group version',
    source: openApiSource,
    run: async (k) => {
      const { body, code } = await k.get('/openapi/v3');
      assert.equal(code, 200);
      for (const path of ['api/v1', 'apis/apps/v1', 'apis/batch/v1', 'apis/rbac.authorization.k8s.io/v1']) {
        const url = getString(body, 'paths', path, 'serverRelativeURL') ?? '';
        assert.match(url, new RegExp(`^/openapi/v3/${path}\\?hash=[0-9A-F]{128}$`));
      }
    },
  },
  {
    id: 'openapi-immutable',
    title: 'a document under its hash may be kept for ever',
    source: seen,
    run: async (k) => {
      const { answer } = await document(k, 'apis/apps/v1');
      assert.equal(answer.code, 200);
      assert.match(String(answer.headers['cache-control']), /immutable/);
      assert.ok(answer.headers['etag']);
      assert.ok(answer.headers['expires']);
    },
  },
  {
    id: 'openapi-moved',
    title: 'another hash is sent on to the present one',
    source: seen,
    run: async (k) => {
      const { url } = await document(k, 'apis/apps/v1');
      const answer = await k.get('/openapi/v3/apis/apps/v1?hash=0000');
      assert.deepEqual([answer.code, answer.headers['location']], [301, url]);
    },
  },
  {
    id: 'openapi-content',
    title: 'the document describes kinds with group-version-kind, merge keys and list types',
    source: openApiSource,
    run: async (k) => {
      const { answer } = await document(k, 'apis/apps/v1');
      const schemas = getObject(answer.body, 'components', 'schemas');
      includes(getPath(schemas, 'io.k8s.api.apps.v1.Deployment'), {
        type: 'object',
        'x-kubernetes-group-version-kind': [{ group: 'apps', version: 'v1', kind: 'Deployment' }],
      });
      includes(getPath(schemas, 'io.k8s.api.core.v1.Container', 'properties', 'ports'), {
        type: 'array',
        'x-kubernetes-list-map-keys': ['containerPort', 'protocol'],
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-patch-merge-key': 'containerPort',
        'x-kubernetes-patch-strategy': 'merge',
      });
      const path = getObject(answer.body, 'paths', '/apis/apps/v1/namespaces/{namespace}/deployments/{name}');
      for (const verb of ['get', 'put', 'patch', 'delete']) assert.ok(isObject(path[verb]), verb);
      includes(getPath(path, 'patch', 'x-kubernetes-group-version-kind'), { kind: 'Deployment' });
    },
  },
];

export const discovery: Area = {
  name: 'discovery',
  title: 'Discovery, OpenAPI, version, health',
  cases: [
    ...aggregatedCases,
    ...plain,
    ...openApi,
    ...kinds.filter((_, index) => !aggregator(servedKinds[index]?.resource ?? '')),
  ],
};
