import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAppError } from '#base/errors.ts';
import { testClock } from '../../test/clock.ts';
import { ensureCrds } from './crds.ts';
import type { KubeObject } from './port.ts';
import { answer, ScriptedServer } from './testing-server.ts';

const signal = new AbortController().signal;
const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const definitions = {
  name: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
  verbs: [],
};
const group = { name: 'apiextensions.k8s.io', versions: [{ groupVersion: 'apiextensions.k8s.io/v1', version: 'v1' }] };
const index: Record<string, object> = {
  '/api': { versions: [] },
  '/apis': { groups: [group] },
  '/apis/apiextensions.k8s.io/v1': { groupVersion: 'apiextensions.k8s.io/v1', resources: [definitions] },
};

function crd(name: string, established?: boolean): KubeObject {
  const conditions = [{ type: 'Established', status: established ? 'True' : 'False' }];
  const object: KubeObject = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name },
  };
  return established === undefined ? object : { ...object, status: { conditions } };
}

/** A server that establishes a definition after it was looked at so many times. */
function start(looksUntilEstablished: Record<string, number>): Promise<ScriptedServer> {
  const looks: Record<string, number> = {};
  return ScriptedServer.start(testClock, (request, response) => {
    const name = request.path.startsWith(path) ? request.path.slice(path.length + 1) : '';
    if (name === '') return answer(response, 200, index[request.path] ?? {});
    if (request.method === 'PATCH') return answer(response, 200, crd(name));
    looks[name] = (looks[name] ?? 0) + 1;
    answer(response, 200, crd(name, looks[name] >= (looksUntilEstablished[name] ?? Number.POSITIVE_INFINITY)));
  });
}

test('waits until every definition is established, and asks each again while one is late', async () => {
  await using server = await start({ a: 1, b: 3 });
  const client = server.client();
  await ensureCrds(client, [crd('a'), crd('b')], signal, { clock: testClock });
  const calls = server.requests.map((request) => `${request.method} ${request.path.replace(path, '')}`);
  assert.deepEqual(
    calls.filter((call) => call.startsWith('PATCH')),
    ['PATCH /a', 'PATCH /b'],
  );
  assert.equal(calls.filter((call) => call === 'GET /b').length, 3);
});

test('waits until discovery tells of the kinds too', async () => {
  let looks = 0;
  const widgets = { name: 'widgets', kind: 'Widget', namespaced: true, verbs: ['get'] };
  const version = { groupVersion: 'example.com/v1', version: 'v1' };
  await using server = await ScriptedServer.start(testClock, (request, response) => {
    if (request.path.startsWith(path)) return answer(response, 200, crd('widgets.example.com', true));
    if (request.path === '/apis/example.com/v1')
      return answer(response, 200, { groupVersion: 'example.com/v1', resources: [widgets] });
    if (request.path !== '/apis') return answer(response, 200, index[request.path] ?? {});
    looks += 1;
    const groups = looks < 4 ? [group] : [group, { name: 'example.com', versions: [version] }];
    answer(response, 200, { groups });
  });
  const spec = {
    group: 'example.com',
    names: { kind: 'Widget' },
    versions: [
      { name: 'v1', served: true },
      { name: 'v0', served: false },
    ],
  };
  const client = server.client();
  await ensureCrds(client, [{ ...crd('widgets.example.com'), spec }], signal, { clock: testClock });
  assert.equal(looks, 4);
  const found = await client.discovery.find({ group: 'example.com', version: 'v1', kind: 'Widget' }, signal);
  assert.equal(found?.plural, 'widgets');
});

test('names those that are not established in time', async () => {
  await using server = await start({ a: 1 });
  const ensuring = ensureCrds(server.client(), [crd('a'), crd('b')], signal, { clock: testClock, timeoutMs: 20 });
  await assert.rejects(
    ensuring,
    (error) =>
      isAppError(error, 'timeout') && error.message.endsWith(': b') && /kubectl get crd/.test(error.hint ?? ''),
  );
});

test('nothing to ensure asks nothing', async () => {
  await using server = await start({});
  await ensureCrds(server.client(), [], signal, { clock: testClock });
  assert.deepEqual(server.requests, []);
});
