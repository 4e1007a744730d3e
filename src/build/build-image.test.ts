import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, it } from 'node:test';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { isAppError } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import { createImageStore } from '#oci/image-store.ts';
import { parseReference } from '#oci/reference.ts';
import { createRegistryClient } from '#oci/registry-client.ts';
import { testClock } from '../../test/clock.ts';
import { RegistryFixture } from '../../test/registry-fixture.ts';
import { type BuildImageOptions, buildImage } from './build-image.ts';
import { createNodeBaseImage } from './node-base-image.ts';

let registry: RegistryFixture;
let dir: string;
let client: ReturnType<typeof createRegistryClient>;
const { signal } = new AbortController();

before(async () => {
  registry = await RegistryFixture.start();
  dir = await mkdtemp(join(tmpdir(), 'build-test-'));
  client = createRegistryClient({
    clock: testClock,
    logger: silentLogger,
    credentials: async () => ({ username: 'root', password: 'root-password' }),
    mirrors: { 'docker.io': registry.url },
  });
});
after(async () => {
  await client[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

let count = 0;

async function contextOf(files: Record<string, string>): Promise<string> {
  count += 1;
  const context = join(dir, `context-${count}`);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(context, name)), { recursive: true });
    await writeFile(join(context, name), content);
  }
  return context;
}

async function build(context: string, options: Partial<BuildImageOptions> = {}) {
  const tags = [`127.0.0.1:${registry.port}/built/image-${count}:1`];
  return await buildImage(
    { context, tags, push: true, client, clock: testClock, logger: silentLogger, workDir: dir, ...options },
    signal,
  );
}

async function unpack(tag: string) {
  const store = await createImageStore({ dir: await mkdtemp(join(dir, 'images-')), client, logger: silentLogger });
  const image = await store.ensure(parseReference(tag), signal);
  const files = (await readdir(image.rootfs, { recursive: true })).sort();
  return { ...image, files };
}

