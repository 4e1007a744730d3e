import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { findOrInstall } from '../../../test/debian-package.ts';
import { RegistryFixture } from '../../../test/registry-fixture.ts';
import { toolPath } from '../../../test/tools.ts';

const run = promisify(execFile);
let registry: RegistryFixture;
let dir: string;

before(async () => {
  registry = await RegistryFixture.start({ anonymousPull: true, tags: { immutable: true, forbidden: ['latest'] } });
  dir = await mkdtemp(join(tmpdir(), 'registry-clients-'));
});
after(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

const skopeo = findOrInstall({ packageName: 'skopeo', places: ['/usr/bin/skopeo', '/opt/homebrew/bin/skopeo'] });
const noSkopeo = 'reason' in skopeo ? skopeo.reason : false;

describe('skopeo', { skip: noSkopeo }, () => {
  const image = (name: string) => `docker://127.0.0.1:${registry.port}/${name}`;
  const login = ['--dest-creds', 'root:root-password'];
  const copy = (from: string, to: string, ...options: string[]) =>
    run('skopeo', ['copy', '--src-tls-verify=false', '--dest-tls-verify=false', ...options, from, to]);

  it('copies, inspects, lists and deletes', async () => {
    const config = {
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [] },
      history: [],
    };
    const digest = await registry.pushBlob('app', JSON.stringify(config));
    const size = JSON.stringify(config).length;
    const type = 'application/vnd.oci.image.config.v1+json';
    const pushed = await registry.pushManifest('app', '1.0', {
      schemaVersion: 2,
      config: { mediaType: type, digest, size },
      layers: [],
    });
    assert.equal(pushed.status, 201);
    await copy(image('app:1.0'), `oci:${dir}/layout:x`);
    await copy(`oci:${dir}/layout:x`, image('copy:2.0'), ...login);
    const { stdout } = await run('skopeo', ['inspect', '--tls-verify=false', image('copy:2.0')]);
    const inspected = JSON.parse(stdout);
    assert.deepEqual([inspected.Digest, inspected.RepoTags], [pushed.headers.get('docker-content-digest'), ['2.0']]);
    const listed = await run('skopeo', ['list-tags', '--tls-verify=false', image('copy')]);
    assert.deepEqual(JSON.parse(listed.stdout).Tags, ['2.0']);
  });

  it('is refused without a password, with a wrong one, and for the tag latest', async () => {
    const layout = `oci:${dir}/layout:x`;
    await assert.rejects(copy(layout, image('copy:3')), /denied|unauthorized/);
    await assert.rejects(copy(layout, image('copy:3'), '--dest-creds', 'root:wrong'), /incorrect username or password/);
    await assert.rejects(copy(layout, image('copy:latest'), ...login), /The image tag 'latest' may not be used/);
  });
});

describe('helm', () => {
  it('pushes a chart and pulls it again', async () => {
    const helm = toolPath('helm');
    const home = {
      HELM_CONFIG_HOME: join(dir, 'helm'),
      HELM_CACHE_HOME: join(dir, 'helm'),
      HELM_DATA_HOME: join(dir, 'helm'),
    };
    const options = { cwd: dir, env: { ...home, HOME: dir, PATH: '/usr/bin:/bin' } };
    await mkdir(join(dir, 'shop', 'templates'), { recursive: true });
    await writeFile(join(dir, 'shop', 'Chart.yaml'), 'apiVersion: v2\nname: shop\nversion: 1.2.3\n');
    await writeFile(join(dir, 'shop', 'templates', 'x.yaml'), 'kind: ConfigMap\n');
    await run(helm, ['package', 'shop'], options);
    const host = `127.0.0.1:${registry.port}`;
    await run(helm, ['registry', 'login', host, '--plain-http', '-u', 'root', '-p', 'root-password'], options);
    await run(helm, ['push', 'shop-1.2.3.tgz', `oci://${host}/charts`, '--plain-http'], options);
    await mkdir(join(dir, 'pulled'));
    await run(
      helm,
      ['pull', `oci://${host}/charts/shop`, '--version', '1.2.3', '--plain-http', '-d', 'pulled'],
      options,
    );
    const [sent, got] = await Promise.all(['.', 'pulled'].map((place) => readFile(join(dir, place, 'shop-1.2.3.tgz'))));
    assert.deepEqual(got, sent);
  });
});
