import { getArray, getNumber, getString } from '#base/json.ts';
import type { Need } from './case.ts';
import { itemsOf, pause, uidOf } from './cluster.ts';
import type { Http } from './http.ts';

const patienceMs = 8_000;

/** What this cluster has of what cases may need. Works in a namespace of its own and removes it. */
export async function lookForNeeds(http: Http, run: string): Promise<Set<Need>> {
  const name = `suite-needs-${run}`;
  const path = `/api/v1/namespaces/${name}`;
  const made = await http.send('POST', '/api/v1/namespaces', {
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
  });
  if (made.code !== 201) throw new Error(`a namespace cannot be made here: ${made.code} ${made.text}`);
  try {
    const looks: [Need, Promise<boolean>][] = [
      ['controllers', controllersRun(http, name)],
      ['garbage-collector', garbageIsCollected(http, name)],
      ['watch-list', watchListIsOn(http, name)],
      ['default-storage-class', hasDefaultClass(http)],
      ['impersonation', canImpersonate(http)],
      ['rbac', strangersAreRefused(http)],
      ['default-tolerations', hasDefaultTolerations(http, name)],
      ['drydock', isDrydock(http)],
    ];
    const found = await Promise.all(looks.map(async ([need, look]) => ((await look) ? [need] : [])));
    return new Set(found.flat());
  } finally {
    await http.send('DELETE', path);
  }
}

async function soon(look: () => Promise<boolean>): Promise<boolean> {
  for (const until = Date.now() + patienceMs; Date.now() < until; await pause(50)) if (await look()) return true;
  return false;
}

async function controllersRun(http: Http, namespace: string): Promise<boolean> {
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments`;
  const labels = { suite: 'needs' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'x:1' }] } };
  const spec = { replicas: 0, selector: { matchLabels: labels }, template };
  await http.send('POST', path, {
    body: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'needs' }, spec },
  });
  return soon(
    async () => getNumber((await http.send('GET', `${path}/needs`)).body, 'status', 'observedGeneration') === 1,
  );
}

async function garbageIsCollected(http: Http, namespace: string): Promise<boolean> {
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const send = (name: string, owners: unknown[]) =>
    http.send('POST', path, {
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ownerReferences: owners } },
    });
  const uid = uidOf((await send('owner', [])).body);
  await send('owned', [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid }]);
  await http.send('DELETE', `${path}/owner`);
  return soon(async () => (await http.send('GET', `${path}/owned`)).code === 404);
}

async function watchListIsOn(http: Http, namespace: string): Promise<boolean> {
  const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
  await using watch = await http.watch(`/api/v1/namespaces/${namespace}/configmaps?${query}`);
  return watch.code === 200;
}

async function hasDefaultClass(http: Http): Promise<boolean> {
  const { body } = await http.send('GET', '/apis/storage.k8s.io/v1/storageclasses');
  return itemsOf(body).some(
    (item) => getString(item, 'metadata', 'annotations', 'storageclass.kubernetes.io/is-default-class') === 'true',
  );
}

/** A Deployment's pods cannot show it, and a pod needs its account first: tried until it is there. */
async function hasDefaultTolerations(http: Http, namespace: string): Promise<boolean> {
  const spec = { containers: [{ name: 'c', image: 'x:1' }] };
  const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
  let found = false;
  await soon(async () => {
    const { code, body } = await http.send('POST', path, {
      body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'needs' }, spec },
    });
    found = getArray(body, 'spec', 'tolerations').length > 0;
    return code === 201;
  });
  return found;
}

async function canImpersonate(http: Http): Promise<boolean> {
  const { body } = await http.send('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    headers: { 'impersonate-user': 'suite-nobody', 'impersonate-group': 'suite-group' },
  });
  const groups = getArray(body, 'status', 'userInfo', 'groups');
  return getString(body, 'status', 'userInfo', 'username') === 'suite-nobody' && groups.includes('suite-group');
}

async function strangersAreRefused(http: Http): Promise<boolean> {
  const headers = { 'impersonate-user': 'suite-nobody' };
  return (await http.send('GET', '/api/v1/secrets', { headers })).code === 403;
}

async function isDrydock(http: Http): Promise<boolean> {
  return /drydock/.test(getString((await http.send('GET', '/version')).body, 'gitVersion') ?? '');
}
