import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Clock } from '#base/clock.ts';
import { type Digest, digestOf, parseDigest } from '#base/digest.ts';
import { AppError, isAppError } from '#base/errors.ts';
import { getArray, parseJson } from '#base/json.ts';
import type { Logger } from '#base/log.ts';
import { readBlob } from './blob-stream.ts';
import { choosePlatform, manifestAccept, type Platform, parseImageConfig, parseManifest } from './manifest.ts';
import type { Descriptor, ImageRef, PulledManifest, RegistryClient, RegistryCredentials } from './port.ts';
import { pushBlob } from './push-blob.ts';
import { formatReference, referencePart, registryUrl } from './reference.ts';
import { RegistrySession } from './registry-session.ts';

export interface RegistryClientOptions {
  credentials?: (registry: string, signal: AbortSignal) => Promise<RegistryCredentials | undefined>;
  /** Registry name to the URL that is asked first for what is pulled from it; pushes go to the registry itself. */
  mirrors?: Record<string, string>;
  clock: Clock;
  logger: Logger;
  /** Which image of an index is meant; this machine's by default. */
  platform?: Platform;
  /** Tries of one request before a transient failure counts. */
  attempts?: number;
  /** Connections of the caller's, who closes them. */
  dispatcher?: Dispatcher;
  /** What is read is asked for by plain HTTP, for registries that do not speak TLS. */
  plainHttp?: boolean;
}

/** One place a registry's content may be read from. */
interface Place {
  registry: string;
  base: string;
}

const pullScope = (ref: ImageRef) => `repository:${ref.repository}:pull`;

