import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { ManualClock } from '../../../test/clock.ts';
import { codeOf, indexType, manifestType, RegistryFixture, sha256 } from '../../../test/registry-fixture.ts';

let registry: RegistryFixture;
before(async () => {
  registry = await RegistryFixture.start();
});
after(() => registry[Symbol.asyncDispose]());

describe('manifests', () => {
  it('keeps the exact bytes and the type, by tag and by digest', async () => {
    const text = `${JSON.stringify(await registry.imageOf('app', 'one'), undefined, 3)}\n`;
    const put = await registry.pushManifest('app', '1.0', text);
    const digest = sha256(text);
    assert.deepEqual([put.status, put.headers.get('docker-content-digest')], [201, digest]);
    for (const reference of ['1.0', digest]) {
      const found = await registry.send('GET', `/v2/app/manifests/${reference}`);
      assert.deepEqual([found.status, found.text, found.headers.get('content-type')], [200, text, manifestType]);
    }
    const head = await registry.send('HEAD', '/v2/app/manifests/1.0');
    assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(text.length)]);
  });

  it('answers 304 when the tag still has the digest the client has', async () => {
    const digest = (await registry.pushManifest('app', 'etag', await registry.imageOf('app', 'etag'))).headers.get(
      'docker-content-digest',
    );
    const found = await registry.send('GET', '/v2/app/manifests/etag', { headers: { 'if-none-match': `"${digest}"` } });
    assert.equal(found.status, 304);
  });

  it('accepts sha512 by digest, and by tag with a digest parameter', async () => {
    const text = JSON.stringify(await registry.imageOf('app', 'long'));
    const digest = `sha512:${createHash('sha512').update(text).digest('hex')}`;
    assert.equal((await registry.pushManifest('app', digest, text)).status, 201);
    assert.equal((await registry.send('GET', `/v2/app/manifests/${digest}`)).text, text);
    const tagged = await registry.pushManifest('app', `long?digest=${digest}`, text);
    assert.equal(tagged.headers.get('docker-content-digest'), digest);
  });

  const bad: { name: string; body: string; type?: string; code: string; reference?: string }[] = [
    { name: 'text that is not JSON', body: '{', code: 'MANIFEST_INVALID' },
    { name: 'a list', body: '[]', code: 'MANIFEST_INVALID' },
    { name: 'schema 1', body: '{"schemaVersion":1}', code: 'MANIFEST_INVALID' },
    { name: 'no config', body: '{"schemaVersion":2,"layers":[]}', code: 'MANIFEST_INVALID' },
    { name: 'an unknown type', body: '{"schemaVersion":2}', type: 'text/plain', code: 'MANIFEST_INVALID' },
    {
      name: 'another type inside',
      body: `{"schemaVersion":2,"mediaType":"${indexType}"}`,
      code: 'MANIFEST_INVALID',
    },
    {
      name: 'a blob that is not there',
      body: `{"schemaVersion":2,"config":{"mediaType":"a","digest":"${sha256('nowhere')}","size":1},"layers":[]}`,
      code: 'MANIFEST_BLOB_UNKNOWN',
    },
    {
      name: 'an index of a manifest that is not there',
      body: `{"schemaVersion":2,"manifests":[{"mediaType":"a","digest":"${sha256('nowhere')}","size":1}]}`,
      type: indexType,
      code: 'MANIFEST_BLOB_UNKNOWN',
    },
    {
      name: 'another digest than its own',
      body: '{"schemaVersion":2,"manifests":[]}',
      type: indexType,
      reference: sha256('other'),
      code: 'DIGEST_INVALID',
    },
  ];
  for (const { name, body, type = manifestType, code, reference = 'bad' } of bad)
    it(`refuses ${name}`, async () => {
      const put = await registry.send('PUT', `/v2/app/manifests/${reference}`, {
        body,
        headers: { 'content-type': type },
      });
      assert.deepEqual([put.status, codeOf(put)], [400, code]);
      assert.equal((await registry.send('GET', `/v2/app/manifests/${reference}`)).status, 404);
    });

  it('refuses a manifest over the limit', async () => {
    await using small = await RegistryFixture.start({ limits: { maxManifestBytes: 100 } });
    const put = await small.pushManifest('app', 'big', 'x'.repeat(101));
    assert.equal(put.status, 413);
  });

  it('deletes a tag alone, and a manifest with its tags', async () => {
    const image = await registry.imageOf('del', 'x');
    const digest = (await registry.pushManifest('del', 'a', image)).headers.get('docker-content-digest') ?? '';
    await registry.pushManifest('del', 'b', image);
    assert.equal((await registry.send('DELETE', '/v2/del/manifests/a')).status, 202);
    assert.equal((await registry.send('GET', '/v2/del/manifests/a')).status, 404);
    assert.equal((await registry.send('GET', `/v2/del/manifests/${digest}`)).status, 200);
    assert.equal((await registry.send('DELETE', `/v2/del/manifests/${digest}`)).status, 202);
    assert.equal((await registry.send('GET', '/v2/del/manifests/b')).status, 404);
    assert.equal((await registry.send('DELETE', `/v2/del/manifests/${digest}`)).status, 404);
  });

  it('lists tags in order and in pages', async () => {
    const image = await registry.imageOf('paged', 'x');
    for (const tag of ['b', 'a', 'C', 'd']) await registry.pushManifest('paged', tag, image);
    const first = await registry.send('GET', '/v2/paged/tags/list?n=3');
    assert.deepEqual(JSON.parse(first.text), { name: 'paged', tags: ['C', 'a', 'b'] });
    assert.equal(first.headers.get('link'), '</v2/paged/tags/list?n=3&last=b>; rel="next"');
    const second = await registry.send('GET', '/v2/paged/tags/list?n=3&last=b');
    assert.deepEqual([JSON.parse(second.text).tags, second.headers.get('link')], [['d'], null]);
    assert.deepEqual(JSON.parse((await registry.send('GET', '/v2/paged/tags/list?n=0')).text).tags, []);
    const unknown = await registry.send('GET', '/v2/nobody/tags/list');
    assert.deepEqual([unknown.status, codeOf(unknown)], [404, 'NAME_UNKNOWN']);
  });

  it('sets several tags with one push by digest, all or none', async () => {
    await using strict = await RegistryFixture.start({ tags: { immutable: true, forbidden: ['latest'] } });
    const image = JSON.stringify(await strict.imageOf('tags', 'x'));
    const put = await strict.pushManifest('tags', `${sha256(image)}?tag=1.2&tag=1`, image);
    assert.deepEqual([put.status, put.headers.get('oci-tag')], [201, '1.2, 1']);
    assert.equal((await strict.send('GET', '/v2/tags/manifests/1')).text, image);
    const refused = await strict.pushManifest('tags', `${sha256(image)}?tag=2&tag=latest`, image);
    assert.equal(codeOf(refused), 'TAG_INVALID');
    assert.equal((await strict.send('GET', '/v2/tags/manifests/2')).status, 404);
    assert.equal(codeOf(await strict.pushManifest('tags', `${sha256(image)}?tag=a/b`, image)), 'TAG_INVALID');
  });

  it('records who pushed and deleted what', async () => {
    const records: unknown[] = [];
    await using fresh = await RegistryFixture.start({
      clock: new ManualClock(Date.UTC(2026, 0, 2)),
      audit: (record) => records.push(record),
    });
    const image = JSON.stringify(await fresh.imageOf('app', 'x'));
    await fresh.pushManifest('app', '1', image);
    await fresh.send('DELETE', '/v2/app/manifests/1');
    await fresh.pushManifest('app', 'bad', '{}');
    const common = { at: '2026-01-02T00:00:00Z', outcome: 'granted', actor: 'root', repository: 'app', reference: '1' };
    assert.deepEqual(records, [
      { ...common, action: 'push-manifest', digest: sha256(image) },
      { ...common, action: 'delete-manifest' },
    ]);
  });

  it('lists repositories', async () => {
    await using fresh = await RegistryFixture.start();
    for (const name of ['b/c', 'b', 'a']) await fresh.pushManifest(name, '1', await fresh.imageOf(name, 'x'));
    assert.deepEqual(JSON.parse((await fresh.send('GET', '/v2/_catalog')).text), { repositories: ['a', 'b', 'b/c'] });
  });

  it('lists referrers, by type if wanted, and no longer after their deletion', async () => {
    const subject = sha256(JSON.stringify(await registry.imageOf('ref', 'subject')));
    const image = await registry.imageOf('ref', 'sbom');
    const attached = {
      ...image,
      artifactType: 'application/sbom',
      subject: { mediaType: manifestType, digest: subject, size: 3 },
      annotations: { of: 'it' },
    };
    const put = await registry.pushManifest('ref', 'sbom', attached);
    assert.deepEqual([put.status, put.headers.get('oci-subject')], [201, subject]);
    const digest = put.headers.get('docker-content-digest');
    const want = {
      mediaType: manifestType,
      digest,
      size: JSON.stringify(attached).length,
      artifactType: 'application/sbom',
      annotations: { of: 'it' },
    };
    const listed = await registry.send('GET', `/v2/ref/referrers/${subject}`);
    assert.deepEqual(JSON.parse(listed.text), { schemaVersion: 2, mediaType: indexType, manifests: [want] });
    const filtered = await registry.send('GET', `/v2/ref/referrers/${subject}?artifactType=other`);
    assert.deepEqual(
      [JSON.parse(filtered.text).manifests, filtered.headers.get('oci-filters-applied')],
      [[], 'artifactType'],
    );
    await registry.send('DELETE', `/v2/ref/manifests/${digest}`);
    assert.deepEqual(JSON.parse((await registry.send('GET', `/v2/ref/referrers/${subject}`)).text).manifests, []);
  });
});

