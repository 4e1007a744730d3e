import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assert } from '#base/assert.ts';
import { type Digest, parseDigest, sha256Hex } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import { parseJson } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import { applyLayer, type LayerLimits } from './apply-layer.ts';
import { cloneTree } from './clone-tree.ts';
import { lstatIfPresent } from './layer-path.ts';
import { parseImageConfig } from './manifest.ts';
import type { Descriptor, ImageConfig, ImageRef, RegistryClient, UnpackedImage } from './port.ts';
import { formatReference } from './reference.ts';
import { SingleFlight } from './single-flight.ts';

export interface ImageStore {
  /**
   * The image on disk, pulled and unpacked unless it is there. A reference with a digest that is there asks no registry;
   * for one with a tag the policy decides.
   */
  ensure(ref: ImageRef, signal: AbortSignal, policy?: PullPolicy): Promise<UnpackedImage>;
}

/** As Kubernetes names them: `Always` (the default) asks what a tag means now, `IfNotPresent` takes what it last meant here. */
export type PullPolicy = 'Always' | 'IfNotPresent' | 'Never';

export interface ImageStoreOptions {
  dir: string;
  client: Pick<RegistryClient, 'image' | 'blob'>;
  logger: Logger;
  limits?: Partial<LayerLimits>;
}

/** A layer at least this big gets a snapshot after it, for the next image on the same base to start from. */
const snapshotFromBytes = 8 * 1024 * 1024;

type PulledImage = Awaited<ReturnType<RegistryClient['image']>>;

interface Step {
  descriptor: Descriptor;
  diffId: string;
  /** Names the root after this layer: a hash over all layers up to it. */
  chain: string;
}

/**
 * Images as directories, each complete or not there: they are made beside and renamed. Opening drops what a killed
 * process left half done. One process at a time may own `dir`.
 */
