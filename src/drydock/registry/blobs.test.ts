import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { basic, codeOf, RegistryFixture, sha256 } from '../../../test/registry-fixture.ts';

let registry: RegistryFixture;
before(async () => {
  registry = await RegistryFixture.start({ limits: { maxBlobBytes: 1_000_000, maxUploads: 20 } });
});
after(() => registry[Symbol.asyncDispose]());

describe('blob uploads', () => {
  it('takes a blob in POST and PUT, and gives it back', async () => {
    const digest = await registry.pushBlob('a/b', 'hello');
    const found = await registry.send('GET', `/v2/a/b/blobs/${digest}`);
    assert.deepEqual([found.status, found.text, found.headers.get('docker-content-digest')], [200, 'hello', digest]);
    const head = await registry.send('HEAD', `/v2/a/b/blobs/${digest}`);
    assert.deepEqual([head.status, head.headers.get('content-length'), head.text], [200, '5', '']);
  });

  it('takes a blob in one POST', async () => {
    const taken = await registry.send('POST', `/v2/a/b/blobs/uploads/?digest=${sha256('single')}`, { body: 'single' });
    assert.deepEqual([taken.status, taken.headers.get('location')], [201, `/v2/a/b/blobs/${sha256('single')}`]);
  });

  it('takes chunks in order, refuses a gap and says where to go on', async () => {
    const location = await registry.startUpload('a/b');
    const first = await registry.send('PATCH', location, { body: '0123', headers: { 'content-range': '0-3' } });
    assert.deepEqual([first.status, first.headers.get('range')], [202, '0-3']);
    const gap = await registry.send('PATCH', location, { body: '89', headers: { 'content-range': '8-9' } });
    assert.deepEqual([gap.status, gap.headers.get('range'), codeOf(gap)], [416, '0-3', 'BLOB_UPLOAD_INVALID']);
    const status = await registry.send('GET', location);
    assert.deepEqual([status.status, status.headers.get('range')], [204, '0-3']);
    const last = await registry.send('PUT', `${location}?digest=${sha256('01234567')}`, {
      body: '4567',
      headers: { 'content-range': '4-7' },
    });
    assert.equal(last.status, 201);
    assert.equal((await registry.send('GET', location)).status, 404);
  });

  it('accepts sha512', async () => {
    const digest = `sha512:${createHash('sha512').update('long').digest('hex')}`;
    const location = await registry.startUpload('a/b');
    assert.equal((await registry.send('PUT', `${location}?digest=${digest}`, { body: 'long' })).status, 201);
    assert.equal((await registry.send('GET', `/v2/a/b/blobs/${digest}`)).text, 'long');
  });

  it('refuses content that has another digest, and forgets it', async () => {
    const location = await registry.startUpload('a/b');
    const wrong = await registry.send('PUT', `${location}?digest=${sha256('right')}`, { body: 'wrong' });
    assert.deepEqual([wrong.status, codeOf(wrong)], [400, 'DIGEST_INVALID']);
    assert.equal((await registry.send('HEAD', `/v2/a/b/blobs/${sha256('right')}`)).status, 404);
    assert.equal((await registry.send('HEAD', `/v2/a/b/blobs/${sha256('wrong')}`)).status, 404);
  });

  it('refuses a digest it does not know before it takes the body', async () => {
    const location = await registry.startUpload('a/b');
    const bad = await registry.send('PUT', `${location}?digest=md5:abc`, { body: 'x' });
    assert.deepEqual([bad.status, codeOf(bad)], [400, 'DIGEST_INVALID']);
  });

  it('refuses a blob over the limit', async () => {
    const location = await registry.startUpload('a/b');
    const big = await registry.send('PATCH', location, { body: Buffer.alloc(1_000_001) }).catch(() => undefined);
    if (big) assert.equal(big.status, 413);
    assert.equal((await registry.send('GET', location)).status, 204);
  });

  it('cancels an upload', async () => {
    const location = await registry.startUpload('a/b');
    assert.equal((await registry.send('DELETE', location)).status, 204);
    const gone = await registry.send('PATCH', location, { body: 'x' });
    assert.deepEqual([gone.status, codeOf(gone)], [404, 'BLOB_UPLOAD_UNKNOWN']);
  });

  it('keeps an upload of one repository out of reach of another', async () => {
    const location = await registry.startUpload('a/b');
    const other = await registry.send('GET', location.replace('/a/b/', '/a/c/'));
    assert.equal(other.status, 404);
  });

  it('keeps what arrived before a connection broke, so that the upload can go on', async () => {
    const location = await registry.startUpload('a/b');
    const socket = connect(registry.port, '127.0.0.1');
    const auth = basic('root', 'root-password');
    socket.write(
      `PATCH ${location} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${auth}\r\nContent-Length: 100\r\n\r\nhalf-`,
    );
    await waitFor(async () => (await registry.send('GET', location)).headers.get('range') === '0-4');
    socket.destroy();
    // Until the server has seen the end of the broken connection, the upload counts as in use.
    const sent: { status: number }[] = [];
    await waitFor(async () => {
      const taken = await registry.send('PATCH', location, { body: 'done', headers: { 'content-range': '5-8' } });
      sent.push(taken);
      return taken.status !== 409;
    });
    assert.equal(sent.at(-1)?.status, 202);
    const end = await registry.send('PUT', `${location}?digest=${sha256('half-done')}`);
    assert.equal(end.status, 201);
  });

  it('goes on with an upload after a restart', async () => {
    const location = await registry.startUpload('a/b');
    await registry.send('PATCH', location, { body: 'before ' });
    await registry.close();
    await registry.open();
    const status = await registry.send('GET', location);
    assert.equal(status.headers.get('range'), '0-6');
    await registry.send('PATCH', location, { body: 'after' });
    const end = await registry.send('PUT', `${location}?digest=${sha256('before after')}`);
    assert.equal(end.status, 201);
    assert.equal((await registry.send('GET', `/v2/a/b/blobs/${sha256('before after')}`)).text, 'before after');
  });

  it('limits uploads under way', async () => {
    await using small = await RegistryFixture.start({ limits: { maxUploads: 2 } });
    await small.startUpload('x');
    await small.startUpload('x');
    const third = await small.send('POST', '/v2/x/blobs/uploads/');
    assert.deepEqual([third.status, codeOf(third)], [429, 'TOOMANYREQUESTS']);
  });
});

