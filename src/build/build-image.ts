import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { Clock } from '#base/clock.ts';
import { type Digest, digestOf } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import type { JsonObject } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import { mediaTypes, type Platform } from '#oci/manifest.ts';
import type { Descriptor, ImageRef, RegistryClient } from '#oci/port.ts';
import { formatReference, parseReference } from '#oci/reference.ts';
import { thisPlatform } from '#oci/registry-client.ts';
import { type Accounts, readAccounts } from './base-accounts.ts';
import { type BaseImage, resolveBase } from './base-image.ts';
import { BuildContext } from './build-context.ts';
import { parseDockerfile } from './dockerfile.ts';
import { type ImagePlan, planImage } from './image-plan.ts';
import { type BuiltLayer, writeLayer } from './layer.ts';

export interface BuildImageOptions {
  /** Directory of the build context. */
  context: string;
  /** Path of the Dockerfile, relative to the context; `Dockerfile` by default. */
  dockerfile?: string;
  /** Full references; none is needed when nothing is pushed. */
  tags: string[];
  labels?: Record<string, string>;
  /** Variables set in the image after the Dockerfile's own. */
  buildEnv?: Record<string, string>;
  push: boolean;
  platform?: Platform;
  /** RFC 3339 time for the image's `created`; the epoch by default, so that equal inputs give equal digests. */
  created?: string;
  client: RegistryClient;
  clock: Clock;
  logger: Logger;
  /** Existing directory for the layers under way. */
  workDir: string;
}

export interface BuiltImage {
  /** Of the image manifest. */
  digest: Digest;
  tags: string[];
  layers: { digest: Digest; size: number }[];
  baseDigest: Digest | undefined;
  timings: { baseMs: number; layersMs: number; pushMs: number };
}

/** Where one part of the image comes from when a registry does not have it. */
interface Part {
  descriptor: Descriptor;
  open: () => NodeJS.ReadableStream;
}

/**
 * Builds an image without a container engine from a Dockerfile that copies and configures, and pushes it under every tag.
 * Equal inputs give equal digests. Throws `unsupported` naming line and instruction where an engine is needed.
 */
export async function buildImage(options: BuildImageOptions, signal: AbortSignal): Promise<BuiltImage> {
  const { clock, client, logger } = options;
  const platform = options.platform ?? thisPlatform();
  const refs = options.tags.map(parseReference);
  if (options.push && refs.length === 0)
    throw new AppError('bad-input', 'an image that is pushed needs at least one tag');
  const startedAt = clock.now();
  const file = resolve(options.context, options.dockerfile ?? 'Dockerfile');
  const dockerfile = parseDockerfile(await readDockerfile(file));
  const context = await BuildContext.open(options.context, file);
  const base = await resolveBase({ image: dockerfile.from.image, context: context.root, client, platform }, signal);
  let accounts: Promise<Accounts> | undefined;
  const readOnce = () => {
    accounts ??= readAccounts(base, signal);
    return accounts;
  };
  const start = { config: base.config, empty: base.layers.length === 0, accounts: readOnce };
  const plan = await planImage(dockerfile, start, context);
  const baseAt = clock.now();
  const work = await mkdtemp(join(options.workDir, 'build-'));
  try {
    const layers: BuiltLayer[] = [];
    for (const [index, layer] of plan.layers.entries())
      layers.push(await writeLayer(layer.entries, { file: join(work, `${index}.tar.gz`), compress: true }, signal));
    const image = assemble(options, { base, plan, layers });
    const layersAt = clock.now();
    if (options.push) await pushImage(client, { refs, ...image }, signal);
    const pushedAt = clock.now();
    const timings = { baseMs: baseAt - startedAt, layersMs: layersAt - baseAt, pushMs: pushedAt - layersAt };
    const digest = digestOf(image.manifest);
    logger.info({ digest, tags: options.tags, ...timings }, 'image built');
    const built = layers.map(({ digest, size }) => ({ digest, size }));
    return { digest, tags: refs.map(formatReference), layers: built, baseDigest: base.digest, timings };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function readDockerfile(file: string): Promise<string> {
  return await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new AppError('bad-input', `the Dockerfile ${file} cannot be read`, {
      hint: 'name it by its path relative to the build context',
      cause,
    });
  });
}

