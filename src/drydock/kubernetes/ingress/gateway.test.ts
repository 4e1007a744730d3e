import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getArray, getNumber, getPath, getString } from '#base/json.ts';
import { IngressWorld, ingressObject } from '../../../../test/ingress-world.ts';
import { eventually } from '../../../../test/node-world.ts';
import type { ApiObject } from '../api/port.ts';
import { commonHosts, isGranted } from './gateway-plan.ts';
import { durationMs } from './http-route-rules.ts';

const group = 'gateway.networking.k8s.io';
const kinds = [
  { kind: 'GatewayClass', plural: 'gatewayclasses', scope: 'Cluster' },
  { kind: 'Gateway', plural: 'gateways', scope: 'Namespaced' },
  { kind: 'HTTPRoute', plural: 'httproutes', scope: 'Namespaced' },
  { kind: 'ReferenceGrant', plural: 'referencegrants', scope: 'Namespaced' },
];

function definition({ kind, plural, scope }: (typeof kinds)[number]): ApiObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      annotations: { 'api-approved.kubernetes.io': 'unapproved, a small one for tests' },
    },
    spec: {
      group,
      scope,
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: kind === 'ReferenceGrant' ? {} : { status: {} },
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              },
            },
          },
        },
      ],
    },
  };
}

async function startWithGateways(): Promise<IngressWorld> {
  const world = await IngressWorld.start();
  for (const kind of kinds) await world.create(definition(kind));
  await eventually('the class', () =>
    getString(world.api.get(`gatewayclasses.${group}`, undefined, 'drydock'), 'status', 'conditions', 0, 'status'),
  );
  return world;
}

function gateway(listeners: object[] = [{ name: 'web', port: 80, protocol: 'HTTP' }]): ApiObject {
  const spec = { gatewayClassName: 'drydock', listeners };
  return { apiVersion: `${group}/v1`, kind: 'Gateway', metadata: { name: 'edge', namespace: 'default' }, spec };
}

function httpRoute(name: string, rules: object[], spec: object = {}): ApiObject {
  return {
    apiVersion: `${group}/v1`,
    kind: 'HTTPRoute',
    metadata: { name, namespace: 'default' },
    spec: { parentRefs: [{ name: 'edge' }], rules, ...spec },
  };
}

const to = (name: string, weight?: number, more: object = {}) => ({
  name,
  port: 80,
  ...(weight === undefined ? {} : { weight }),
  ...more,
});

/** The conditions of the route's first parent as `Type=Status/Reason`. */
async function conditionsOf(world: IngressWorld, name: string): Promise<string[]> {
  const found = await eventually(`a status of ${name}`, () => {
    const route = world.api.get(`httproutes.${group}`, 'default', name);
    const conditions = getArray(route, 'status', 'parents', 0, 'conditions');
    const current = conditions.every((one) => getNumber(one, 'observedGeneration') === route?.metadata.generation);
    return current && conditions.length > 0 ? conditions : undefined;
  });
  return found.map((one) => `${getString(one, 'type')}=${getString(one, 'status')}/${getString(one, 'reason')}`);
}

test('weights of an HTTPRoute split the traffic exactly, and the objects say that they are served', async () => {
  await using world = await startWithGateways();
  await world.backend('stable');
  await world.backend('canary');
  await world.create(gateway());
  await world.create(
    httpRoute('shop', [{ backendRefs: [to('stable', 75), to('canary', 25)] }], { hostnames: ['shop.test'] }),
  );
  assert.deepEqual(await conditionsOf(world, 'shop'), ['Accepted=True/Accepted', 'ResolvedRefs=True/ResolvedRefs']);
  const counts: Record<string, number> = {};
  for (let at = 0; at < 40; at += 1) {
    const answers = await Promise.all(Array.from({ length: 10 }, () => world.ask('/')));
    for (const { text } of answers) counts[text] = (counts[text] ?? 0) + 1;
  }
  assert.deepEqual(counts, { stable: 300, canary: 100 });
  assert.equal((await world.ask('/', { host: 'other.test' })).status, 404);
  const edge = await eventually('a served gateway', () => {
    const found = world.api.get(`gateways.${group}`, 'default', 'edge');
    return getNumber(found, 'status', 'listeners', 0, 'attachedRoutes') === 1 ? found : undefined;
  });
  assert.deepEqual(
    getArray(edge, 'status', 'conditions').map((one) => `${getString(one, 'type')}=${getString(one, 'status')}`),
    ['Accepted=True', 'Programmed=True'],
  );
  assert.equal(
    getString(edge, 'status', 'conditions', 1, 'message'),
    `Port 80 on 127.0.0.1:${world.ingress.ports.http}.`,
  );
  const before = edge.metadata.resourceVersion;
  await world.create(httpRoute('other', [{ backendRefs: [to('stable')] }], { hostnames: ['x.test'] }));
  await conditionsOf(world, 'other');
  const listeners = await eventually('two routes', () => {
    const found = world.api.get(`gateways.${group}`, 'default', 'edge');
    return getNumber(found, 'status', 'listeners', 0, 'attachedRoutes') === 2 ? found : undefined;
  });
  assert.notEqual(listeners.metadata.resourceVersion, before);
});

