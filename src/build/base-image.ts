import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { Readable } from 'node:stream';
import { type Digest, digestOf } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import { getArray, parseJson } from '#base/json.ts';
import { choosePlatform, type Platform, parseDescriptor, parseImageConfig, parseManifest } from '#oci/manifest.ts';
import type { Descriptor, ImageConfig, ImageRef, RegistryClient } from '#oci/port.ts';
import { parseReference } from '#oci/reference.ts';

export interface BaseImage {
  config: ImageConfig;
  layers: Descriptor[];
  /** Opens a layer's compressed bytes; nothing is read before the stream is. */
  open(layer: Descriptor): NodeJS.ReadableStream;
  /** Where the layers are, when that is a registry: they can be mounted from there. */
  ref: ImageRef | undefined;
  digest: Digest | undefined;
}

export interface BaseOptions {
  /** `scratch`, `oci-layout:DIRECTORY[:TAG]` below the context, or an image reference. */
  image: string;
  context: string;
  client: Pick<RegistryClient, 'image' | 'blob'>;
  platform: Platform;
}

/** Finds what a Dockerfile's FROM names. The layers stay where they are; only manifest and config are read. */
export async function resolveBase(options: BaseOptions, signal: AbortSignal): Promise<BaseImage> {
  const { image, client, platform } = options;
  if (image === 'scratch') return scratch(platform);
  if (image.startsWith('oci-layout:')) return await readLayout(options, image.slice('oci-layout:'.length));
  const ref = parseReference(image);
  const found = await client.image(ref, signal);
  return {
    config: found.config,
    layers: found.layers,
    open: (layer) => Readable.from(streamBlob(client, { ref, layer, signal }), { objectMode: false }),
    ref,
    digest: found.manifestDigest,
  };
}

async function* streamBlob(
  client: Pick<RegistryClient, 'blob'>,
  { ref, layer, signal }: { ref: ImageRef; layer: Descriptor; signal: AbortSignal },
): AsyncGenerator<string | Buffer> {
  yield* await client.blob(ref, layer, signal);
}

function scratch(platform: Platform): BaseImage {
  return {
    config: { ...platform, config: {}, rootfs: { type: 'layers', diff_ids: [] }, history: [] },
    layers: [],
    open: () => Readable.from([]),
    ref: undefined,
    digest: undefined,
  };
}

async function readLayout(options: BaseOptions, text: string): Promise<BaseImage> {
  const colon = text.lastIndexOf(':');
  const path = colon > text.lastIndexOf('/') ? text.slice(0, colon) : text;
  const tag = path === text ? undefined : text.slice(colon + 1);
  const directory = isAbsolute(path) ? path : join(options.context, path);
  const index = parseJson(await readLayoutFile(directory, 'index.json').then(String), `${directory}/index.json`);
  const entries = getArray(index, 'manifests').map((entry) => parseDescriptor(entry, directory));
  const named = entries.filter((entry) => entry.annotations?.['org.opencontainers.image.ref.name'] === tag);
  const fitting = tag === undefined ? entries : named;
  if (fitting.length === 0)
    throw new AppError(
      'not-found',
      `the OCI layout ${directory} has no image${tag === undefined ? '' : ` with the tag ${tag}`}`,
    );
  if (fitting.length > 1 && fitting.some((entry) => entry.platform === undefined))
    throw new AppError('bad-input', `the OCI layout ${directory} has several images`, {
      hint: `write oci-layout:${path}:TAG to name one`,
    });
  let chosen = fitting.length > 1 ? choosePlatform(fitting, options.platform, directory) : fitting[0];
  for (let depth = 0; chosen && depth < 4; depth += 1) {
    const manifest = parseManifest(await readBlobFile(directory, chosen), directory);
    if (manifest.kind === 'index') {
      chosen = choosePlatform(manifest.manifests, options.platform, directory);
      continue;
    }
    const config = parseImageConfig(await readBlobFile(directory, manifest.config), directory);
    const open = (layer: Descriptor) => createReadStream(blobFile(directory, layer));
    return { config, layers: manifest.layers, open, ref: undefined, digest: chosen.digest };
  }
  throw new AppError('corrupt-data', `the OCI layout ${directory} is an index of indexes without an image`);
}

function blobFile(directory: string, descriptor: Descriptor): string {
  return join(directory, 'blobs', ...descriptor.digest.split(':'));
}

async function readBlobFile(directory: string, descriptor: Descriptor): Promise<Buffer> {
  const bytes = await readLayoutFile(directory, join('blobs', ...descriptor.digest.split(':')));
  if (digestOf(bytes) !== descriptor.digest)
    throw new AppError('corrupt-data', `blob ${descriptor.digest} of the OCI layout ${directory} has other content`);
  return bytes;
}

async function readLayoutFile(directory: string, name: string): Promise<Buffer> {
  return await readFile(join(directory, name)).catch((cause: unknown) => {
    throw new AppError('bad-input', `${directory} is not a whole OCI image layout: ${name} cannot be read`, { cause });
  });
}