function assemble(options: BuildImageOptions, made: { base: BaseImage; plan: ImagePlan; layers: BuiltLayer[] }) {
  const { base, layers } = made;
  const config = configDocument(options, made);
  const baseLayers = base.layers.map((layer) => ({ ...layer, mediaType: ociLayerType(layer.mediaType) }));
  const ownLayers = layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size }));
  const configDescriptor = { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length };
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: configDescriptor,
      layers: [...baseLayers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })), ...ownLayers],
    }),
  );
  const parts: Part[] = [
    { descriptor: configDescriptor, open: () => Readable.from([config]) },
    ...layers.map((layer) => ({ descriptor: layer, open: () => createReadStream(layer.file) })),
    ...base.layers.map((layer) => ({ descriptor: layer, open: () => base.open(layer) })),
  ];
  return { manifest, parts, base };
}

function configDocument(
  options: BuildImageOptions,
  { base, plan, layers }: { base: BaseImage; plan: ImagePlan; layers: BuiltLayer[] },
): Buffer {
  const created = options.created ?? '1970-01-01T00:00:00Z';
  const labels = { ...plan.config.Labels, ...options.labels };
  const environment = { ...variablesOf(plan.config.Env ?? []), ...options.buildEnv };
  const env = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const history: JsonObject[] = plan.layers.map(({ createdBy }) => ({ created, created_by: createdBy }));
  return Buffer.from(
    JSON.stringify({
      created,
      architecture: base.config.architecture,
      os: base.config.os,
      config: {
        ...plan.config,
        ...(env.length > 0 ? { Env: env } : {}),
        ...(Object.keys(labels).length > 0 ? { Labels: labels } : {}),
      },
      rootfs: { type: 'layers', diff_ids: [...base.config.rootfs.diff_ids, ...layers.map(({ diffId }) => diffId)] },
      history: [...(base.config.history ?? []), ...history],
    }),
  );
}

function variablesOf(env: string[]): Record<string, string> {
  return Object.fromEntries(
    env.map((entry) => {
      const equals = entry.indexOf('=');
      return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
    }),
  );
}

/** The same bytes under their OCI name: an OCI manifest must not mix Docker's types in. */
function ociLayerType(mediaType: string): string {
  if (mediaType === mediaTypes.dockerLayerGzip) return mediaTypes.ociLayerGzip;
  if (mediaType === mediaTypes.dockerLayer) return mediaTypes.ociLayer;
  return mediaType;
}

/** Pushes the parts into every repository named, then the manifest under every tag: no tag shows before all is there. */
async function pushImage(
  client: RegistryClient,
  image: { refs: ImageRef[]; manifest: Buffer; parts: Part[]; base: BaseImage },
  signal: AbortSignal,
): Promise<void> {
  const { ref: from } = image.base;
  const mount = from ? { mountFrom: from.repository, mountRegistry: from.registry } : {};
  const repositories = new Map(image.refs.map((ref) => [`${ref.registry}/${ref.repository}`, ref]));
  for (const ref of repositories.values()) {
    const push = ({ descriptor, open }: Part) => {
      const { digest, size } = descriptor;
      return client.pushBlob(ref, { digest, size, open, ...mount }, signal);
    };
    // One before the others: it gets the token that serves them all.
    const [first, ...others] = image.parts;
    if (first) await push(first);
    await Promise.all(others.map(push));
  }
  for (const ref of image.refs)
    await client.pushManifest(ref, { mediaType: mediaTypes.ociManifest, bytes: image.manifest }, signal);
}