test('once told, nothing is written again: not by its own writes, and not by what changes nothing', async () => {
  await using world = await startWithGateways();
  await world.backend('web');
  await world.create(gateway());
  await world.create(httpRoute('web', [{ backendRefs: [to('web')] }]));
  await world.create(ingressObject('web'));
  await conditionsOf(world, 'web');
  await eventually('an attached route', () =>
    getNumber(world.api.get(`gateways.${group}`, 'default', 'edge'), 'status', 'listeners', 0, 'attachedRoutes'),
  );
  await eventually('a served Ingress', () =>
    getPath(world.api.get('ingresses.networking.k8s.io', 'default', 'web'), 'status', 'loadBalancer', 'ingress'),
  );
  const writes: string[] = [];
  world.api.onChange('*', ({ object }) => writes.push(`${object.kind} ${object.metadata.name}`));
  const labels = { touched: 'yes' };
  await world.api.mergePatch('services', 'default', 'web', { metadata: { labels } }, { manager: 'test' });
  await eventually('the change', () => writes.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 150));
  // What was written before is heard of a turn later.
  assert.deepEqual(writes.slice(writes.indexOf('Service web')), ['Service web']);
});

test('matches and filters', async () => {
  await using world = await startWithGateways();
  await world.backend('echo', (incoming, response) => {
    const { host, 'x-set': set, 'x-add': add, 'x-gone': gone } = incoming.headers;
    response.setHeader('x-inner', 'secret');
    response.end(JSON.stringify({ url: incoming.url, host, set, add, gone }));
  });
  await world.backend('beta');
  await world.create(gateway());
  const rule = (path: string, filters: object[]) => ({
    matches: [{ path: { type: 'PathPrefix', value: path } }],
    filters,
    backendRefs: [to('echo')],
  });
  await world.create(
    httpRoute('shop', [
      { backendRefs: [to('echo')] },
      {
        matches: [{ headers: [{ name: 'X-Beta', value: 'yes' }] }, { queryParams: [{ name: 'beta', value: '1' }] }],
        backendRefs: [to('beta')],
      },
      {
        matches: [{ path: { type: 'RegularExpression', value: '/v[0-9]+/.*' }, method: 'GET' }],
        backendRefs: [to('beta')],
      },
      rule('/cut', [
        {
          type: 'URLRewrite',
          urlRewrite: { hostname: 'in.test', path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } },
        },
      ]),
      rule('/full', [
        { type: 'URLRewrite', urlRewrite: { path: { type: 'ReplaceFullPath', replaceFullPath: '/all' } } },
      ]),
      rule('/headers', [
        {
          type: 'RequestHeaderModifier',
          requestHeaderModifier: {
            set: [{ name: 'X-Set', value: 'new' }],
            add: [{ name: 'X-Add', value: 'more' }],
            remove: ['x-gone'],
          },
        },
        {
          type: 'ResponseHeaderModifier',
          responseHeaderModifier: { remove: ['X-Inner'], set: [{ name: 'X-Outer', value: '1' }] },
        },
      ]),
      rule('/moved', [
        {
          type: 'RequestRedirect',
          requestRedirect: {
            hostname: 'new.test',
            port: 8080,
            statusCode: 301,
            path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/to' },
          },
        },
      ]),
      rule('/secure', [{ type: 'RequestRedirect', requestRedirect: { scheme: 'https' } }]),
    ]),
  );
  await conditionsOf(world, 'shop');
  const ask = async (path: string, headers: Record<string, string> = {}) => (await world.ask(path, { headers })).text;
  assert.equal(await ask('/', { 'x-beta': 'yes' }), 'beta');
  assert.equal(await ask('/?beta=1'), 'beta');
  assert.equal(await ask('/v12/x'), 'beta');
  assert.equal(JSON.parse(await ask('/cut/a?b=c')).url, '/a?b=c');
  assert.equal(JSON.parse(await ask('/cut')).host, 'in.test');
  assert.equal(JSON.parse(await ask('/full/x?y')).url, '/all?y');
  const changed = await world.ask('/headers', { headers: { 'x-set': 'old', 'x-add': 'one', 'x-gone': '1' } });
  assert.deepEqual(JSON.parse(changed.text), { url: '/headers', host: 'shop.test', set: 'new', add: 'one, more' });
  assert.deepEqual([changed.headers['x-inner'], changed.headers['x-outer']], [undefined, '1']);
  const moved = await world.ask('/moved/x?y=z');
  assert.deepEqual([moved.status, moved.headers.location], [301, 'http://new.test:8080/to/x?y=z']);
  const secure = await world.ask('/secure');
  assert.deepEqual(
    [secure.status, secure.headers.location],
    [302, `https://shop.test:${world.ingress.ports.https}/secure`],
  );
});