describe('buildImage', () => {
  it('copies and configures on scratch', async () => {
    const context = await contextOf({
      Dockerfile: [
        'FROM scratch',
        'ENV HOME=/srv PORT=8080',
        'WORKDIR $HOME/app',
        'COPY package.json *.txt ./',
        'COPY src lib',
        'COPY src/a.js renamed.js',
        'COPY src/a.js /srv/app',
        'EXPOSE ${PORT} 53/udp',
        'LABEL kind="a demo"',
        'USER 1000',
        'CMD ["./run"]',
      ].join('\n'),
      'package.json': '{}',
      'one.txt': '1',
      'two.txt': '2',
      'src/a.js': 'a',
      'src/deep/b.js': 'b',
      'src/skip.log': 'no',
      '.dockerignore': '**/*.log\n',
    });
    const built = await build(context, {
      labels: { 'org.opencontainers.image.revision': 'abc' },
      buildEnv: { VERSION: '1.0' },
    });
    const image = await unpack(built.tags[0] ?? '');
    assert.deepEqual(
      image.files.filter((name) => name.startsWith('srv/app/')),
      ['a.js', 'lib', 'lib/a.js', 'lib/deep', 'lib/deep/b.js', 'one.txt', 'package.json', 'renamed.js', 'two.txt'].map(
        (name) => `srv/app/${name}`,
      ),
    );
    assert.equal(image.digest, built.digest);
    assert.deepEqual(image.config.config, {
      Env: ['HOME=/srv', 'PORT=8080', 'VERSION=1.0'],
      Cmd: ['./run'],
      WorkingDir: '/srv/app',
      User: '1000',
      ExposedPorts: { '8080/tcp': {}, '53/udp': {} },
      Labels: { kind: 'a demo', 'org.opencontainers.image.revision': 'abc' },
    });
  });

  it('gives the same digest for the same files, whatever their times and rights', async () => {
    const files = { Dockerfile: 'FROM scratch\nCOPY . /app', 'a.sh': '#!/bin/sh', 'sub/b': 'b' };
    const first = await contextOf(files);
    const second = await contextOf(files);
    await chmod(join(first, 'sub'), 0o700);
    await chmod(join(first, 'sub/b'), 0o600);
    await utimes(join(first, 'sub/b'), 1, 1);
    const [one, two] = [await build(first), await build(second)];
    assert.equal(one.digest, two.digest);
    await chmod(join(second, 'a.sh'), 0o755);
    assert.notEqual((await build(second)).digest, one.digest, 'but not when a file becomes a program');
  });

  it('builds on an image of a registry without reading its layers, and inherits its configuration', async () => {
    const base = await contextOf({
      Dockerfile:
        'FROM scratch\nCOPY base /file\nENV A=1 B=2\nWORKDIR /base\nENTRYPOINT ["run"]\nCMD ["default"]\nLABEL a=1',
      base: 'from the base',
    });
    await build(base, { tags: [`127.0.0.1:${registry.port}/library/thing:1`] });
    const context = await contextOf({
      Dockerfile: 'FROM thing:1\nENV B=$A$B C=3\nCOPY own .\nCMD ["mine"]',
      own: 'own',
    });
    const built = await build(context);
    const image = await unpack(built.tags[0] ?? '');
    assert.deepEqual(image.files, ['base', 'base/own', 'file']);
    assert.deepEqual(image.config.config, {
      Env: ['A=1', 'B=12', 'C=3'],
      Cmd: ['mine'],
      Entrypoint: ['run'],
      WorkingDir: '/base',
      Labels: { a: '1' },
    });
    const entry = await contextOf({ Dockerfile: 'FROM thing:1\nENTRYPOINT other' });
    const other = await unpack((await build(entry)).tags[0] ?? '');
    assert.deepEqual(
      [other.config.config.Entrypoint, other.config.config.Cmd],
      [['/bin/sh', '-c', 'other'], undefined],
    );
  });

  it('builds on a local OCI layout', async () => {
    const context = await contextOf({ Dockerfile: 'FROM oci-layout:layout:v1\nCOPY own /own', own: 'own' });
    const plain = await contextOf({ Dockerfile: 'FROM scratch\nCOPY x /x', x: 'x' });
    const tag = (await build(plain)).tags[0] ?? '';
    await writeLayout(join(context, 'layout'), tag);
    assert.deepEqual((await unpack((await build(context)).tags[0] ?? '')).files, ['own', 'x']);
    const missing = await contextOf({ Dockerfile: 'FROM oci-layout:nowhere\nCOPY own /own', own: 'own' });
    await assert.rejects(build(missing), /not a whole OCI image layout: index\.json cannot be read/);
  });

  it('pushes under several tags and repositories', async () => {
    const context = await contextOf({ Dockerfile: 'FROM scratch\nCOPY x /', x: `${count}` });
    const tags = ['many/a:1', 'many/a:2', 'many/b:1'].map((name) => `127.0.0.1:${registry.port}/${name}`);
    const built = await build(context, { tags });
    for (const tag of tags) assert.equal((await client.manifest(parseReference(tag), signal))?.digest, built.digest);
  });

  it('reaches no registry when it does not push', async () => {
    const context = await contextOf({ Dockerfile: 'FROM scratch\nCOPY x /', x: 'dry' });
    const dry = await build(context, { push: false, tags: ['127.0.0.1:1/dry:1'] });
    assert.equal(dry.digest, (await build(context)).digest);
  });

  it('keeps links of the context as links, and takes the file behind a named one', async () => {
    const context = await contextOf({
      Dockerfile: 'FROM scratch\nCOPY tree /tree\nCOPY tree/link /named',
      'tree/real': 'real',
    });
    await symlink('real', join(context, 'tree/link'));
    const image = await unpack((await build(context)).tags[0] ?? '');
    assert.deepEqual(image.files, ['named', 'tree', 'tree/link', 'tree/real']);
    assert.equal(await readFile(join(image.rootfs, 'named'), 'utf8'), 'real');
  });

  const refusals: {
    name: string;
    files: Record<string, string>;
    message: RegExp;
    code: 'bad-input' | 'unsupported';
  }[] = [
    { name: 'no Dockerfile', files: { x: '' }, message: /Dockerfile.* cannot be read/, code: 'bad-input' },
    {
      name: 'a missing source',
      files: { Dockerfile: 'FROM scratch\nCOPY none /x' },
      message: /line 2: COPY none matches no file/,
      code: 'bad-input',
    },
    {
      name: 'an ignored source',
      files: { Dockerfile: 'FROM scratch\nCOPY a /x', a: '', '.dockerignore': 'a' },
      message: /line 2: COPY a matches no file/,
      code: 'bad-input',
    },
    {
      name: 'a source outside',
      files: { Dockerfile: 'FROM scratch\nCOPY ../x /x' },
      message: /lies outside/,
      code: 'bad-input',
    },
    {
      name: 'several sources into a file',
      files: { Dockerfile: 'FROM scratch\nCOPY a b /x', a: '', b: '' },
      message: /ends with \//,
      code: 'bad-input',
    },
    {
      name: 'a bad port',
      files: { Dockerfile: 'FROM scratch\nEXPOSE http' },
      message: /line 2: "http" is not a port/,
      code: 'bad-input',
    },
    { name: 'an engine', files: { Dockerfile: 'FROM scratch\nRUN make' }, message: /line 2: RUN/, code: 'unsupported' },
  ];
  for (const { name, files, message, code } of refusals)
    it(`refuses ${name}`, async () => {
      const building = build(await contextOf(files));
      await assert.rejects(building, (error: unknown) => isAppError(error, code) && message.test(error.message));
    });

  it('says which base does not exist', async () => {
    const image = `127.0.0.1:${registry.port}/nothing:1`;
    const building = build(await contextOf({ Dockerfile: `FROM ${image}` }));
    await assert.rejects(building, (error: unknown) => isAppError(error, 'not-found') && error.message.includes(image));
  });

  it('leaves nothing behind in its work directory', async () => {
    assert.deepEqual(
      (await readdir(dir)).filter((name) => name.startsWith('build-')),
      [],
    );
  });
});

