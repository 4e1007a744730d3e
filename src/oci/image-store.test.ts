import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { digestOf } from '#base/digest.ts';
import { isAppError } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import { createImageStore } from './image-store.ts';
import { mediaTypes } from './manifest.ts';
import type { Descriptor, ImageConfig, ImageRef, RegistryClient } from './port.ts';
import { parseReference } from './reference.ts';

type Entry = Partial<Header> & { name: string; content?: string };

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'image-store-'));
});
after(() => rm(dir, { recursive: true, force: true }));
const { signal } = new AbortController();

async function tarOf(entries: Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const { content, ...header } of entries) tar.entry(header, content ?? '');
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** A registry of one image made of these layers, counting what is read from it. */
class OneImage implements Pick<RegistryClient, 'image' | 'blob'> {
  readonly reads: string[] = [];
  readonly #blobs = new Map<string, Buffer>();
  readonly #layers: Descriptor[] = [];
  readonly #diffIds: string[] = [];
  lieAboutContent = false;

  static async of(...layers: Entry[][]): Promise<OneImage> {
    const image = new OneImage();
    for (const layer of layers) image.add(await tarOf(layer));
    return image;
  }

  add(tar: Buffer, mediaType: string = mediaTypes.ociLayerGzip): void {
    const packed = mediaType.endsWith('gzip')
      ? gzipSync(tar)
      : mediaType.endsWith('zstd')
        ? zstdCompressSync(tar)
        : tar;
    this.#blobs.set(digestOf(packed), packed);
    this.#layers.push({ mediaType, digest: digestOf(packed), size: packed.length });
    this.#diffIds.push(digestOf(tar));
  }

