import assert from 'node:assert/strict';
import { getObject, getPath, type JsonObject } from '#base/json.ts';
import type { Area, Case } from '../suite/case.ts';
import { refused } from '../suite/expect.ts';
import { deployment } from '../suite/objects.ts';

const seen = 'answer of kube-apiserver 1.33';
const deployments = 'apps/v1/deployments';

function withUnknown(name: string): JsonObject {
  const object = deployment(name);
  return { ...object, spec: { ...getObject(object, 'spec'), foo: 1 } };
}

const validation: Case[] = [
  {
    id: 'strict',
    title: 'fieldValidation=Strict refuses unknown and repeated fields, all in one answer',
    source: seen,
    run: async (k) => {
      const body = `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a","name":"strict"},"spec":{"foo":1,
        "selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
        "spec":{"containers":[{"name":"c","image":"x","imag":"y"}]}}}}`;
      refused(await k.post(`${k.at(deployments)}?fieldValidation=Strict`, body), {
        code: 400,
        reason: 'BadRequest',
        message:
          'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: duplicate field "metadata.name", unknown field "spec.foo", unknown field "spec.template.spec.containers[0].imag"',
      });
    },
  },
  {
    id: 'warn',
    title: 'fieldValidation=Warn, the default, warns in a header and drops the field',
    source: seen,
    run: async (k) => {
      for (const [name, query] of [
        ['warn', '?fieldValidation=Warn'],
        ['warn-default', ''],
      ]) {
        const answer = await k.post(k.at(deployments) + query, withUnknown(name ?? ''));
        assert.equal(answer.code, 201);
        assert.equal(answer.headers['warning'], '299 - "unknown field \\"spec.foo\\""');
        assert.equal(getPath(answer.body, 'spec', 'foo'), undefined);
      }
    },
  },
  {
    id: 'ignore',
    title: 'fieldValidation=Ignore drops the field without a word',
    source: seen,
    run: async (k) => {
      const answer = await k.post(`${k.at(deployments)}?fieldValidation=Ignore`, withUnknown('ignore'));
      assert.deepEqual([answer.code, answer.headers['warning']], [201, undefined]);
    },
  },
  {
    id: 'unknown-mode',
    title: 'another fieldValidation is refused',
    source: 'apimachinery: ValidateFieldValidation',
    run: async (k) =>
      refused(await k.post(`${k.at(deployments)}?fieldValidation=Maybe`, deployment('maybe')), {
        code: 422,
        reason: 'Invalid',
        message:
          'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Maybe": supported values: "", "Ignore", "Strict", "Warn"',
      }),
  },
];

const yaml: Case[] = [
  {
    id: 'yaml',
    title: 'a YAML body',
    source: 'kubernetes.io/docs/reference/using-api/api-concepts: alternate representations',
    run: async (k) => {
      const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  a: "1"\n';
      const answer = await k.post(k.at('configmaps'), body, { type: 'application/yaml' });
      assert.deepEqual([answer.code, answer.body['data']], [201, { a: '1' }]);
    },
  },
  {
    id: 'yaml-duplicate-key',
    title: 'a key that stands twice in a YAML body is refused under Strict',
    source: 'kubernetes.io/docs/reference/using-api/api-concepts: field validation',
    run: async (k) => {
      const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: twice\ndata:\n  a: "1"\n  a: "2"\n';
      const answer = await k.post(`${k.at('configmaps')}?fieldValidation=Strict`, body, { type: 'application/yaml' });
      refused(answer, {
        code: 400,
        reason: 'BadRequest',
        message:
          'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:\n  line 7: key "a" already set in map',
      });
    },
  },
  {
    id: 'typed-without-kind',
    title: 'a built-in object without apiVersion and kind',
    source: 'seen with the official JavaScript client',
    run: async (k) => {
      const answer = await k.post(k.at('configmaps'), { metadata: { name: 'kindless' }, data: { a: '1' } });
      assert.equal(answer.code, 201);
      assert.deepEqual([answer.body['kind'], answer.body['apiVersion']], ['ConfigMap', 'v1']);
    },
  },
  {
    id: 'yaml-answer',
    title: 'Accept: application/yaml is answered in YAML',
    source: 'kubernetes.io/docs/reference/using-api/api-concepts: alternate representations',
    run: async (k) => {
      await k.post(k.at('configmaps'), { metadata: { name: 'yaml-out' } });
      const answer = await k.get(k.at('configmaps', 'yaml-out'), { accept: 'application/yaml' });
      assert.match(String(answer.headers['content-type']), /^application\/yaml/);
      assert.match(answer.text, /^kind: ConfigMap$/m);
    },
  },
];

