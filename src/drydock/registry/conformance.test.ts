import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { codeOf, indexType, manifestType, RegistryFixture, sha256 } from '../../../test/registry-fixture.ts';

/** The rules of OCI distribution 1.1 by its four workflows, each as the requests of a client. */

let registry: RegistryFixture;
before(async () => {
  registry = await RegistryFixture.start();
});
after(() => registry[Symbol.asyncDispose]());

interface Step {
  /** `LOCATION` in the path is that of the step before. */
  ask: string;
  body?: string;
  headers?: Record<string, string>;
  status: number;
  code?: string;
  /** Headers of the answer, as patterns; null for one that must not be there. */
  has?: Record<string, RegExp | null>;
  text?: string | RegExp;
}

const blob = 'the quick brown fox';
const sha512 = (content: string): string => `sha512:${createHash('sha512').update(content).digest('hex')}`;
const config = '{}';
const octets = { 'content-type': 'application/octet-stream' };
const uuid = /^\/v2\/[a-z0-9/]+\/blobs\/uploads\/[0-9a-f-]{36}$/;

function descriptor(content: string, mediaType: string, digest = sha256(content)) {
  return { mediaType, digest, size: Buffer.byteLength(content) };
}

function manifest(
  more: object = {},
  layers: object[] = [descriptor(blob, 'application/vnd.oci.image.layer.v1.tar')],
): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: descriptor(config, 'application/vnd.oci.image.config.v1+json'),
    layers,
    ...more,
  });
}

const put = (repository: string, reference: string, body: string, type = manifestType) => ({
  ask: `PUT /v2/${repository}/manifests/${reference}`,
  body,
  headers: { 'content-type': type },
});

async function play(steps: Step[]): Promise<void> {
  let location = '';
  for (const [at, step] of steps.entries()) {
    const [method = '', path = ''] = step.ask.replace('LOCATION', location).split(' ');
    const answer = await registry.send(method, path, {
      ...(step.body === undefined ? {} : { body: step.body }),
      ...(step.headers ? { headers: step.headers } : {}),
    });
    const what = `step ${at + 1}: ${step.ask} answered ${answer.status} ${answer.text.slice(0, 200)}`;
    assert.equal(answer.status, step.status, what);
    if (step.code !== undefined) {
      assert.equal(codeOf(answer), step.code, what);
      assert.match(answer.headers.get('content-type') ?? '', /^application\/json/, what);
    }
    for (const [name, pattern] of Object.entries(step.has ?? {}))
      if (pattern === null) assert.equal(answer.headers.get(name), null, what);
      else assert.match(answer.headers.get(name) ?? '', pattern, `${what}: ${name}`);
    if (typeof step.text === 'string') assert.equal(answer.text, step.text, what);
    else if (step.text) assert.match(answer.text, step.text, what);
    location = answer.headers.get('location') ?? location;
  }
}

async function fill(repository: string): Promise<void> {
  await registry.pushBlob(repository, blob);
  await registry.pushBlob(repository, config);
}

