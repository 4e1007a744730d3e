import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Digest, digestOf } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import { getString, parseJson } from '#base/json.ts';
import { mediaTypes, type Platform } from '#oci/manifest.ts';
import type { RegistryClient } from '#oci/port.ts';
import { parseReference } from '#oci/reference.ts';
import { thisPlatform } from '#oci/registry-client.ts';
import { type LayerEntry, writeLayer } from './layer.ts';

export interface NodeBaseImageOptions {
  /** Path of the node program to put in. */
  nodeBinary: string;
  /** Its version, without `v`, for the image's NODE_VERSION. */
  nodeVersion?: string;
  client: RegistryClient;
  /** Full reference, such as `127.0.0.1:5000/library/node:24-slim`. */
  ref: string;
  platform?: Platform;
  /** Existing directory for the layers under way. */
  workDir: string;
}

const keyAnnotation = 'dev.slipway.node-base.key';
/** Part of the key: raise it when the layers below change. */
const recipe = '3';

/**
 * Makes sure that `ref` is a base image with this node in `/usr/local/bin`, as far as programs of pure JavaScript need
 * one. Does nothing when it is there already, known by the binary's digest.
 */
export async function createNodeBaseImage(
  options: NodeBaseImageOptions,
  signal: AbortSignal,
): Promise<{ digest: Digest; created: boolean }> {
  const { client, nodeBinary } = options;
  const ref = parseReference(options.ref);
  const key = `${recipe}-${await fileDigest(nodeBinary)}`;
  const present = await client.manifest(ref, signal);
  if (
    present &&
    getString(parseJson(present.bytes.toString('utf8'), options.ref), 'annotations', keyAnnotation) === key
  )
    return { digest: present.digest, created: false };
  const { size } = await stat(nodeBinary);
  const work = await mkdtemp(join(options.workDir, 'node-base-'));
  try {
    const node: LayerEntry = { type: 'file', path: 'usr/local/bin/node', file: nodeBinary, size, mode: 0o755 };
    // Not compressed: on one machine that is quicker for all, and the bytes travel only over loopback.
    const layers = await Promise.all([
      writeLayer([node], { file: join(work, 'node.tar'), compress: false }, signal),
      // Uppermost, so that a build that looks for a user by name need not read through the big one.
      writeLayer(systemFiles, { file: join(work, 'system.tar'), compress: false }, signal),
    ]);
    const config = Buffer.from(
      JSON.stringify(
        configDocument(
          options,
          layers.map(({ diffId }) => diffId),
        ),
      ),
    );
    const upload = (part: { digest: Digest; size: number; open: () => NodeJS.ReadableStream }) =>
      client.pushBlob(ref, part, signal);
    const configDescriptor = { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length };
    await Promise.all([
      ...layers.map(({ digest, size, file }) => upload({ digest, size, open: () => createReadStream(file) })),
      upload({ ...configDescriptor, open: () => Readable.from([config]) }),
    ]);
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: configDescriptor,
      layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
      annotations: { [keyAnnotation]: key },
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    return {
      digest: await client.pushManifest(ref, { mediaType: mediaTypes.ociManifest, bytes }, signal),
      created: true,
    };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const directory = (path: string, mode = 0o755): LayerEntry => ({ type: 'directory', path, mode });
const text = (path: string, content: string): LayerEntry => ({
  type: 'file',
  path,
  content: Buffer.from(content),
  mode: 0o644,
});

/** What programs look for in a system that has no package of its own. */
const systemFiles: LayerEntry[] = [
  directory('bin'),
  directory('etc'),
  directory('home'),
  { ...directory('home/node'), uid: 1000, gid: 1000 },
  directory('root', 0o700),
  directory('tmp', 0o1777),
  directory('usr'),
  directory('usr/local'),
  directory('usr/local/bin'),
  directory('var'),
  directory('var/tmp', 0o1777),
  text(
    'etc/passwd',
    'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n',
  ),
  text('etc/group', 'root:x:0:\nnode:x:1000:\nnogroup:x:65534:\n'),
  text('etc/hosts', '127.0.0.1\tlocalhost\n'),
  text('etc/nsswitch.conf', 'hosts: files dns\n'),
];

function configDocument(options: NodeBaseImageOptions, diffIds: Digest[]) {
  const version = options.nodeVersion === undefined ? [] : [`NODE_VERSION=${options.nodeVersion}`];
  return {
    created: '1970-01-01T00:00:00Z',
    ...(options.platform ?? thisPlatform()),
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...version],
      Cmd: ['node'],
    },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: [{ created_by: 'COPY node /usr/local/bin/node' }, { created_by: 'system files' }],
  };
}

async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash).catch((cause: unknown) => {
    throw new AppError('missing-tool', `the node program ${path} cannot be read`, { cause });
  });
  return hash.digest('hex');
}
