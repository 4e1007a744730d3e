import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualClock } from '../../../test/clock.ts';
import { basic, codeOf, RegistryFixture, sha256 } from '../../../test/registry-fixture.ts';
import { parseScopes } from './access.ts';

const reader = basic('reader', 'reader-password');

async function token(registry: RegistryFixture, scope: string, authorization: string): Promise<string> {
  const answer = await registry.send('GET', `/token?service=x&scope=${encodeURIComponent(scope)}`, { authorization });
  assert.equal(answer.status, 200, answer.text);
  return `Bearer ${JSON.parse(answer.text).token}`;
}

describe('access', () => {
  it('challenges on /v2/ and takes tokens of its realm', async () => {
    await using registry = await RegistryFixture.start({ anonymousPull: true });
    const closed = await registry.send('GET', '/v2/', { authorization: '' });
    assert.equal(closed.status, 401);
    const challenge = closed.headers.get('www-authenticate') ?? '';
    assert.match(challenge, new RegExp(`^Bearer realm="${registry.url}/token",service="127.0.0.1:${registry.port}"`));
    const bearer = await token(registry, 'repository:team/app:pull', '');
    assert.equal((await registry.send('GET', '/v2/', { authorization: bearer })).status, 200);
  });

  it('opens pulling to everybody only when asked to', async () => {
    for (const anonymousPull of [true, false]) {
      await using registry = await RegistryFixture.start({ anonymousPull });
      const digest = await registry.pushBlob('team/app', 'x');
      const pulled = await registry.send('GET', `/v2/team/app/blobs/${digest}`, { authorization: '' });
      assert.equal(pulled.status, anonymousPull ? 200 : 401);
      const pushed = await registry.send('POST', '/v2/team/app/blobs/uploads/', { authorization: '' });
      assert.equal(pushed.status, 401);
      assert.match(pushed.headers.get('www-authenticate') ?? '', /scope="repository:team\/app:pull,push"/);
    }
  });

  it('gives a token only what its owner may do', async () => {
    await using registry = await RegistryFixture.start();
    const digest = await registry.pushBlob('team/app', 'x');
    const bearer = await token(registry, 'repository:team/app:pull,push', reader);
    assert.equal((await registry.send('GET', `/v2/team/app/blobs/${digest}`, { authorization: bearer })).status, 200);
    const push = await registry.send('POST', '/v2/team/app/blobs/uploads/', { authorization: bearer });
    assert.deepEqual([push.status, codeOf(push)], [403, 'DENIED']);
    const other = await registry.send('GET', `/v2/other/blobs/${digest}`, { authorization: bearer });
    assert.deepEqual([other.status, codeOf(other)], [401, 'UNAUTHORIZED']);
    assert.match(other.headers.get('www-authenticate') ?? '', /error="insufficient_scope"/);
  });

  it('checks names and passwords sent with the request itself', async () => {
    await using registry = await RegistryFixture.start();
    const digest = await registry.pushBlob('team/app', 'x');
    const path = `/v2/team/app/blobs/${digest}`;
    assert.equal((await registry.send('GET', path, { authorization: reader })).status, 200);
    assert.equal((await registry.send('DELETE', path, { authorization: reader })).status, 403);
    assert.equal((await registry.send('GET', path, { authorization: basic('reader', 'wrong') })).status, 401);
    assert.equal((await registry.send('GET', '/token', { authorization: basic('root', 'wrong') })).status, 401);
  });

  it('gives tokens to a password form as containerd sends it', async () => {
    await using registry = await RegistryFixture.start();
    const form = 'grant_type=password&username=root&password=root-password&scope=repository:a:pull,push&service=x';
    const answer = await registry.send('POST', '/token', { body: form, authorization: '' });
    const authorization = `Bearer ${JSON.parse(answer.text).access_token}`;
    assert.equal((await registry.send('POST', '/v2/a/blobs/uploads/', { authorization })).status, 202);
    const wrong = await registry.send('POST', '/token', { body: form.replace('root-p', 'p'), authorization: '' });
    assert.equal(wrong.status, 401);
  });

  it('refuses tokens that are over, forged or garbage', async () => {
    const clock = new ManualClock();
    await using registry = await RegistryFixture.start({ clock });
    const digest = await registry.pushBlob('team/app', 'x');
    const path = `/v2/team/app/blobs/${digest}`;
    const bearer = await token(registry, 'repository:team/app:pull', reader);
    assert.equal((await registry.send('GET', path, { authorization: bearer })).status, 200);
    const forged = `${bearer.slice(0, -6)}AAAAAA`;
    for (const authorization of [forged, 'Bearer nonsense', 'Digest x'])
      assert.equal((await registry.send('GET', path, { authorization })).status, 401);
    clock.advance(5 * 60_000 + 1000);
    const late = await registry.send('GET', path, { authorization: bearer });
    assert.deepEqual([late.status, codeOf(late)], [401, 'UNAUTHORIZED']);
  });

  it('keeps tokens good over a restart', async () => {
    await using registry = await RegistryFixture.start();
    const bearer = await token(registry, 'repository:team/app:pull', reader);
    await registry.close();
    await registry.open();
    const found = await registry.send('GET', `/v2/team/app/blobs/${sha256('none')}`, { authorization: bearer });
    assert.equal(found.status, 404);
  });

  it('mounts only what the client may pull', async () => {
    await using registry = await RegistryFixture.start({
      users: [
        { name: 'root', password: 'root-password', scopes: [{ repository: '*', actions: ['pull', 'push'] }] },
        { name: 'mine', password: 'mine-password', scopes: [{ repository: 'mine', actions: ['pull', 'push'] }] },
      ],
    });
    const digest = await registry.pushBlob('theirs', 'secret');
    const authorization = basic('mine', 'mine-password');
    const mount = await registry.send('POST', `/v2/mine/blobs/uploads/?mount=${digest}&from=theirs`, { authorization });
    assert.equal(mount.status, 202);
    const anywhere = await registry.send('POST', `/v2/mine/blobs/uploads/?mount=${digest}`, { authorization });
    assert.equal(anywhere.status, 202, 'nor from wherever it is');
    assert.equal((await registry.send('GET', `/v2/mine/blobs/${digest}`, { authorization })).status, 404);
  });
});

