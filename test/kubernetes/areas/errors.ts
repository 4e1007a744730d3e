import assert from 'node:assert/strict';
import type { Area, Case } from '../suite/case.ts';
import { type Cluster, uidOf } from '../suite/cluster.ts';
import { refused } from '../suite/expect.ts';
import { configMap, deployment, pod } from '../suite/objects.ts';

const seen = 'answer of kube-apiserver 1.33';
const deployments = 'apps/v1/deployments';

function notFound(plural: string, name: string, group?: string) {
  const resource = group === undefined ? plural : `${plural}.${group}`;
  return {
    code: 404,
    reason: 'NotFound',
    message: `${resource} "${name}" not found`,
    details: { name, ...(group === undefined ? {} : { group }), kind: plural },
  };
}

const missing: Case[] = (
  [
    ['get-missing', 'GET of a name that is not there', (k) => k.get(k.at(deployments, 'nope'))],
    ['delete-missing', 'DELETE of a name that is not there', (k) => k.delete(k.at(deployments, 'nope'))],
    ['patch-missing', 'PATCH of a name that is not there', (k) => k.patch(k.at(deployments, 'nope'), {})],
    ['put-missing', 'PUT to a name that is not there', (k) => k.put(k.at(deployments, 'nope'), deployment('nope'))],
  ] satisfies [string, string, (k: Cluster) => ReturnType<Cluster['get']>][]
).map(([id, title, send]) => ({
  id,
  title,
  source: seen,
  run: async (k) => refused(await send(k), notFound('deployments', 'nope', 'apps')),
}));

const undecodable: Case[] = (
  [
    [
      'body-cut-off',
      'a body that is no JSON',
      'apps/v1/deployments',
      '{"a":',
      'the object provided is unrecognized (must be of type Deployment): couldn\'t get version/kind; json parse error: unexpected end of JSON input ({"a":)',
    ],
    [
      'body-empty',
      'no body',
      'apps/v1/deployments',
      '',
      "the object provided is unrecognized (must be of type Deployment): couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)",
    ],
    [
      'body-other-kind',
      'an object of another kind',
      'apps/v1/deployments',
      pod('other'),
      'Pod in version "v1" cannot be handled as a Deployment: converting (v1.Pod) to (apps.Deployment): unknown conversion',
    ],
    [
      'body-wrong-type',
      'a text where a number belongs',
      'apps/v1/deployments',
      deployment('typed', { replicas: 'three' }),
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      'body-bad-quantity',
      'a quantity that is none',
      'pods',
      pod('quantity', { containers: [{ name: 'c', image: 'x', resources: { limits: { cpu: 'much' } } }] }),
      'Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression \'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$\'',
    ],
  ] satisfies [string, string, string, unknown, string][]
).map(([id, title, resource, body, message]) => ({
  id,
  title,
  source: seen,
  run: async (k) => refused(await k.post(k.at(resource), body), { code: 400, reason: 'BadRequest', message }),
}));

const paths: Case[] = [
  {
    id: 'unknown-resource',
    title: 'a resource that its group does not have',
    source: seen,
    run: async (k) =>
      refused(await k.get(k.at('apps/v1/nothings')), {
        code: 404,
        reason: 'NotFound',
        message: 'the server could not find the requested resource',
        details: {},
      }),
  },
  {
    id: 'unknown-group',
    title: 'a group that is not served is plain text',
    source: seen,
    run: async (k) => {
      const answer = await k.get('/apis/nothing.example.com/v1/things');
      assert.deepEqual([answer.code, answer.text], [404, '404 page not found\n']);
    },
  },
  {
    id: 'method-not-allowed',
    title: 'a method that the path does not have',
    source: seen,
    run: async (k) =>
      refused(await k.post(k.at(deployments, 'x'), deployment('x')), {
        code: 405,
        reason: 'MethodNotAllowed',
        message: 'the server does not allow this method on the requested resource',
        details: {},
      }),
  },
  {
    id: 'patch-media-type',
    title: 'a patch of a type that does not exist',
    source: seen,
    run: async (k) => {
      await k.create(k.at(deployments), deployment('media'));
      refused(await k.send('PATCH', k.at(deployments, 'media'), { body: '{}', type: 'text/plain' }), {
        code: 415,
        reason: 'UnsupportedMediaType',
        message: '415: Unsupported Media Type',
        details: {},
      });
    },
  },
  {
    id: 'post-media-type',
    title: 'an object of a type that is not read',
    source: seen,
    run: async (k) =>
      refused(await k.post(k.at(deployments), '<a/>', { type: 'text/xml' }), {
        code: 415,
        reason: 'UnsupportedMediaType',
        message:
          'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
      }),
  },
  {
    id: 'not-acceptable',
    title: 'an Accept that nothing fits',
    source: seen,
    run: async (k) =>
      refused(await k.get(k.at(deployments), { accept: 'text/xml' }), {
        code: 406,
        reason: 'NotAcceptable',
        message:
          /^406: Not Acceptable\n\nAvailable representations: application\/json, application\/yaml, application\/vnd\.kubernetes\.protobuf/,
        details: {},
      }),
  },
  {
    id: 'unauthorized',
    title: 'a token that nobody knows',
    source: seen,
    run: async (k) =>
      refused(
        await k.get('/api/v1/namespaces', { anonymous: true, headers: { authorization: 'Bearer not-a-token' } }),
        { code: 401, reason: 'Unauthorized', message: 'Unauthorized' },
      ),
  },
];