export async function createImageStore(options: ImageStoreOptions): Promise<ImageStore> {
  const { dir, client, logger } = options;
  const limits = { maxEntries: 500_000, maxBytes: 20 * 1024 ** 3, ...options.limits };
  const flights = new SingleFlight<UnpackedImage>();
  const temporary = join(dir, 'tmp');
  await rm(temporary, { recursive: true, force: true });
  for (const path of [temporary, ...['roots', 'images', 'references'].map((name) => join(dir, name))])
    await mkdir(path, { recursive: true });
  // Node looks above a program for what kind of package it is in: for an image's programs the search ends here.
  await writeFile(join(dir, 'package.json'), '{}\n');
  const rootPath = (chain: string) => join(dir, 'roots', chain);

  async function known(digest: Digest): Promise<UnpackedImage | undefined> {
    const record = await readRecord(imagePath(dir, digest));
    if (record === undefined) return undefined;
    const config = parseImageConfig(Buffer.from(record), digest);
    const rootfs = rootPath(chainIds(config.rootfs.diff_ids).at(-1) ?? emptyChain);
    return (await lstatIfPresent(rootfs)) ? { digest, config, rootfs } : undefined;
  }

  async function pull(ref: ImageRef, policy: PullPolicy, signal: AbortSignal): Promise<UnpackedImage> {
    const last = ref.digest ?? (policy === 'Always' ? undefined : await lastDigest(dir, ref));
    const present = last ? await known(last) : undefined;
    if (present) return present;
    if (policy === 'Never')
      throw new AppError('not-found', `image ${formatReference(ref)} is not present, and its pull policy is Never`);
    const image = await client.image(ref, signal);
    const unpacked = (await known(image.digest)) ?? (await unpack(ref, image, signal));
    await replaceFile(referencePath(dir, ref), image.digest);
    return unpacked;
  }

  async function unpack(ref: ImageRef, image: PulledImage, signal: AbortSignal): Promise<UnpackedImage> {
    const steps = planSteps(ref, image);
    const rootfs = await buildRoot(ref, steps, signal);
    await replaceFile(imagePath(dir, image.digest), JSON.stringify(image.config));
    logger.info({ image: formatReference(ref), digest: image.digest, layers: steps.length }, 'image unpacked');
    return { digest: image.digest, config: image.config, rootfs };
  }

  /** A reader sees the old file or the new one. */
  async function replaceFile(path: string, content: string): Promise<void> {
    const work = await mkdtemp(join(temporary, 'file-'));
    await writeFile(join(work, 'content'), content);
    await rename(join(work, 'content'), path);
    await rm(work, { recursive: true });
  }

  async function buildRoot(ref: ImageRef, steps: Step[], signal: AbortSignal): Promise<string> {
    const done = rootPath(steps.at(-1)?.chain ?? emptyChain);
    if (await lstatIfPresent(done)) return done;
    const work = await mkdtemp(join(temporary, 'root-'));
    const root = join(work, 'rootfs');
    try {
      const start = await nearest(steps);
      const base = steps[start - 1];
      if (base) await cloneTree(rootPath(base.chain), root, signal);
      else await mkdir(root, { mode: 0o755 });
      for (const [offset, step] of steps.slice(start).entries()) {
        const open = () => client.blob(ref, step.descriptor, signal);
        await applyLayer(root, { mediaType: step.descriptor.mediaType, open, diffId: step.diffId }, { limits, signal });
        const last = start + offset === steps.length - 1;
        if (!last && step.descriptor.size >= snapshotFromBytes)
          await snapshot(root, { work, chain: step.chain, signal });
      }
      await publish(root, done);
      return done;
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }

  /** How many layers from the start are unpacked already. */
  async function nearest(steps: Step[]): Promise<number> {
    for (let count = steps.length; count > 0; count -= 1) {
      const step = steps[count - 1];
      if (step && (await lstatIfPresent(rootPath(step.chain)))) return count;
    }
    return 0;
  }

  async function snapshot(root: string, target: { work: string; chain: string; signal: AbortSignal }): Promise<void> {
    const copy = join(target.work, target.chain);
    await cloneTree(root, copy, target.signal);
    await publish(copy, rootPath(target.chain));
  }

  return {
    ensure: (ref, signal, policy = 'Always') =>
      flights.run(`${policy} ${formatReference(ref)}`, (shared) => pull(ref, policy, shared), signal),
  };
}

const emptyChain = sha256Hex('');

function imagePath(dir: string, digest: Digest): string {
  return join(dir, 'images', `${digest.replace(':', '-')}.json`);
}

function referencePath(dir: string, ref: ImageRef): string {
  return join(dir, 'references', sha256Hex(formatReference(ref)));
}

/** What a tag meant when it was last pulled. */
async function lastDigest(dir: string, ref: ImageRef): Promise<Digest | undefined> {
  return parseDigest((await textIfPresent(referencePath(dir, ref))) ?? '');
}

/** Names of the roots after each layer, as the OCI image specification chains layer digests. */
function chainIds(diffIds: string[]): string[] {
  const chains: string[] = [];
  for (const diffId of diffIds) {
    const parent = chains.at(-1);
    chains.push(parent === undefined ? diffId.replace(/^sha256:/, '') : sha256Hex(`sha256:${parent} ${diffId}`));
  }
  return chains;
}

function planSteps(ref: ImageRef, image: { config: ImageConfig; layers: Descriptor[] }): Step[] {
  const diffIds = image.config.rootfs.diff_ids;
  if (diffIds.length !== image.layers.length || diffIds.some((diffId) => !/^sha256:[0-9a-f]{64}$/.test(diffId)))
    throw new AppError(
      'corrupt-data',
      `the config and the manifest of ${formatReference(ref)} do not list the same layers`,
    );
  const chains = chainIds(diffIds);
  return image.layers.map((descriptor, index) => {
    const diffId = diffIds[index];
    const chain = chains[index];
    assert(diffId !== undefined && chain !== undefined, 'lists of one length');
    return { descriptor, diffId, chain };
  });
}

/** A root that somebody else finished first is as good as ours. */
async function publish(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(await lstatIfPresent(to))) throw error;
  }
}

async function textIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Undefined for a record that is missing, or damaged: then the image is made again. */
async function readRecord(path: string): Promise<string | undefined> {
  const text = await textIfPresent(path);
  try {
    if (text !== undefined) parseJson(text, path);
    return text;
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}