  image() {
    this.reads.push('image');
    const config: ImageConfig = {
      architecture: 'amd64',
      os: 'linux',
      config: { Cmd: ['run'] },
      rootfs: { type: 'layers', diff_ids: this.lieAboutContent ? this.#diffIds.map(digestOf) : this.#diffIds },
    };
    const digest = digestOf(JSON.stringify(config));
    return Promise.resolve({ digest, manifestDigest: digest, config, layers: this.#layers });
  }

  blob(_ref: ImageRef, descriptor: Descriptor): Promise<NodeJS.ReadableStream> {
    this.reads.push('blob');
    return Promise.resolve(Readable.from([this.#blobs.get(descriptor.digest)]));
  }
}

let count = 0;
const ref = parseReference('127.0.0.1:5000/app:1');

async function unpack(
  client: OneImage,
): Promise<{ rootfs: string; store: Awaited<ReturnType<typeof createImageStore>>; path: string }> {
  count += 1;
  const path = join(dir, String(count));
  const store = await createImageStore({ dir: path, client, logger: silentLogger });
  return { rootfs: (await store.ensure(ref, signal)).rootfs, store, path };
}

async function list(root: string): Promise<string[]> {
  return (await readdir(root, { recursive: true })).sort();
}

const file = (name: string, content = ''): Entry => ({ name, content, mode: 0o644 });
const directory = (name: string): Entry => ({ name: `${name}/`, type: 'directory', mode: 0o755 });
const symlink = (name: string, linkname: string): Entry => ({ name, type: 'symlink', linkname });

describe('image store', () => {
  it('ends the search for a package.json above the programs of images', async () => {
    const project = await mkdtemp(join(dir, 'project-'));
    await writeFile(join(project, 'package.json'), '{"type":"module"}');
    const image = await OneImage.of([{ name: 'app/main.js', content: 'console.log(typeof require)' }]);
    const store = await createImageStore({ dir: join(project, 'images'), client: image, logger: silentLogger });
    const { rootfs } = await store.ensure(parseReference('example.com/app:1'), signal);
    assert.equal(execFileSync(process.execPath, [join(rootfs, 'app/main.js')], { encoding: 'utf8' }), 'function\n');
  });

  it('applies layers in order, with files, directories, links and modes', async () => {
    const client = await OneImage.of(
      [directory('bin'), { ...file('bin/run', 'one'), mode: 0o4755 }, file('./etc/conf', 'a')],
      [file('etc/conf', 'b'), symlink('bin/again', 'run'), { name: 'bin/hard', type: 'link', linkname: 'bin/run' }],
    );
    const { rootfs } = await unpack(client);
    assert.deepEqual(await list(rootfs), ['bin', 'bin/again', 'bin/hard', 'bin/run', 'etc', 'etc/conf']);
    assert.equal(await readFile(join(rootfs, 'etc/conf'), 'utf8'), 'b');
    assert.equal(await readFile(join(rootfs, 'bin/hard'), 'utf8'), 'one');
    assert.equal((await stat(join(rootfs, 'bin/run'))).mode & 0o7777, 0o755, 'no set-user-id');
  });

  for (const mediaType of [
    mediaTypes.ociLayer,
    mediaTypes.ociLayerGzip,
    mediaTypes.ociLayerZstd,
    mediaTypes.dockerLayerGzip,
  ])
    it(`reads ${mediaType}`, async () => {
      const client = new OneImage();
      client.add(await tarOf([file('x', 'content')]), mediaType);
      assert.equal(await readFile(join((await unpack(client)).rootfs, 'x'), 'utf8'), 'content');
    });

  it('hides what a later layer whites out', async () => {
    const client = await OneImage.of(
      [file('a/keep'), file('a/drop'), file('b/old'), file('c/deep/old'), file('gone/x')],
      [
        file('a/.wh.drop'),
        file('b/.wh..wh..opq'),
        file('b/new'),
        file('c/deep/new'),
        file('c/.wh..wh..opq'),
        file('.wh.gone'),
      ],
    );
    const { rootfs } = await unpack(client);
    assert.deepEqual(await list(rootfs), ['a', 'a/keep', 'b', 'b/new', 'c', 'c/deep', 'c/deep/new']);
  });

  it('writes through links inside the root, as a running container would', async () => {
    const client = await OneImage.of(
      [directory('usr/lib'), symlink('lib', 'usr/lib'), symlink('abs', '/usr/lib')],
      [file('lib/a', '1'), file('abs/b', '2')],
    );
    const { rootfs } = await unpack(client);
    assert.equal(await readFile(join(rootfs, 'usr/lib/a'), 'utf8'), '1');
    assert.equal(await readFile(join(rootfs, 'usr/lib/b'), 'utf8'), '2');
    assert.equal(await readlink(join(rootfs, 'abs')), 'usr/lib', 'an absolute link stays inside the root');
  });

  it('replaces a file by a directory and the other way round', async () => {
    const client = await OneImage.of([file('a'), file('b/x')], [file('a/x'), file('b')]);
    assert.deepEqual(await list((await unpack(client)).rootfs), ['a', 'a/x', 'b']);
  });

  it('takes the last word of one layer on a path', async () => {
    const client = await OneImage.of([
      file('d/twice', 'one'),
      file('d/twice', 'two'),
      file('d/file'),
      file('d/file/now/a/directory', 'x'),
      file('d/tree/x'),
      symlink('d/tree', 'twice'),
      file('d/e/x'),
      symlink('d/link', 'e'),
      file('d/link/y', 'through the link'),
    ]);
    const { rootfs } = await unpack(client);
    assert.deepEqual(
      [await readFile(join(rootfs, 'd/tree'), 'utf8'), await readFile(join(rootfs, 'd/e/y'), 'utf8')],
      ['two', 'through the link'],
    );
    assert.equal(await readFile(join(rootfs, 'd/file/now/a/directory'), 'utf8'), 'x');
  });

  it('unpacks many small files whole', async () => {
    const many = Array.from({ length: 500 }, (_, index) => file(`m/${index % 7}/f${index}`, `content ${index}`));
    const { rootfs } = await unpack(await OneImage.of(many));
    for (const { name, content } of many) assert.equal(await readFile(join(rootfs, name), 'utf8'), content);
  });

  const escapes: { name: string; layers: Entry[][] }[] = [
    { name: 'a path with ..', layers: [[file('../evil')]] },
    { name: 'a path with .. inside', layers: [[file('a/../../evil')]] },
    { name: 'a link above the root', layers: [[symlink('up', '../../evil')]] },
    { name: 'a hard link above the root', layers: [[{ name: 'x', type: 'link', linkname: '../../etc/passwd' }]] },
    { name: 'a loop of links', layers: [[symlink('a', 'b'), symlink('b', 'a'), file('a/x')]] },
    { name: 'a whiteout above the root', layers: [[file('../.wh.x')]] },
    { name: 'a whiteout of ..', layers: [[file('a/.wh...')]] },
  ];
  for (const { name, layers } of escapes)
    it(`refuses ${name}`, async () => {
      const client = await OneImage.of(...layers);
      await assert.rejects(unpack(client), (error: unknown) => isAppError(error, 'corrupt-data'));
      const path = join(dir, String(count));
      assert.deepEqual([await readdir(join(path, 'roots')), await readdir(join(path, 'tmp'))], [[], []]);
    });

  it('refuses content that is not what the config says, broken archives and too much', async () => {
    const lying = await OneImage.of([file('x')]);
    lying.lieAboutContent = true;
    await assert.rejects(unpack(lying), /a layer has the content/);
    const broken = new OneImage();
    broken.add(Buffer.from('this is no tar archive'.repeat(40)));
    await assert.rejects(unpack(broken), (error: unknown) => isAppError(error, 'corrupt-data'));
    const many = await OneImage.of([file('a'), file('b'), file('c')]);
    const limits = { maxEntries: 2, maxBytes: 1e6 };
    const store = await createImageStore({ dir: join(dir, 'many'), client: many, logger: silentLogger, limits });
    await assert.rejects(store.ensure(ref, signal), (error: unknown) => isAppError(error, 'limit'));
  });

  it('asks nobody for an image it knows by digest, even after a restart', async () => {
    const client = await OneImage.of([file('x')]);
    const { path, rootfs } = await unpack(client);
    const { digest } = await client.image();
    client.reads.length = 0;
    const again = await createImageStore({ dir: path, client, logger: silentLogger });
    const found = await again.ensure({ ...ref, tag: undefined, digest }, signal);
    assert.deepEqual([found.rootfs, found.config.config.Cmd, client.reads], [rootfs, ['run'], []]);
  });

  it('asks the registry for a tag as the policy says', async () => {
    const client = await OneImage.of([file('x')]);
    const { store } = await unpack(client);
    const asked = async (policy: 'Always' | 'IfNotPresent' | 'Never', tag = '1') => {
      client.reads.length = 0;
      await store.ensure({ ...ref, tag }, signal, policy);
      return client.reads;
    };
    assert.deepEqual(await asked('Always'), ['image']);
    assert.deepEqual(await asked('IfNotPresent'), []);
    assert.deepEqual(await asked('Never'), []);
    await assert.rejects(asked('Never', '2'), (error: unknown) => isAppError(error, 'not-found'));
    assert.deepEqual(await asked('IfNotPresent', '2'), ['image']);
    assert.deepEqual(await asked('Never', '2'), []);
  });

  it('lets concurrent callers share one pull, and one of them leave', async () => {
    const client = await OneImage.of([file('x')]);
    const store = await createImageStore({ dir: join(dir, 'shared'), client, logger: silentLogger });
    const leaving = new AbortController();
    const calls = [store.ensure(ref, leaving.signal), ...Array.from({ length: 5 }, () => store.ensure(ref, signal))];
    leaving.abort();
    const [left, ...stayed] = await Promise.allSettled(calls);
    assert.deepEqual([left?.status, stayed.map(({ status }) => status)], ['rejected', Array(5).fill('fulfilled')]);
    assert.deepEqual(client.reads, ['image', 'blob']);
  });

  it('starts from the unpacked big base that two images have in common, without copying it', async () => {
    const big = await tarOf([file('big', 'x'.repeat(9 * 1024 * 1024)), file('small', 's')]);
    const roots: string[] = [];
    const reads: number[] = [];
    for (const content of ['one', 'two']) {
      const client = new OneImage();
      client.add(big, mediaTypes.ociLayer);
      client.add(await tarOf([file('app', content)]));
      const store = await createImageStore({ dir: join(dir, 'based'), client, logger: silentLogger });
      roots.push((await store.ensure(ref, signal)).rootfs);
      reads.push(client.reads.length);
    }
    assert.deepEqual(reads, [3, 2], 'the base is read once');
    const [one, two] = await Promise.all(roots.map((root) => stat(join(root, 'big'))));
    assert.equal(one?.ino, two?.ino);
    const [small, other] = await Promise.all(roots.map((root) => stat(join(root, 'small'))));
    assert.notEqual(small?.ino, other?.ino, 'small files are their own');
  });

  it('drops what a killed process left half done', async () => {
    const path = join(dir, 'killed');
    await mkdir(join(path, 'tmp', 'root-x'), { recursive: true });
    await mkdir(join(path, 'images'), { recursive: true });
    const client = await OneImage.of([file('x', 'whole')]);
    const { digest } = await client.image();
    await writeFile(join(path, 'images', `${digest.replace(':', '-')}.json`), '{"half');
    const store = await createImageStore({ dir: path, client, logger: silentLogger });
    const { rootfs } = await store.ensure({ ...ref, digest }, signal);
    assert.equal(await readFile(join(rootfs, 'x'), 'utf8'), 'whole');
    assert.deepEqual(await readdir(join(path, 'tmp')), []);
  });
});