describe('blobs', () => {
  it('answers ranges', async () => {
    const path = `/v2/a/b/blobs/${await registry.pushBlob('a/b', '0123456789')}`;
    const range = async (text: string) => {
      const found = await registry.send('GET', path, { headers: { range: text } });
      return [found.status, found.text, found.headers.get('content-range')];
    };
    assert.deepEqual(await range('bytes=2-4'), [206, '234', 'bytes 2-4/10']);
    assert.deepEqual(await range('bytes=7-'), [206, '789', 'bytes 7-9/10']);
    assert.deepEqual(await range('bytes=-3'), [206, '789', 'bytes 7-9/10']);
    assert.deepEqual(await range('bytes=5-100'), [206, '56789', 'bytes 5-9/10']);
    assert.deepEqual((await range('bytes=10-')).slice(0, 1), [416]);
  });

  it('answers 304 when the client has it', async () => {
    const digest = await registry.pushBlob('a/b', 'cached');
    const found = await registry.send('GET', `/v2/a/b/blobs/${digest}`, {
      headers: { 'if-none-match': `"${digest}"` },
    });
    assert.equal(found.status, 304);
  });

  it('mounts a blob from another repository, and starts an upload when it cannot', async () => {
    const digest = await registry.pushBlob('origin', 'mounted');
    const mounted = await registry.send('POST', `/v2/target/blobs/uploads/?mount=${digest}&from=origin`);
    assert.deepEqual([mounted.status, mounted.headers.get('location')], [201, `/v2/target/blobs/${digest}`]);
    assert.equal((await registry.send('GET', `/v2/target/blobs/${digest}`)).text, 'mounted');
    const missing = await registry.send('POST', `/v2/target/blobs/uploads/?mount=${sha256('none')}&from=origin`);
    assert.equal(missing.status, 202);
  });

  it('does not show a blob of another repository', async () => {
    const digest = await registry.pushBlob('private', 'secret');
    const other = await registry.send('GET', `/v2/public/blobs/${digest}`);
    assert.deepEqual([other.status, codeOf(other)], [404, 'BLOB_UNKNOWN']);
  });

  it('deletes a blob from one repository only', async () => {
    const digest = await registry.pushBlob('one', 'shared');
    await registry.pushBlob('two', 'shared');
    assert.equal((await registry.send('DELETE', `/v2/one/blobs/${digest}`)).status, 202);
    assert.equal((await registry.send('GET', `/v2/one/blobs/${digest}`)).status, 404);
    assert.equal((await registry.send('GET', `/v2/two/blobs/${digest}`)).status, 200);
    assert.equal((await registry.send('DELETE', `/v2/one/blobs/${digest}`)).status, 404);
  });
});

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail('the condition did not come true');
}