describe('tag policy', () => {
  it('keeps tags: the same digest again is fine, another is refused, an exempt tag moves', async () => {
    await using strict = await RegistryFixture.start({
      tags: { immutable: true, exempt: ['library/*', '*:dev-*'], forbidden: ['latest'] },
    });
    const one = await strict.imageOf('app', 'one');
    const two = await strict.imageOf('app', 'two');
    assert.equal((await strict.pushManifest('app', '1.0', one)).status, 201);
    assert.equal((await strict.pushManifest('app', '1.0', one)).status, 201);
    const moved = await strict.pushManifest('app', '1.0', two);
    assert.deepEqual([moved.status, codeOf(moved)], [400, 'TAG_INVALID']);
    assert.match(moved.text, /The image tag '1\.0' already exists in the 'app' repository and cannot be overwritten/);
    assert.equal((await strict.send('GET', '/v2/app/manifests/1.0')).text, JSON.stringify(one));
    assert.equal((await strict.send('GET', `/v2/app/manifests/${sha256(JSON.stringify(two))}`)).status, 404);
    for (const image of [one, two]) assert.equal((await strict.pushManifest('app', 'dev-1', image)).status, 201);
    assert.equal(codeOf(await strict.pushManifest('app', 'latest', one)), 'TAG_INVALID');
    assert.equal(codeOf(await strict.send('DELETE', '/v2/app/manifests/1.0')), 'DENIED');
    assert.equal(codeOf(await strict.send('DELETE', `/v2/app/manifests/${sha256(JSON.stringify(one))}`)), 'DENIED');
    const base = await strict.imageOf('library/node', 'base');
    assert.equal((await strict.pushManifest('library/node', 'latest', base)).status, 201);
  });

  it('lets one of many concurrent writers have a tag', async () => {
    await using strict = await RegistryFixture.start({ tags: { immutable: true } });
    const images = await Promise.all(Array.from({ length: 8 }, (_, index) => strict.imageOf('app', `image ${index}`)));
    const answers = await Promise.all(images.map((image) => strict.pushManifest('app', 'race', image)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, ...Array.from({ length: 7 }, () => 400)]);
  });
});