/** Writes an image of the registry as an OCI layout with the tag v1. */
async function writeLayout(directory: string, tag: string): Promise<void> {
  const ref = parseReference(tag);
  const manifest = await client.manifest(ref, signal);
  assert(manifest);
  const blobs = join(directory, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });
  await writeFile(join(blobs, manifest.digest.slice(7)), manifest.bytes);
  const document = JSON.parse(manifest.bytes.toString('utf8'));
  for (const part of [document.config, ...document.layers]) {
    const chunks: Buffer[] = [];
    for await (const chunk of await client.blob(ref, part, signal)) chunks.push(Buffer.from(chunk));
    await writeFile(join(blobs, part.digest.slice(7)), Buffer.concat(chunks));
  }
  const { digest, mediaType, bytes } = manifest;
  const annotations = { 'org.opencontainers.image.ref.name': 'v1' };
  const index = { schemaVersion: 2, manifests: [{ mediaType, digest, size: bytes.length, annotations }] };
  await writeFile(join(directory, 'index.json'), JSON.stringify(index));
}

describe('createNodeBaseImage', () => {
  it('makes the base once for a binary, and a service can be built and unpacked on it', async () => {
    const nodeBinary = join(dir, 'node');
    await writeFile(nodeBinary, 'not the real one, but as good for this test');
    const options = { nodeBinary, client, ref: `127.0.0.1:${registry.port}/library/node:24-slim`, workDir: dir };
    const first = await createNodeBaseImage(options, signal);
    const second = await createNodeBaseImage(options, signal);
    assert.deepEqual([first.created, second.created, second.digest], [true, false, first.digest]);
    const context = await contextOf({
      Dockerfile: 'FROM node:24-slim\nWORKDIR /app\nCOPY server.js .\nCMD ["node", "server.js"]',
      'server.js': '1',
    });
    const image = await unpack((await build(context)).tags[0] ?? '');
    for (const name of ['app/server.js', 'usr/local/bin/node', 'etc/passwd', 'tmp', 'home/node'])
      assert.ok(image.files.includes(name), name);
    assert.match(image.config.config.Env?.[0] ?? '', /^PATH=.*\/usr\/local\/bin/);
    const owned = await contextOf({
      Dockerfile: 'FROM node:24-slim\nCOPY --chown=node:nogroup a /a\nCOPY --chown=root b /b\nCOPY --chown=7 c /c',
      a: '',
      b: '',
      c: '',
    });
    assert.deepEqual(await ownersIn((await build(owned)).tags[0] ?? ''), { a: '1000:65534', b: '0:0', c: '7:7' });
    const unknown = build(await contextOf({ Dockerfile: 'FROM node:24-slim\nCOPY --chown=ada a /a', a: '' }));
    await assert.rejects(unknown, /line 2: --chown: the base image has no user "ada"/);
    await writeFile(nodeBinary, 'another version');
    assert.equal((await createNodeBaseImage(options, signal)).created, true);
  });
});

/** The numbers of the owners of the files in the image's last three layers. */
async function ownersIn(tag: string): Promise<Record<string, string>> {
  const ref = parseReference(tag);
  const image = await client.image(ref, signal);
  const owners: Record<string, string> = {};
  for (const layer of image.layers.slice(-3)) {
    const tar = extract();
    const flow = pipeline(await client.blob(ref, layer, signal), createGunzip(), tar);
    for await (const entry of tar) {
      owners[entry.header.name] = `${entry.header.uid}:${entry.header.gid}`;
      entry.resume();
    }
    await flow;
  }
  return owners;
}