const names: Case[] = [
  {
    id: 'already-exists',
    title: 'the second create of a name',
    source: seen,
    run: async (k) => {
      await k.create(k.at(deployments), deployment('twice'));
      refused(await k.post(k.at(deployments), deployment('twice')), {
        code: 409,
        reason: 'AlreadyExists',
        message: 'deployments.apps "twice" already exists',
        details: { name: 'twice', group: 'apps', kind: 'deployments' },
      });
    },
  },
  {
    id: 'put-other-name',
    title: 'PUT of an object with another name than the path',
    source: seen,
    run: async (k) => {
      await k.create(k.at(deployments), deployment('renamed'));
      refused(await k.put(k.at(deployments, 'renamed'), deployment('else')), {
        code: 400,
        reason: 'BadRequest',
        message: 'the name of the object (else) does not match the name on the URL (renamed)',
      });
    },
  },
  {
    id: 'missing-namespace',
    title: 'create in a namespace that is not there',
    source: seen,
    run: async (k) => {
      const namespace = k.name('absent');
      const answer = await k.post(`/apis/apps/v1/namespaces/${namespace}/deployments`, deployment('x'));
      refused(answer, notFound('namespaces', namespace));
    },
  },
  {
    id: 'other-namespace',
    title: 'an object of another namespace than the path',
    source: seen,
    run: async (k) =>
      refused(await k.post(k.at('configmaps'), configMap('moved', {}, { namespace: 'default' })), {
        code: 400,
        reason: 'BadRequest',
        message: 'the namespace of the provided object does not match the namespace sent on the request',
      }),
  },
  {
    id: 'generate-name',
    title: 'generateName adds five letters of the safe alphabet',
    source: seen,
    run: async (k) => {
      const object = await k.create(k.at('configmaps'), {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { generateName: 'made-' },
      });
      assert.match(JSON.stringify(object['metadata']), /"name":"made-[bcdfghjklmnpqrstvwxz2456789]{5}"/);
      assert.match(JSON.stringify(object['metadata']), /"generateName":"made-"/);
    },
  },
];

const conflicts: Case[] = [
  {
    id: 'put-stale',
    title: 'PUT of an older version',
    source: seen,
    run: async (k) => {
      const first = await k.create(k.at('configmaps'), configMap('stale'));
      await k.patch(k.at('configmaps', 'stale'), { data: { a: '1' } });
      refused(await k.put(k.at('configmaps', 'stale'), { ...first, data: { a: '2' } }), {
        code: 409,
        reason: 'Conflict',
        message:
          'Operation cannot be fulfilled on configmaps "stale": the object has been modified; please apply your changes to the latest version and try again',
        details: { name: 'stale', kind: 'configmaps' },
      });
    },
  },
  {
    id: 'patch-stale',
    title: 'a patch that names an older version',
    source: seen,
    run: async (k) => {
      await k.create(k.at(deployments), deployment('stale'));
      refused(await k.patch(k.at(deployments, 'stale'), { metadata: { resourceVersion: '1', labels: { a: 'b' } } }), {
        code: 409,
        reason: 'Conflict',
        message:
          'Operation cannot be fulfilled on deployments.apps "stale": the object has been modified; please apply your changes to the latest version and try again',
        details: { name: 'stale', group: 'apps', kind: 'deployments' },
      });
    },
  },
  {
    id: 'put-other-uid',
    title: 'PUT of an object with another uid',
    source: seen,
    run: async (k) => {
      const uid = uidOf(await k.create(k.at('configmaps'), configMap('other-uid')));
      refused(await k.put(k.at('configmaps', 'other-uid'), configMap('other-uid', {}, { uid: 'aaaa' })), {
        code: 409,
        reason: 'Conflict',
        message: new RegExp(
          `^Operation cannot be fulfilled on configmaps "other-uid": StorageError: invalid object, Code: 4, Key: \\S+/configmaps/${k.namespace}/other-uid, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: aaaa, UID in object meta: ${uid}$`,
        ),
      });
    },
  },
  {
    id: 'delete-precondition',
    title: 'DELETE of another uid than the object has',
    source: seen,
    run: async (k) => {
      const uid = uidOf(await k.create(k.at(deployments), deployment('guarded')));
      refused(await k.delete(k.at(deployments, 'guarded'), { preconditions: { uid: 'abc' } }), {
        code: 409,
        reason: 'Conflict',
        message: `Operation cannot be fulfilled on Deployment.apps "guarded": the UID in the precondition (abc) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
        details: { name: 'guarded', group: 'apps', kind: 'Deployment' },
      });
    },
  },
  {
    id: 'json-patch-test',
    title: 'a JSON patch whose test fails',
    source: seen,
    run: async (k) => {
      await k.create(k.at('configmaps'), configMap('tested', { a: '1' }));
      const answer = await k.patch(k.at('configmaps', 'tested'), [{ op: 'test', path: '/data/a', value: '2' }], 'json');
      refused(answer, unprocessable);
    },
  },
  {
    id: 'json-patch-path',
    title: 'a JSON patch of a path that is not there',
    source: seen,
    run: async (k) => {
      await k.create(k.at('configmaps'), configMap('pathless', { a: '1' }));
      const answer = await k.patch(k.at('configmaps', 'pathless'), [{ op: 'remove', path: '/data/b' }], 'json');
      refused(answer, unprocessable);
    },
  },
];

const unprocessable = {
  code: 422,
  reason: 'Invalid',
  message: 'the server rejected our request due to an error in our request',
  details: {},
};

export const errors: Area = {
  name: 'errors',
  title: 'Errors, text by text',
  cases: [...missing, ...undecodable, ...paths, ...names, ...conflicts],
};