test('what cannot be done is said by a condition, and a lost backend answers its share with 500', async () => {
  await using world = await startWithGateways();
  await world.backend('good');
  await world.create(
    gateway([
      { name: 'web', port: 80, protocol: 'HTTP', hostname: '*.shop.test' },
      { name: 'tcp', port: 90, protocol: 'TCP' },
      { name: 'tls', port: 443, protocol: 'HTTPS', tls: { certificateRefs: [{ name: 'missing' }] } },
      { name: 'one', port: 81, protocol: 'HTTP' },
      { name: 'two', port: 81, protocol: 'HTTP' },
    ]),
  );
  const good = { backendRefs: [to('good')] };
  const rows: [string, object[], object, string[]][] = [
    [
      'lost',
      [{ backendRefs: [to('missing')] }],
      { hostnames: ['lost.shop.test'] },
      ['Accepted=True/Accepted', 'ResolvedRefs=False/BackendNotFound'],
    ],
    [
      'kind',
      [{ backendRefs: [to('good', 1, { kind: 'Bucket', group: 'x' })] }],
      {},
      ['Accepted=True/Accepted', 'ResolvedRefs=False/InvalidKind'],
    ],
    [
      'away',
      [{ backendRefs: [to('good', 1, { namespace: 'kube-system' })] }],
      {},
      ['Accepted=True/Accepted', 'ResolvedRefs=False/RefNotPermitted'],
    ],
    [
      'mirror',
      [{ ...good, filters: [{ type: 'RequestMirror' }] }],
      {},
      ['Accepted=False/UnsupportedValue', 'ResolvedRefs=True/ResolvedRefs'],
    ],
    [
      'host',
      [good],
      { hostnames: ['other.test'], parentRefs: [{ name: 'edge', sectionName: 'web' }] },
      ['Accepted=False/NoMatchingListenerHostname', 'ResolvedRefs=True/ResolvedRefs'],
    ],
    [
      'section',
      [good],
      { parentRefs: [{ name: 'edge', sectionName: 'none' }] },
      ['Accepted=False/NoMatchingParent', 'ResolvedRefs=True/ResolvedRefs'],
    ],
    [
      'protocol',
      [good],
      { parentRefs: [{ name: 'edge', sectionName: 'tcp' }] },
      ['Accepted=False/NotAllowedByListeners', 'ResolvedRefs=True/ResolvedRefs'],
    ],
  ];
  for (const [name, rules, spec, want] of rows) {
    await world.create(httpRoute(name, rules, spec));
    assert.deepEqual(await conditionsOf(world, name), want, name);
  }
  assert.equal((await world.ask('/', { host: 'lost.shop.test' })).status, 500);
  const edge = world.api.get(`gateways.${group}`, 'default', 'edge');
  const reasons = getArray(edge, 'status', 'listeners').map((listener) =>
    getArray(listener, 'conditions')
      .filter((one) => getPath(one, 'status') === (getPath(one, 'type') === 'Conflicted' ? 'True' : 'False'))
      .map((one) => getString(one, 'reason')),
  );
  assert.deepEqual(reasons, [
    [],
    ['UnsupportedProtocol', 'Invalid'],
    ['InvalidCertificateRef', 'Invalid'],
    ['HostnameConflict', 'Invalid', 'HostnameConflict'],
    ['HostnameConflict', 'Invalid', 'HostnameConflict'],
  ]);
  await world.create({
    apiVersion: `${group}/v1`,
    kind: 'Gateway',
    metadata: { name: 'theirs', namespace: 'default' },
    spec: { gatewayClassName: 'someone-else', listeners: [] },
  });
  await world.create(httpRoute('theirs', [good], { parentRefs: [{ name: 'theirs' }] }));
  await conditionsOf(world, 'section');
  assert.equal(world.api.get(`gateways.${group}`, 'default', 'theirs')?.['status'], undefined);
  assert.equal(world.api.get(`httproutes.${group}`, 'default', 'theirs')?.['status'], undefined);
});