describe('mounts with a token', () => {
  it('asks for a token that covers the other repository, and mounts with it', async () => {
    await using registry = await RegistryFixture.start();
    const root = basic('root', 'root-password');
    const digest = await registry.pushBlob('from', 'blob');
    const path = `/v2/to/blobs/uploads/?mount=${digest}&from=from`;
    const narrow = await token(registry, 'repository:to:pull,push', root);
    const asked = await registry.send('POST', path, { authorization: narrow });
    assert.equal(asked.status, 401);
    const scope = /scope="([^"]*)"/.exec(asked.headers.get('www-authenticate') ?? '')?.[1] ?? '';
    assert.equal(scope, 'repository:to:pull,push repository:from:pull');
    const wide = await token(registry, scope, root);
    assert.equal((await registry.send('POST', path, { authorization: wide })).status, 201);
  });

  it('uploads when the token was refused the other repository', async () => {
    const scopes = [{ repository: 'to', actions: ['pull', 'push'] as ('pull' | 'push')[] }];
    const users = [{ name: 'narrow', password: 'narrow-password', scopes }];
    await using registry = await RegistryFixture.start({ users });
    const both = 'repository:to:pull,push repository:from:pull';
    const authorization = await token(registry, both, basic('narrow', 'narrow-password'));
    const answer = await registry.send('POST', `/v2/to/blobs/uploads/?mount=${sha256('x')}&from=from`, {
      authorization,
    });
    assert.equal(answer.status, 202);
  });
});

describe('the catalog', () => {
  it('is for known names only', async () => {
    await using registry = await RegistryFixture.start({ anonymousPull: true });
    const anonymous = await token(registry, '', '');
    assert.equal((await registry.send('GET', '/v2/_catalog', { authorization: anonymous })).status, 401);
    assert.equal((await registry.send('GET', '/v2/_catalog')).status, 200);
  });
});

describe('parseScopes', () => {
  const cases = [
    { text: 'repository:a/b:pull,push', want: [{ repository: 'a/b', actions: ['pull', 'push'] }] },
    { text: 'repository:host:5000/a:pull', want: [{ repository: 'host:5000/a', actions: ['pull'] }] },
    { text: 'repository:a:*', want: [{ repository: 'a', actions: ['pull', 'push', 'delete'] }] },
    { text: 'registry:catalog:* repository:a:pull', want: [{ repository: 'a', actions: ['pull'] }] },
    { text: 'repository:a:fly', want: [{ repository: 'a', actions: [] }] },
    { text: '', want: [] },
  ];
  for (const { text, want } of cases) it(`reads "${text}"`, () => assert.deepEqual(parseScopes(text), want));
});
