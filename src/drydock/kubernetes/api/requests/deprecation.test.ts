import assert from 'node:assert/strict';
import { test } from 'node:test';
import { definition, definitions, testCluster } from '../api-fixture.test.ts';
import { customDeprecation } from './deprecation.ts';

interface Version {
  name: string;
  served?: boolean;
  deprecated?: boolean;
  deprecationWarning?: string;
}

const rows: { name: string; versions: [Version, ...Version[]]; want: string | undefined }[] = [
  { name: 'not deprecated', versions: [{ name: 'v1' }], want: undefined },
  {
    name: 'a better version',
    versions: [{ name: 'v1beta1', deprecated: true }, { name: 'v1' }],
    want: 'example.com/v1beta1 Old is deprecated; use example.com/v1 Old',
  },
  {
    name: 'a newer version, not the preview of a newer one',
    versions: [{ name: 'v1', deprecated: true }, { name: 'v2' }, { name: 'v3beta1' }],
    want: 'example.com/v1 Old is deprecated; use example.com/v2 Old',
  },
  {
    name: 'only a worse one',
    versions: [{ name: 'v1beta1', deprecated: true }, { name: 'v1alpha1' }],
    want: 'example.com/v1beta1 Old is deprecated',
  },
  {
    name: 'one that is not served',
    versions: [
      { name: 'v1beta1', deprecated: true },
      { name: 'v1', served: false },
    ],
    want: 'example.com/v1beta1 Old is deprecated',
  },
  {
    name: 'own words',
    versions: [{ name: 'v1', deprecated: true, deprecationWarning: 'gone soon' }],
    want: 'gone soon',
  },
];

for (const { name, versions, want } of rows)
  test(`deprecated version of a custom resource: ${name}`, () => {
    const served = versions.map((version) => ({ served: true, ...version }));
    const spec = { group: 'example.com', names: { kind: 'Old' }, versions: served };
    assert.equal(customDeprecation(spec, { ...versions[0] }), want);
  });

test('kubectl prints that a version is deprecated, and can take it for an error', async () => {
  await using cluster = await testCluster();
  const schema = { openAPIV3Schema: { type: 'object' } };
  const served = [
    { name: 'v1', served: true, storage: true, schema },
    { name: 'v1beta1', served: true, storage: false, deprecated: true, schema },
  ];
  await cluster.send('POST', definitions, {
    body: definition({ group: 'example.com', plural: 'olds', kind: 'Old' }, served),
  });
  const refused = await cluster.kubectl('get', 'olds.v1beta1.example.com', '--warnings-as-errors');
  assert.equal(refused.code, 1);
  assert.match(refused.err, /Warning: example.com\/v1beta1 Old is deprecated; use example.com\/v1 Old\n/);
  assert.match(refused.err, /error: 1 warning received\n$/);
  const endpoints = await cluster.send('GET', '/api/v1/namespaces/default/endpoints');
  assert.match(String(endpoints.headers['warning']), /v1 Endpoints is deprecated in v1.33\+/);
  const fine = await cluster.send('GET', '/apis/example.com/v1/namespaces/default/olds');
  assert.equal(fine.headers['warning'], undefined);
  const late = await cluster.send('GET', '/api/v1/namespaces/default/pods?timeoutSeconds=x');
  assert.deepEqual([late.code, late.body['message']], [400, 'strconv.ParseInt: parsing "x": invalid syntax']);
});
