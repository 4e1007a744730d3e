import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { getString } from '#base/json.ts';
import { runProgram } from '#main/demo/program.ts';
import { findOrInstall } from '../debian-package.ts';
import { person } from './shared-world.ts';

const digest = (bytes: string) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** What `docker push` does, request by request: login challenge, blobs by POST, PATCH and PUT, then the manifest. */
async function dockerPush(base: string, authorization: string, repository: string, tag: string, label: string) {
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: { Labels: { label } },
    rootfs: { type: 'layers', diff_ids: [] },
  });
  const headers = { authorization };
  const start = await fetch(`${base}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers });
  assert.equal(start.status, 202);
  const location = new URL(start.headers.get('location') ?? '', base);
  const patch = await fetch(location, {
    method: 'PATCH',
    headers: { ...headers, 'content-type': 'application/octet-stream' },
    body: config,
  });
  assert.equal(patch.status, 202);
  const end = new URL(patch.headers.get('location') ?? '', base);
  end.searchParams.set('digest', digest(config));
  assert.equal((await fetch(end, { method: 'PUT', headers })).status, 201);
  const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: 'application/vnd.docker.container.image.v1+json',
      size: config.length,
      digest: digest(config),
    },
    layers: [],
  });
  return fetch(`${base}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { ...headers, 'content-type': mediaType },
    body: manifest,
  });
}

async function token(base: string, account: { login: string; token: string }, scope: string): Promise<string> {
  const challenge = (await fetch(`${base}/v2/`)).headers.get('www-authenticate') ?? '';
  const realm = /realm="([^"]+)"/.exec(challenge)?.[1] ?? '';
  const service = /service="([^"]+)"/.exec(challenge)?.[1] ?? '';
  const answer = await fetch(`${realm}?${new URLSearchParams({ service, scope })}`, {
    headers: { authorization: `Basic ${Buffer.from(`${account.login}:${account.token}`).toString('base64')}` },
  });
  assert.equal(answer.status, 200);
  return ((await answer.json()) as { token: string }).token;
}

test('a push as docker makes it is taken; the tag is immutable; anybody on this machine may pull', async () => {
  const me = await person();
  const base = me.world.registry.url;
  const bearer = `Bearer ${await token(base, me.world.developer, 'repository:scratch/tool:pull,push')}`;
  assert.equal((await dockerPush(base, bearer, 'scratch/tool', '1.0.0', 'one')).status, 201);
  assert.equal((await dockerPush(base, bearer, 'scratch/tool', '1.0.0', 'one')).status, 201);
  const again = await dockerPush(base, bearer, 'scratch/tool', '1.0.0', 'two');
  assert.equal(again.status, 400);
  assert.match(await again.text(), /TAG_INVALID.*cannot be overwritten because the tag is immutable/);

  const pulled = await fetch(`${base}/v2/scratch/tool/manifests/1.0.0`);
  assert.equal(pulled.status, 200);
  assert.equal(pulled.headers.get('docker-content-digest'), digest(await pulled.text()));
  const tags = (await (await fetch(`${base}/v2/scratch/tool/tags/list`)).json()) as { tags: string[] };
  assert.deepEqual(tags.tags, ['1.0.0']);
});

test('without a credential nothing is pushed', async () => {
  const me = await person();
  const answer = await fetch(`${me.world.registry.url}/v2/scratch/tool/blobs/uploads/`, { method: 'POST' });
  assert.equal(answer.status, 401);
  assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer realm=/);
});

const skopeo = findOrInstall({ packageName: 'skopeo', places: ['/usr/bin/skopeo', '/opt/homebrew/bin/skopeo'] });

test('skopeo copies an image out of the world and back in, as its developer', {
  skip: 'reason' in skopeo && skopeo.reason,
}, async () => {
  assert.ok('path' in skopeo);
  const me = await person();
  const { registry, developer } = me.world;
  const image = (name: string) => `docker://${registry.host}/${name}`;
  const layout = `oci:${join(me.workDir, 'layout')}:x`;
  const run = (...args: string[]) => runProgram(skopeo.path, args, { signal: me.signal });
  await run('copy', '--src-tls-verify=false', image('myshop-api:1.4.2'), layout);
  const login = ['--dest-creds', `${developer.login}:${developer.token}`];
  await run('copy', '--dest-tls-verify=false', ...login, layout, image('scratch/copied:1.4.2'));
  const { stdout } = await run('inspect', '--tls-verify=false', image('scratch/copied:1.4.2'));
  const inspected: unknown = JSON.parse(stdout);
  assert.equal(getString(inspected, 'Labels', 'org.opencontainers.image.version'), '1.4.2');
  const anonymous = run('copy', '--dest-tls-verify=false', layout, image('scratch/copied:1.4.3'));
  await assert.rejects(anonymous, /unauthorized|authentication required/i);
});
