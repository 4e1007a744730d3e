import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDuplicateFields } from '../protocol/duplicate-fields.ts';
import { asksStream, chooseDiscovery, chooseFace } from '../protocol/negotiation.ts';
import { parseResourcePath } from '../protocol/request-path.ts';
import { selectorText } from '../protocol/selector-text.ts';
import { humanDuration } from '../table/age.ts';
import { readJsonPath } from '../table/json-path.ts';
import { generatedName } from '../write/metadata.ts';
import { byPreference } from './discovery.ts';
import { decodeToken, encodeToken } from './list.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const durations: [number, string][] = [
  [-5 * second, '<invalid>'],
  [-second, '0s'],
  [0, '0s'],
  [119 * second, '119s'],
  [2 * minute, '2m'],
  [2 * minute + 5 * second, '2m5s'],
  [10 * minute + 5 * second, '10m'],
  [179 * minute, '179m'],
  [3 * hour, '3h'],
  [3 * hour + 20 * minute, '3h20m'],
  [8 * hour + 20 * minute, '8h'],
  [47 * hour, '47h'],
  [49 * hour, '2d1h'],
  [8 * day, '8d'],
  [729 * day, '729d'],
  [800 * day, '2y70d'],
  [3000 * day, '8y'],
];
test('ages as kubectl prints them', () => {
  assert.deepEqual(
    durations.map(([ms]) => humanDuration(ms)),
    durations.map(([, text]) => text),
  );
});

const duplicates: [string, string[]][] = [
  ['{"a":1,"b":2}', []],
  ['{"a":1,"a":2,"a":3}', ['a']],
  ['{"a":{"b":1,"b":2},"c":{"b":1}}', ['a.b']],
  ['{"l":[{"x":1},{"x":1,"x":2}]}', ['l[1].x']],
  ['{"a":"{\\"b\\":1,\\"b\\":2}","\\u0061":1}', ['a']],
  ['{"l":["a","a",["b","b"]],"m":[[{"k":1,"k":2}]]}', ['m[0][0].k']],
];
for (const [text, want] of duplicates)
  test(`duplicate members of ${text}`, () => {
    assert.deepEqual(findDuplicateFields(text), want);
  });

const faces: [string | undefined, string][] = [
  [undefined, 'object'],
  ['*/*', 'object'],
  ['application/vnd.kubernetes.protobuf,application/json', 'object'],
  ['application/json;as=Table;v=v1;g=meta.k8s.io,application/json', 'table'],
  ['application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json', 'object'],
  ['application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io', 'partial'],
  ['application/json;q=0.1,application/json;as=Table;v=v1;g=meta.k8s.io;q=0.9', 'table'],
];
test('the face of an answer follows Accept', () => {
  assert.deepEqual(
    faces.map(([accept]) => chooseFace(accept)),
    faces.map(([, face]) => face),
  );
  assert.throws(() => chooseFace('application/cbor'), { code: 406 });
  assert.equal(asksStream('application/json;stream=watch'), true);
  assert.equal(chooseDiscovery('application/json'), undefined);
  assert.equal(
    chooseDiscovery('application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json'),
    'v2beta1',
  );
});

test('a continue token is what upstream writes', () => {
  const text = encodeToken({ revision: 716, start: 'c1\u0000' });
  assert.equal(Buffer.from(text, 'base64url').toString(), '{"v":"meta.k8s.io/v1","rv":716,"start":"c1\\u0000"}');
  assert.deepEqual(decodeToken(text), { revision: 716, start: 'c1\u0000' });
  for (const bad of ['x', '', Buffer.from('{"v":"meta.k8s.io/v1","rv":0,"start":"a"}').toString('base64url')])
    assert.throws(() => decodeToken(bad), { code: 400 });
});

const paths: [string, object | undefined][] = [
  ['/api', undefined],
  ['/api/v1', undefined],
  ['/version', undefined],
  ['/api/v1/namespaces', { plural: 'namespaces' }],
  ['/api/v1/namespaces/a', { plural: 'namespaces', name: 'a' }],
  ['/api/v1/namespaces/a/finalize', { plural: 'namespaces', name: 'a', subresource: 'finalize' }],
  ['/api/v1/namespaces/a/pods', { plural: 'pods', namespace: 'a' }],
  ['/api/v1/namespaces/a/pods/p/log', { plural: 'pods', namespace: 'a', name: 'p', subresource: 'log' }],
  ['/api/v1/watch/namespaces/a/pods/p', { plural: 'pods', namespace: 'a', name: 'p', watch: true }],
  ['/apis/apps/v1/deployments', { group: 'apps', plural: 'deployments' }],
  ['/apis/g.io/v2/things/x%3Ay', { group: 'g.io', version: 'v2', plural: 'things', name: 'x:y' }],
];
test('paths of resources', () => {
  const none = {
    group: '',
    version: 'v1',
    namespace: undefined,
    name: undefined,
    subresource: undefined,
    watch: false,
  };
  assert.deepEqual(
    paths.map(([path]) => parseResourcePath(path)),
    paths.map(([, want]) => want && { ...none, ...want }),
  );
});

test('printer columns read simple paths', () => {
  const object = {
    spec: { 'a.b': 1, list: [{ n: 'x' }, { n: 'y' }] },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  };
  const want: [string, unknown][] = [
    ['.spec.list[1].n', 'y'],
    ['.spec.list[*].n', 'x'],
    [".spec['a.b']", undefined],
    [".spec['a\\.b']", 1],
    ['.spec.list[-1:].n', 'y'],
    ['.spec.list[0:1].n', 'x'],
    ['..n', 'x'],
    ['.spec.list[1].*', 'y'],
    ['.spec.a\\.b', 1],
    ['.status.conditions[?(@.type=="Ready")].status', 'True'],
    ['.status.conditions[?(@.type=="Failed")].status', undefined],
    ['{.spec.list[0].n}', 'x'],
    ['.nothing.there', undefined],
  ];
  assert.deepEqual(
    want.map(([path]) => readJsonPath(object, path)),
    want.map(([, value]) => value),
  );
});

test('selectors as text', () => {
  const selector = {
    matchLabels: { b: '2', a: '1' },
    matchExpressions: [
      { key: 'c', operator: 'In', values: ['y', 'x'] },
      { key: 'd', operator: 'DoesNotExist' },
    ],
  };
  assert.equal(selectorText(selector), 'a=1,b=2,c in (x,y),!d');
  assert.equal(selectorText({ app: 'x' }), 'app=x');
});

test('versions by preference', () => {
  const versions = ['v1alpha1', 'v1', 'v2beta1', 'v10', 'v2', 'foo'];
  assert.deepEqual(versions.sort(byPreference), ['v10', 'v2', 'v1', 'v2beta1', 'v1alpha1', 'foo']);
});

test('generated names fit into 63 characters', () => {
  assert.equal(generatedName('p-', Buffer.from([0, 1, 2, 3, 26])), 'p-bcdf9');
  assert.equal(generatedName('x'.repeat(70), Buffer.alloc(5)).length, 63);
});
