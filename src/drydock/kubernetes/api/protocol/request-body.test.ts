import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getArray, type JsonObject } from '#base/json.ts';
import { configMaps, definition, definitions, testCluster } from '../api-fixture.test.ts';
import { ApiError } from '../port.ts';
import { parseBody } from './request-body.ts';

const struct =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';
const unread: [body: string, want: string][] = [
  ['', 'unexpected end of JSON input (<empty>)'],
  ['{"a":', 'unexpected end of JSON input ({"a":)'],
  ['apiVersion: v1', "invalid character 'a' looking for beginning of value (61706956657273696f6e3a207631)"],
  ['[]', `json: cannot unmarshal array into Go value of type ${struct} (5b5d)`],
  ['5', `json: cannot unmarshal number into Go value of type ${struct} (35)`],
  [
    `{"a":"${'x'.repeat(40)}",}`,
    `invalid character '}' looking for beginning of object key string ({"a":"${'x'.repeat(24)} ...)`,
  ],
];
for (const [body, want] of unread)
  test(`a body that is no object: ${body.slice(0, 20)}`, () => {
    assert.throws(
      () => parseBody(Buffer.from(body), 'application/json', 'Pod'),
      (error) => {
        assert.ok(error instanceof ApiError);
        assert.equal(error.code, 400);
        assert.equal(
          error.message,
          `the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: ${want}`,
        );
        return true;
      },
    );
  });

test('YAML: the last of a repeated key counts, and that it is repeated is told', () => {
  const text = 'kind: ConfigMap\ndata:\n  a: "1"\n  b: x\n  a: "2"\nkind: ConfigMap\n';
  const { value, duplicates } = parseBody(Buffer.from(text), 'application/yaml', 'ConfigMap');
  assert.deepEqual(value, { kind: 'ConfigMap', data: { a: '2', b: 'x' } });
  assert.deepEqual(duplicates, [
    'yaml: unmarshal errors:\n  line 5: key "a" already set in map\n  line 6: key "kind" already set in map',
  ]);
  assert.deepEqual(parseBody(Buffer.from('a: 1\nb: {a: 2}\n'), 'application/yaml', 'X').duplicates, []);
});

test('repeated keys of YAML follow fieldValidation', async () => {
  await using cluster = await testCluster();
  const send = (name: string, validation: string) =>
    cluster.send('POST', `${configMaps}?fieldValidation=${validation}`, {
      type: 'application/yaml',
      body: `metadata: {name: ${name}}\ndata:\n  a: one\n  a: two\n`,
    });
  const strict = await send('strict', 'Strict');
  assert.equal(strict.code, 400);
  assert.match(
    String(strict.body['message']),
    /strict decoding error: yaml: unmarshal errors:\n {2}line 4: key "a" already set in map$/,
  );
  const ignored = await send('ignored', 'Ignore');
  assert.deepEqual([ignored.code, ignored.body['data'], ignored.headers['warning']], [201, { a: 'two' }, undefined]);
  const warned = await send('warned', 'Warn');
  assert.equal(warned.code, 201);
  assert.match(String(warned.headers['warning']), /already set in map/);
});

test('a custom resource says which kind it is', async () => {
  await using cluster = await testCluster();
  await cluster.send('POST', definitions, {
    body: definition({ group: 'example.com', plural: 'boats', kind: 'Boat' }),
  });
  const path = '/apis/example.com/v1/namespaces/default/boats';
  const tell = async (body: JsonObject | null): Promise<[number, unknown]> => {
    const answer = await cluster.send('POST', path, { body: JSON.stringify(body) });
    return [answer.code, answer.body['message']];
  };
  const metadata = { name: 'x' };
  assert.deepEqual(await tell({ apiVersion: 'example.com/v1', kind: 'Other', metadata }), [
    422,
    'Other.example.com "x" is invalid: kind: Invalid value: "Other": must be Boat',
  ]);
  assert.deepEqual(await tell({ kind: 'Boat', metadata }), [
    400,
    'the API version in the data () does not match the expected API version (example.com/v1)',
  ]);
  assert.deepEqual(await tell(null), [
    400,
    "the object provided is unrecognized (must be of type Boat): Object 'Kind' is missing in 'null' (6e756c6c)",
  ]);
  assert.deepEqual((await tell({ apiVersion: 'example.com/v1', kind: 'Boat', metadata }))[0], 201);
  const patched = await cluster.send('PATCH', `${path}/x`, {
    type: 'application/merge-patch+json',
    body: { apiVersion: 'v2' },
  });
  assert.deepEqual(
    [patched.code, patched.body['message']],
    [422, 'Boat "x" is invalid: apiVersion: Invalid value: "v2": must be example.com/v1'],
  );
  const details = patched.body['details'];
  assert.deepEqual(getArray(details, 'causes').length, 1);
});