const workflows: Record<string, Record<string, Step[]>> = {
  'the API': {
    'answers at its base': [
      { ask: 'GET /v2/', status: 200, has: { 'docker-distribution-api-version': /^registry\/2\.0$/ } },
    ],
    'knows no other path': [{ ask: 'GET /v2/x/unknown/thing', status: 404, code: 'UNSUPPORTED' }],
    'refuses methods it does not know': [
      { ask: `POST /v2/pull/blobs/${sha256(blob)}`, status: 405, code: 'UNSUPPORTED' },
      { ask: 'POST /v2/pull/manifests/x', status: 405, code: 'UNSUPPORTED' },
      { ask: 'PUT /v2/pull/tags/list', status: 405, code: 'UNSUPPORTED' },
    ],
    'refuses names outside the grammar': [
      { ask: 'GET /v2/Upper/tags/list', status: 400, code: 'NAME_INVALID' },
      { ask: 'GET /v2/a..b/manifests/x', status: 400, code: 'NAME_INVALID' },
      { ask: 'POST /v2/-a/blobs/uploads/', status: 400, code: 'NAME_INVALID' },
    ],
  },
  pull: {
    'blobs: whole, in parts, and their absence': [
      {
        ask: `HEAD /v2/pull/blobs/${sha256(blob)}`,
        status: 200,
        has: { 'content-length': /^19$/, 'docker-content-digest': new RegExp(sha256(blob)) },
      },
      { ask: `GET /v2/pull/blobs/${sha256(blob)}`, status: 200, text: blob, has: { 'accept-ranges': /^bytes$/ } },
      {
        ask: `GET /v2/pull/blobs/${sha256(blob)}`,
        headers: { range: 'bytes=4-8' },
        status: 206,
        text: 'quick',
        has: { 'content-range': /^bytes 4-8\/19$/ },
      },
      { ask: `GET /v2/pull/blobs/${sha256(blob)}`, headers: { range: 'bytes=16-' }, status: 206, text: 'fox' },
      { ask: `GET /v2/pull/blobs/${sha256(blob)}`, headers: { range: 'bytes=-3' }, status: 206, text: 'fox' },
      {
        ask: `GET /v2/pull/blobs/${sha256(blob)}`,
        headers: { range: 'bytes=19-' },
        status: 416,
        has: { 'content-range': /^bytes \*\/19$/ },
      },
      {
        ask: `GET /v2/pull/blobs/${sha256(blob)}`,
        headers: { range: 'bytes=5-0' },
        status: 416,
        has: { 'content-range': /^bytes \*\/19$/ },
      },
      { ask: `GET /v2/pull/blobs/${sha256('absent')}`, status: 404, code: 'BLOB_UNKNOWN' },
      { ask: `HEAD /v2/pull/blobs/${sha256('absent')}`, status: 404 },
      { ask: `GET /v2/other/blobs/${sha256(blob)}`, status: 404, code: 'BLOB_UNKNOWN' },
      { ask: 'GET /v2/pull/blobs/sha256:short', status: 400, code: 'DIGEST_INVALID' },
    ],
    'manifests: by tag and by digest, byte for byte': [
      {
        ask: 'GET /v2/pull/manifests/v1',
        status: 200,
        text: manifest(),
        has: { 'content-type': /^application\/vnd\.oci\.image\.manifest\.v1\+json$/ },
      },
      {
        ask: `GET /v2/pull/manifests/${sha256(manifest())}`,
        status: 200,
        text: manifest(),
        has: { 'docker-content-digest': new RegExp(sha256(manifest())) },
      },
      {
        ask: 'HEAD /v2/pull/manifests/v1',
        status: 200,
        text: '',
        has: { 'content-length': new RegExp(`^${manifest().length}$`) },
      },
      { ask: 'GET /v2/pull/manifests/none', status: 404, code: 'MANIFEST_UNKNOWN' },
      { ask: 'HEAD /v2/pull/manifests/none', status: 404 },
      { ask: `GET /v2/pull/manifests/${sha256('none')}`, status: 404, code: 'MANIFEST_UNKNOWN' },
    ],
  },
  push: {
    'a blob by POST and PUT': [
      {
        ask: 'POST /v2/push/blobs/uploads/',
        status: 202,
        has: { location: uuid, 'docker-upload-uuid': /./, range: /^0-0$/ },
      },
      {
        ask: `PUT LOCATION?digest=${sha256('one')}`,
        body: 'one',
        headers: octets,
        status: 201,
        has: { location: /^\/v2\/push\/blobs\/sha256:/ },
      },
      { ask: 'GET LOCATION', status: 200, text: 'one' },
    ],
    'a blob in one POST': [
      {
        ask: `POST /v2/push/blobs/uploads/?digest=${sha256('two')}`,
        body: 'two',
        headers: octets,
        status: 201,
        has: { 'docker-content-digest': new RegExp(sha256('two')) },
      },
      { ask: 'GET LOCATION', status: 200, text: 'two' },
    ],
    'a blob in chunks, the last one with the PUT': [
      { ask: 'POST /v2/push/blobs/uploads/', headers: { 'content-length': '0' }, status: 202 },
      {
        ask: 'PATCH LOCATION',
        body: 'abc',
        headers: { ...octets, 'content-range': '0-2' },
        status: 202,
        has: { range: /^0-2$/, location: uuid },
      },
      {
        ask: 'PATCH LOCATION',
        body: 'def',
        headers: { ...octets, 'content-range': '3-5' },
        status: 202,
        has: { range: /^0-5$/ },
      },
      { ask: 'GET LOCATION', status: 204, has: { range: /^0-5$/, location: uuid } },
      {
        ask: `PUT LOCATION?digest=${sha256('abcdefgh')}`,
        body: 'gh',
        headers: { ...octets, 'content-range': '6-7' },
        status: 201,
      },
      { ask: 'GET LOCATION', status: 200, text: 'abcdefgh' },
    ],
    'a blob as one stream, closed by an empty PUT': [
      { ask: 'POST /v2/push/blobs/uploads/', status: 202 },
      { ask: 'PATCH LOCATION', body: 'streamed', headers: octets, status: 202, has: { range: /^0-7$/ } },
      { ask: `PUT LOCATION?digest=${sha256('streamed')}`, status: 201 },
    ],
    'chunks out of order and of a wrong length are refused, and the upload goes on': [
      { ask: 'POST /v2/push/blobs/uploads/', status: 202 },
      {
        ask: 'PATCH LOCATION',
        body: 'abc',
        headers: { ...octets, 'content-range': '1-3' },
        status: 416,
        code: 'BLOB_UPLOAD_INVALID',
        has: { range: /^0-0$/ },
      },
      { ask: 'PATCH LOCATION', body: 'abc', headers: { ...octets, 'content-range': '0-2' }, status: 202 },
      {
        ask: 'PATCH LOCATION',
        body: 'abc',
        headers: { ...octets, 'content-range': '0-2' },
        status: 416,
        code: 'BLOB_UPLOAD_INVALID',
        has: { range: /^0-2$/ },
      },
      {
        ask: 'PATCH LOCATION',
        body: 'abc',
        headers: { ...octets, 'content-range': '3-9' },
        status: 400,
        code: 'SIZE_INVALID',
      },
      { ask: `PUT LOCATION?digest=${sha256('abc')}`, status: 201 },
    ],
    'an upload is cancelled, and unknown afterwards': [
      { ask: 'POST /v2/push/blobs/uploads/', status: 202 },
      { ask: 'DELETE LOCATION', status: 204 },
      { ask: 'GET LOCATION', status: 404, code: 'BLOB_UPLOAD_UNKNOWN' },
      { ask: `PUT LOCATION?digest=${sha256('x')}`, body: 'x', status: 404, code: 'BLOB_UPLOAD_UNKNOWN' },
    ],
    'content must have its digest': [
      { ask: 'POST /v2/push/blobs/uploads/', status: 202 },
      { ask: `PUT LOCATION?digest=${sha256('right')}`, body: 'wrong', status: 400, code: 'DIGEST_INVALID' },
      { ask: 'POST /v2/push/blobs/uploads/', status: 202 },
      { ask: 'PUT LOCATION', body: 'x', status: 400, code: 'DIGEST_INVALID' },
    ],
    'a blob is mounted from another repository; what cannot be becomes an upload': [
      {
        ask: `POST /v2/mount/blobs/uploads/?mount=${sha256(blob)}&from=pull`,
        status: 201,
        has: { location: /^\/v2\/mount\/blobs\/sha256:/ },
      },
      { ask: 'GET LOCATION', status: 200, text: blob },
      {
        ask: `POST /v2/mount/blobs/uploads/?mount=${sha256('absent')}&from=pull`,
        status: 202,
        has: { location: uuid },
      },
      { ask: `POST /v2/mount/blobs/uploads/?mount=${sha256(blob)}&from=nowhere`, status: 202 },
      {
        ask: `POST /v2/mount2/blobs/uploads/?mount=${sha256(blob)}`,
        status: 201,
        has: { location: /^\/v2\/mount2\/blobs\/sha256:/ },
      },
      { ask: `POST /v2/mount/blobs/uploads/?mount=${sha256('absent')}`, status: 202, has: { location: uuid } },
    ],
    'sha512, for blobs and manifests': [
      {
        ask: `POST /v2/push/blobs/uploads/?digest=${sha512('long')}`,
        body: 'long',
        headers: octets,
        status: 201,
        has: { 'docker-content-digest': /^sha512:/ },
      },
      { ask: `GET /v2/push/blobs/${sha512('long')}`, status: 200, text: 'long' },
      {
        ...put('pull', sha512(manifest({ annotations: { a: '512' } })), manifest({ annotations: { a: '512' } })),
        status: 201,
        has: { 'docker-content-digest': /^sha512:/ },
      },
      { ask: `GET /v2/pull/manifests/${sha512(manifest({ annotations: { a: '512' } }))}`, status: 200 },
      { ...put('pull', sha512('other'), manifest()), status: 400, code: 'DIGEST_INVALID' },
    ],
    'an empty blob': [
      { ask: `POST /v2/push/blobs/uploads/?digest=${sha256('')}`, status: 201 },
      { ask: 'GET LOCATION', status: 200, text: '' },
    ],
    'manifests that cannot be taken': [
      { ...put('pull', 'bad', 'no json'), status: 400, code: 'MANIFEST_INVALID' },
      { ...put('pull', 'bad', '{}'), status: 400, code: 'MANIFEST_INVALID' },
      { ...put('pull', 'bad', manifest(), 'application/json'), status: 400, code: 'MANIFEST_INVALID' },
      {
        ...put('pull', 'bad', manifest({}, [descriptor('absent', 'x/y')])),
        status: 400,
        code: 'MANIFEST_BLOB_UNKNOWN',
      },
      {
        ...put(
          'pull',
          'bad',
          JSON.stringify({ schemaVersion: 2, manifests: [descriptor('absent', manifestType)] }),
          indexType,
        ),
        status: 400,
        code: 'MANIFEST_BLOB_UNKNOWN',
      },
      { ...put('pull', sha256('other'), manifest()), status: 400, code: 'DIGEST_INVALID' },
      { ask: 'GET /v2/pull/manifests/bad', status: 404, code: 'MANIFEST_UNKNOWN' },
    ],
    'manifests of artifacts: no layers, fields of their own, blobs that live elsewhere': [
      { ...put('pull', 'no-layers', manifest({}, [])), status: 201 },
      { ...put('pull', 'custom', manifest({ 'x.custom': { a: 1 } })), status: 201 },
      { ask: 'GET /v2/pull/manifests/custom', status: 200, text: manifest({ 'x.custom': { a: 1 } }) },
      {
        ...put(
          'pull',
          'elsewhere',
          manifest({}, [
            { ...descriptor('absent', 'application/vnd.oci.image.layer.nondistributable.v1.tar'), urls: ['http://x'] },
          ]),
        ),
        status: 201,
      },
      {
        ...put(
          'pull',
          'index',
          JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [descriptor(manifest(), manifestType)] }),
          indexType,
        ),
        status: 201,
      },
    ],
  },
  'content discovery': {
    'tags in order, page by page': [
      {
        ask: 'GET /v2/tags/tags/list',
        status: 200,
        text: '{"name":"tags","tags":["A","a","b","c"]}',
        has: { link: null },
      },
      {
        ask: 'GET /v2/tags/tags/list?n=2',
        status: 200,
        text: /\["A","a"\]/,
        has: { link: /^<\/v2\/tags\/tags\/list\?n=2&last=a>; rel="next"$/ },
      },
      { ask: 'GET /v2/tags/tags/list?n=2&last=a', status: 200, text: /\["b","c"\]/, has: { link: null } },
      { ask: 'GET /v2/tags/tags/list?last=b', status: 200, text: /\["c"\]/ },
      { ask: 'GET /v2/tags/tags/list?n=0', status: 200, text: /"tags":\[\]/, has: { link: null } },
      { ask: 'GET /v2/nowhere/tags/list', status: 404, code: 'NAME_UNKNOWN' },
    ],
    'referrers of a subject, by type, also of one that is not there': [
      {
        ask: `GET /v2/refer/referrers/${sha256('nothing')}`,
        status: 200,
        text: /"manifests":\[\]/,
        has: { 'content-type': /^application\/vnd\.oci\.image\.index\.v1\+json$/ },
      },
      {
        ...put(
          'refer',
          'signature',
          manifest({
            artifactType: 'a/signature',
            subject: descriptor('subject', manifestType),
            annotations: { by: 'me' },
          }),
        ),
        status: 201,
        has: { 'oci-subject': new RegExp(`^${sha256('subject')}$`) },
      },
      {
        ...put('refer', 'bill', manifest({ artifactType: 'a/bill', subject: descriptor('subject', manifestType) })),
        status: 201,
      },
      {
        ask: `GET /v2/refer/referrers/${sha256('subject')}`,
        status: 200,
        text: /(?=.*"a\/signature")(?=.*"a\/bill")(?=.*"by":"me")/,
        has: { 'oci-filters-applied': null },
      },
      {
        ask: `GET /v2/refer/referrers/${sha256('subject')}?artifactType=a/bill`,
        status: 200,
        text: /^(?!.*a\/signature).*"a\/bill"/,
        has: { 'oci-filters-applied': /^artifactType$/ },
      },
      {
        ask: `GET /v2/refer/referrers/${sha256('subject')}?artifactType=a/other`,
        status: 200,
        text: /"manifests":\[\]/,
      },
      {
        ask: `DELETE /v2/refer/manifests/${sha256(manifest({ artifactType: 'a/bill', subject: descriptor('subject', manifestType) }))}`,
        status: 202,
      },
      { ask: `GET /v2/refer/referrers/${sha256('subject')}`, status: 200, text: /^(?!.*a\/bill)/ },
      { ask: 'GET /v2/refer/referrers/sha256:short', status: 400, code: 'DIGEST_INVALID' },
    ],
  },
  'content management': {
    'a tag is deleted, and what it named stays': [
      { ...put('manage', 'gone', manifest()), status: 201 },
      { ask: 'DELETE /v2/manage/manifests/gone', status: 202 },
      { ask: 'GET /v2/manage/manifests/gone', status: 404, code: 'MANIFEST_UNKNOWN' },
      { ask: `GET /v2/manage/manifests/${sha256(manifest())}`, status: 200 },
    ],
    'a manifest is deleted with its tags': [
      { ...put('manage', 'one', manifest()), status: 201 },
      { ask: `DELETE /v2/manage/manifests/${sha256(manifest())}`, status: 202 },
      { ask: 'GET /v2/manage/manifests/one', status: 404 },
      { ask: `DELETE /v2/manage/manifests/${sha256(manifest())}`, status: 404, code: 'MANIFEST_UNKNOWN' },
      { ask: 'GET /v2/manage/tags/list', status: 200, text: /"tags":\[\]/ },
    ],
    'a blob is deleted from one repository and stays in the other': [
      { ask: `DELETE /v2/manage/blobs/${sha256(blob)}`, status: 202 },
      { ask: `HEAD /v2/manage/blobs/${sha256(blob)}`, status: 404 },
      { ask: `DELETE /v2/manage/blobs/${sha256(blob)}`, status: 404, code: 'BLOB_UNKNOWN' },
      { ask: `HEAD /v2/pull/blobs/${sha256(blob)}`, status: 200 },
    ],
    'a tag moves': [
      { ...put('tags', 'a', manifest({ annotations: { v: '2' } })), status: 201 },
      {
        ask: 'HEAD /v2/tags/manifests/a',
        status: 200,
        has: { 'docker-content-digest': new RegExp(sha256(manifest({ annotations: { v: '2' } }))) },
      },
    ],
  },
};