const hosts: [string, string[], string[]][] = [
  ['', [], ['']],
  ['', ['a.test'], ['a.test']],
  ['a.test', [], ['a.test']],
  ['*.test', ['a.test', 'b.other'], ['a.test']],
  ['*.test', [], ['**.test']],
  ['a.b.test', ['*.test'], ['a.b.test']],
  ['*.test', ['*.b.test'], ['**.b.test']],
  ['*.b.test', ['*.test'], ['**.b.test']],
  ['a.test', ['b.test'], []],
  ['*.test', ['test'], []],
];
for (const [listener, route, want] of hosts)
  test(`the hosts of "${listener}" and [${route}] are [${want}]`, () =>
    assert.deepEqual(commonHosts(listener, route), want));

test('references to another namespace need a grant there for the kind, and the name where it says one', () => {
  const grant = (to: object): ApiObject => ({
    apiVersion: `${group}/v1`,
    kind: 'ReferenceGrant',
    metadata: { name: 'g', namespace: 'there' },
    spec: { from: [{ group, kind: 'HTTPRoute', namespace: 'here' }], to: [{ group: '', kind: 'Service', ...to }] },
  });
  const from = { kind: 'HTTPRoute', namespace: 'here' };
  const target = { kind: 'Service', namespace: 'there', name: 'shop' };
  assert.equal(isGranted([], from, target), false);
  assert.equal(isGranted([grant({})], from, target), true);
  assert.equal(isGranted([grant({ name: 'shop' })], from, target), true);
  assert.equal(isGranted([grant({ name: 'other' })], from, target), false);
  assert.equal(isGranted([grant({})], { ...from, kind: 'Gateway' }, target), false);
  assert.equal(isGranted([grant({})], from, { ...target, kind: 'Secret' }), false);
  assert.equal(isGranted([], from, { ...target, namespace: 'here' }), true);
});

test('headers that cannot be sent are an error of the router, and the next request is served', async () => {
  await using world = await startWithGateways();
  await world.backend('web');
  await world.create(gateway());
  const modifier = { set: [{ name: 'X-Bad', value: 'a\nb' }] };
  const rule = (value: string, filter: object) => ({
    matches: [{ path: { value } }],
    filters: [filter],
    backendRefs: [to('web')],
  });
  await world.create(
    httpRoute('bad', [
      rule('/answer', { type: 'ResponseHeaderModifier', responseHeaderModifier: modifier }),
      rule('/request', { type: 'RequestHeaderModifier', requestHeaderModifier: modifier }),
      { backendRefs: [to('web', 0.5), to('web', -3), to('web', 1)] },
    ]),
  );
  await conditionsOf(world, 'bad');
  assert.equal((await world.ask('/answer')).status, 502);
  assert.equal((await world.ask('/request')).status, 500);
  assert.equal((await world.ask('/')).text, 'web');
});

test('durations', () => {
  assert.deepEqual(['10s', '1h30m', '500ms', '1m2s3ms', '0s'].map(durationMs), [10_000, 5_400_000, 500, 62_003, 0]);
  assert.equal(durationMs('99999h'), 2 ** 31 - 1);
  assert.throws(() => durationMs('10'), /the duration "10"/);
});