/** The envelope of a protobuf body around the bytes of one message. */
function wire(apiVersion: string, kind: string, message: Buffer): Buffer {
  const type = Buffer.concat([field(1, Buffer.from(apiVersion)), field(2, Buffer.from(kind))]);
  return Buffer.concat([Buffer.from('k8s\0'), field(1, type), field(2, message)]);
}

/** One length-delimited field; all of ours are shorter than 128 bytes. */
function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}

const text = (number: number, value: string) => field(number, Buffer.from(value));
const entry = (number: number, key: string, value: string) =>
  field(number, Buffer.concat([text(1, key), text(2, value)]));
const protobuf = {
  type: 'application/vnd.kubernetes.protobuf',
  accept: 'application/vnd.kubernetes.protobuf,application/json',
};

const wired: Case[] = [
  {
    id: 'protobuf-secret',
    title: 'a Secret in protobuf, as helm 4 sends it',
    source: 'k8s.io/api/core/v1/generated.proto',
    run: async (k) => {
      const metadata = Buffer.concat([text(1, 'wired'), entry(11, 'owner', 'suite')]);
      const body = wire(
        'v1',
        'Secret',
        Buffer.concat([field(1, metadata), entry(2, 'a', 'bytes'), text(3, 'suite/one')]),
      );
      const posted = await k.post(k.at('secrets'), body, { type: protobuf.type });
      assert.equal(posted.code, 201, posted.text);
      const { body: stored } = await k.get(k.at('secrets', 'wired'));
      assert.deepEqual(
        [stored['type'], stored['data'], getPath(stored, 'metadata', 'labels')],
        ['suite/one', { a: Buffer.from('bytes').toString('base64') }, { owner: 'suite' }],
      );
    },
  },
  {
    id: 'protobuf-review',
    title: 'a SelfSubjectAccessReview in protobuf, as kubectl auth can-i sends it',
    source: 'k8s.io/api/authorization/v1/generated.proto',
    run: async (k) => {
      const attributes = Buffer.concat([text(2, 'get'), text(5, 'pods')]);
      const body = wire('authorization.k8s.io/v1', 'SelfSubjectAccessReview', field(2, field(1, attributes)));
      const answer = await k.post('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', body, {
        type: protobuf.type,
      });
      assert.deepEqual([answer.code, getPath(answer.body, 'status', 'allowed')], [201, true], answer.text);
    },
  },
  {
    id: 'protobuf-delete-options',
    title: 'DeleteOptions in protobuf',
    source: 'k8s.io/apimachinery/pkg/apis/meta/v1/generated.proto',
    run: async (k) => {
      await k.post(k.at('configmaps'), { metadata: { name: 'wired' } });
      const preconditions = field(2, text(1, 'someone-else'));
      const options = { body: wire('v1', 'DeleteOptions', preconditions), type: protobuf.type };
      assert.equal((await k.send('DELETE', k.at('configmaps', 'wired'), options)).code, 409);
    },
  },
];

export const decoding: Area = {
  name: 'decoding',
  title: 'Reading bodies: strict, YAML, protobuf',
  cases: [...validation, ...yaml, ...wired],
};