describe('OCI distribution', () => {
  before(async () => {
    for (const repository of ['pull', 'tags', 'refer', 'manage']) await fill(repository);
    await registry.pushManifest('pull', 'v1', manifest());
    for (const tag of ['b', 'A', 'c', 'a']) await registry.pushManifest('tags', tag, manifest());
  });
  for (const [workflow, rules] of Object.entries(workflows))
    describe(workflow, () => {
      for (const [rule, steps] of Object.entries(rules)) it(rule, () => play(steps));
    });
});

describe('immutable tags', () => {
  it('stay with their digest: the same again is no change, another is refused, deleting is denied', async () => {
    await using fixed = await RegistryFixture.start({ tags: { immutable: true } });
    const [one, two] = [manifest(), manifest({ annotations: { v: '2' } })];
    await fixed.pushBlob('app', blob);
    await fixed.pushBlob('app', config);
    assert.equal((await fixed.pushManifest('app', '1', one)).status, 201);
    assert.equal((await fixed.pushManifest('app', '1', one)).status, 201);
    const refused = await fixed.pushManifest('app', '1', two);
    assert.deepEqual([refused.status, codeOf(refused)], [400, 'TAG_INVALID']);
    assert.match(
      refused.text,
      /already exists in the 'app' repository and cannot be overwritten because the tag is immutable/,
    );
    assert.equal((await fixed.send('HEAD', `/v2/app/manifests/${sha256(two)}`)).status, 404, 'nothing is left behind');
    assert.equal((await fixed.pushManifest('app', sha256(two), two)).status, 201, 'by digest it may come');
    const denied = await fixed.send('DELETE', '/v2/app/manifests/1');
    assert.deepEqual([denied.status, codeOf(denied)], [403, 'DENIED']);
    assert.equal((await fixed.send('GET', '/v2/app/manifests/1')).text, one);
  });
});