/** A client of any registry. Content is verified against its digest; disposing closes the connections. */
export function createRegistryClient(options: RegistryClientOptions): RegistryClient & AsyncDisposable {
  const { clock, logger, credentials = async () => undefined, mirrors = {}, attempts = 4 } = options;
  const platform = options.platform ?? thisPlatform();
  const session = new RegistrySession({ clock, logger, credentials, attempts, dispatcher: options.dispatcher });
  const baseOf = (registry: string) => (options.plainHttp ? `http://${registry}` : registryUrl(registry));
  const places = (ref: ImageRef): Place[] => {
    const mirror = mirrors[ref.registry];
    const origin = { registry: ref.registry, base: baseOf(ref.registry) };
    return mirror === undefined ? [origin] : [{ registry: new URL(mirror).host, base: mirror }, origin];
  };

  async function manifest(ref: ImageRef, signal: AbortSignal): Promise<PulledManifest | undefined> {
    return await firstFound(places(ref), (place) => manifestAt(session, place, { ref, signal }));
  }

  async function blob(ref: ImageRef, descriptor: Descriptor, signal: AbortSignal): Promise<Readable> {
    const opened = await firstFound(places(ref), (place) => openBlob(session, place, { ref, descriptor, signal }));
    if (!opened) throw new AppError('not-found', `blob ${descriptor.digest} of ${formatReference(ref)} does not exist`);
    let first: AsyncIterable<Uint8Array> | undefined = opened.body;
    const source = {
      open: async (firstByte: number) => {
        if (first) {
          const body = first;
          first = undefined;
          return { body, resumed: true };
        }
        const again = await openBlob(session, opened.place, { ref, descriptor, signal, firstByte });
        if (!again) throw new AppError('not-found', `blob ${descriptor.digest} of ${formatReference(ref)} has gone`);
        return again;
      },
      beforeRetry: async (tryNumber: number, cause: AppError) => {
        if (tryNumber >= attempts) throw cause;
        logger.debug({ digest: descriptor.digest, tryNumber }, cause.message);
        await clock.sleep(100 * 2 ** (tryNumber - 1), signal);
      },
    };
    return Readable.from(readBlob(source, descriptor, signal), { objectMode: false, highWaterMark: 1 << 20 });
  }

  async function image(ref: ImageRef, signal: AbortSignal) {
    const what = formatReference(ref);
    const top = await manifest(ref, signal);
    if (!top)
      throw new AppError('not-found', `image ${what} does not exist`, {
        hint: 'check the tag, or push the image first',
      });
    let bottom = top;
    let parsed = parseManifest(top.bytes, what);
    for (let depth = 0; parsed.kind === 'index'; depth += 1) {
      if (depth >= 3) throw new AppError('corrupt-data', `${what} is an index of indexes without an image`);
      const chosen = choosePlatform(parsed.manifests, platform, what);
      const next = await manifest({ ...ref, tag: undefined, digest: chosen.digest }, signal);
      if (!next) throw new AppError('not-found', `${what} lists ${chosen.digest}, which does not exist`);
      bottom = next;
      parsed = parseManifest(next.bytes, what);
    }
    const bytes: Buffer[] = [];
    for await (const chunk of await blob(ref, parsed.config, signal)) bytes.push(Buffer.from(chunk));
    const config = parseImageConfig(Buffer.concat(bytes), what);
    return { digest: top.digest, manifestDigest: bottom.digest, config, layers: parsed.layers };
  }

  async function hasBlob(ref: ImageRef, digest: Digest, signal: AbortSignal): Promise<boolean> {
    const path = `/v2/${ref.repository}/blobs/${digest}`;
    const ask = { registry: ref.registry, base: baseOf(ref.registry), scope: pullScope(ref) };
    const response = await session.send({ ...ask, method: 'HEAD', path, accept: [404] }, signal);
    await response.body.dump();
    return response.status === 200;
  }

  async function pushManifest(
    ref: ImageRef,
    { mediaType, bytes }: { mediaType: string; bytes: Buffer },
    signal: AbortSignal,
  ) {
    const digest = digestOf(bytes);
    const response = await session.send(
      {
        registry: ref.registry,
        base: baseOf(ref.registry),
        method: 'PUT',
        path: `/v2/${ref.repository}/manifests/${ref.digest ?? ref.tag ?? digest}`,
        scope: `repository:${ref.repository}:pull,push`,
        headers: { 'content-type': mediaType },
        body: bytes,
      },
      signal,
    );
    await response.body.dump();
    return digest;
  }

  return {
    manifest,
    image,
    blob,
    hasBlob,
    pushBlob: (ref, { digest, size, open, mountFrom, mountRegistry = ref.registry }, signal) => {
      const mirror = mirrors[mountRegistry];
      const here = mountRegistry === ref.registry || (mirror !== undefined && new URL(mirror).host === ref.registry);
      const mount = here && mountFrom !== undefined ? { mountFrom } : {};
      return pushBlob(session, { ref, digest, size, open, ...mount }, signal);
    },
    pushManifest,
    tags: (ref, signal) => listTags(session, { registry: ref.registry, base: baseOf(ref.registry) }, { ref, signal }),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** Asks one place after the other; the last one's error or absence is the answer, unless an earlier one could not be asked. */
async function firstFound<T>(places: Place[], ask: (place: Place) => Promise<T | undefined>): Promise<T | undefined> {
  let failure: unknown;
  for (const [index, place] of places.entries()) {
    try {
      const found = await ask(place);
      if (found !== undefined) return found;
      failure = undefined;
    } catch (error) {
      if (!isAppError(error)) throw error;
      if (index < places.length - 1) failure = error;
      else throw new AppError(error.code, error.message, { hint: error.hint, cause: failure ?? error.cause });
    }
  }
  return undefined;
}

interface ManifestAsk {
  ref: ImageRef;
  signal: AbortSignal;
}

async function manifestAt(session: RegistrySession, place: Place, { ref, signal }: ManifestAsk) {
  const reference = referencePart(ref);
  const response = await session.read(
    {
      ...place,
      method: 'GET',
      path: `/v2/${ref.repository}/manifests/${reference}`,
      scope: pullScope(ref),
      headers: { accept: manifestAccept },
      accept: [404],
    },
    signal,
  );
  if (response.status === 404) return undefined;
  const digest = digestOf(response.bytes);
  const told = parseDigest(String(response.headers['docker-content-digest'] ?? ''));
  const expected = ref.digest ?? told;
  if (expected !== undefined && expected !== digest)
    throw new AppError(
      'corrupt-data',
      `${formatReference(ref)} came with other content: ${digest} instead of ${expected}`,
    );
  const mediaType = String(response.headers['content-type'] ?? '').split(';')[0] ?? '';
  return { digest, mediaType, bytes: response.bytes };
}

interface BlobAsk extends ManifestAsk {
  descriptor: Descriptor;
  firstByte?: number;
}

async function openBlob(session: RegistrySession, place: Place, ask: BlobAsk) {
  const { ref, descriptor, signal, firstByte = 0 } = ask;
  const headers = firstByte > 0 ? { range: `bytes=${firstByte}-` } : {};
  let path = `/v2/${ref.repository}/blobs/${descriptor.digest}`;
  for (let redirects = 0; redirects <= 5; redirects += 1) {
    const request = { ...place, method: 'GET' as const, path, scope: pullScope(ref), headers, accept: [404] };
    const response = await session.send(request, signal);
    if (response.status < 300)
      return { body: response.body, resumed: response.status === 206 || firstByte === 0, place };
    await response.body.dump();
    if (response.status === 404) return undefined;
    path = new URL(String(response.headers['location'] ?? ''), new URL(path, place.base)).href;
  }
  throw new AppError('unavailable', `registry ${place.registry} redirects blob ${descriptor.digest} again and again`);
}

const maxTagPages = 1000;

async function listTags(session: RegistrySession, place: Place, { ref, signal }: ManifestAsk): Promise<string[]> {
  const tags: string[] = [];
  let path: string | undefined = `/v2/${ref.repository}/tags/list?n=1000`;
  for (let page = 0; path !== undefined; page += 1) {
    if (page >= maxTagPages)
      throw new AppError('limit', `${ref.registry}/${ref.repository} has over ${maxTagPages} pages of tags`);
    const response = await session.read({ ...place, method: 'GET', path, scope: pullScope(ref) }, signal);
    const listed = getArray(parseJson(response.bytes.toString('utf8'), `the tags of ${ref.repository}`), 'tags');
    tags.push(...listed.filter((tag) => typeof tag === 'string'));
    const next: string | undefined = /<([^>]+)>;\s*rel="?next"?/.exec(String(response.headers['link'] ?? ''))?.[1];
    path = next === undefined ? undefined : new URL(next, new URL(path, place.base)).href;
  }
  return tags;
}

/** What images for the machine we run on are called. */
export function thisPlatform(): Platform {
  const names: Record<string, string> = { x64: 'amd64', ia32: '386' };
  return { os: 'linux', architecture: names[process.arch] ?? process.arch };
}
