import type { Clock } from '#base/clock.ts';
import { parseDigest } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import { getObject, getString } from '#base/json.ts';
import { parseConstraint } from '#base/version.ts';
import { Lru } from '#git/lru.ts';
import { choosePlatform, parseManifest } from '#oci/manifest.ts';
import type { Descriptor, ImageRef, PulledManifest, RegistryClient } from '#oci/port.ts';
import { parseReference } from '#oci/reference.ts';
import { thisPlatform } from '#oci/registry-client.ts';
import type { FileStore } from './file-store.ts';
import { chooseVersion, type FoundArchive, isExactVersion, maxArchiveBytes, newestOf } from './http-charts.ts';
import type { AskOptions, ChartAsk } from './port.ts';
import type { ChartRepository } from './repository.ts';

export interface OciChartsDeps {
  store: FileStore;
  clock: Clock;
  registry: RegistryClient;
  count: (what: 'questions' | 'unchanged' | 'downloads') => void;
  memory: OciMemory;
}

export interface FoundArtifact extends FoundArchive {
  /** Of the manifest that was asked for: what an artifact's revision is. */
  manifest: string;
  /** The archive is a packaged chart: its one folder is the root. */
  packaged: boolean;
}

type KnownArtifact = Omit<FoundArtifact, 'bring'>;

/** Answers of registries by what was asked, as long as they are fresh. */
export class OciMemory {
  readonly tags = new Lru<{ tags: string[]; at: number }>(200_000, ({ tags }) => tags.length + 1);
  readonly found = new Lru<{ artifact: KnownArtifact; at: number }>(10_000, () => 1);
}

const chartConfig = 'application/vnd.cncf.helm.config.v1+json';
const chartLayer = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';
const maxLayers = 10;

/** Where an artifact lies: a chart below the repository's address. */
export function referenceOf(repository: ChartRepository, chart: string): ImageRef {
  const { address } = repository;
  const name = chart === '' ? address : `${address}/${chart}`;
  const ref = parseReference(`${name}:none`);
  return { ...ref, tag: undefined, digest: undefined };
}

/** Finds a chart or an artifact in a registry, and has its archive in the store. */
export async function findOciArtifact(
  deps: OciChartsDeps,
  repository: ChartRepository,
  { ask, options }: { ask: ChartAsk; options: AskOptions },
  signal: AbortSignal,
): Promise<FoundArtifact> {
  const input = { ref: referenceOf(repository, ask.chart), ask, options };
  // An artifact's tag by its very name comes before what the name means as a constraint.
  const literal = ask.chart === '' ? ask.revision : '';
  const named = literal === '' ? undefined : await findTag(deps, repository, { ...input, tag: literal }, signal);
  if (named) return named;
  if (literal !== '' && parseConstraint(literal) === undefined)
    throw notFound(ask, `${placeOf(repository, ask)} has no ${literal}`);
  const tag = await chooseTag(deps, repository, input, signal);
  const found = await findTag(deps, repository, { ...input, tag }, signal);
  if (found) return found;
  throw notFound(ask, `${placeOf(repository, ask)} has no ${tag}`);
}

interface TagAsk {
  ref: ImageRef;
  ask: ChartAsk;
  options: AskOptions;
  tag: string;
}

async function findTag(
  deps: OciChartsDeps,
  repository: ChartRepository,
  { ref, ask, options, tag }: TagAsk,
  signal: AbortSignal,
): Promise<FoundArtifact | undefined> {
  const place = placeOf(repository, ask);
  const key = `artifact ${repository.key} ${ask.chart} ${tag}`;
  const bring = (artifact: KnownArtifact) => ({
    ...artifact,
    bring: (own: AbortSignal) => pull(deps, { ref, manifest: artifact.manifest, place }, own),
  });
  const remembered = deps.memory.found.get(key);
  const known = remembered?.artifact ?? parseArtifact(await deps.store.getRecord(key));
  const there = known && (await deps.store.has(known.digest)) ? known : undefined;
  // A full version of a chart is taken to stay what it was; any other tag may move.
  const fixed = parseDigest(tag) !== undefined || (ask.chart !== '' && isExactVersion(tag.replaceAll('_', '+')));
  const age = deps.clock.now() - (remembered?.at ?? Number.NEGATIVE_INFINITY);
  if (there && (fixed ? !options.again : age < options.maxAgeMs)) return bring(there);
  deps.count('questions');
  const exactRef = parseDigest(tag) ? { ...ref, digest: parseDigest(tag) } : { ...ref, tag };
  const top = await deps.registry.manifest(exactRef, signal);
  if (!top) return undefined;
  const at = deps.clock.now();
  if (there?.manifest === top.digest) {
    deps.count('unchanged');
    deps.memory.found.set(key, { artifact: there, at });
    return bring(there);
  }
  const { layer, packaged } = contentOf(await imageManifest(deps, ref, { top, place }, signal), place);
  const digest = layer.digest.slice('sha256:'.length);
  if (!(await deps.store.has(digest))) await deps.store.put(await pullLayer(deps, { ref, layer, place }, signal));
  const version = ask.chart === '' ? top.digest : tag.replaceAll('_', '+');
  const artifact = { digest, version, manifest: top.digest, packaged };
  deps.memory.found.set(key, { artifact, at });
  await deps.store.putRecord(key, artifact);
  return bring(artifact);
}

function placeOf(repository: ChartRepository, ask: ChartAsk): string {
  return ask.chart === '' ? `the artifact ${repository.address}` : `the chart ${ask.chart} of ${repository.address}`;
}

function notFound(ask: ChartAsk, message: string): AppError {
  return new AppError('not-found', message, {
    hint:
      ask.chart === ''
        ? 'correct spec.source.targetRevision or repoURL'
        : 'correct the version, the chart or repoURL; prereleases count only for a constraint that names one',
  });
}

/** The tag or digest that a revision means; `+` cannot stand in a tag and is written `_`. */
async function chooseTag(
  deps: OciChartsDeps,
  repository: ChartRepository,
  input: { ref: ImageRef; ask: ChartAsk; options: AskOptions },
  signal: AbortSignal,
): Promise<string> {
  const { ref, ask, options } = input;
  const { revision } = ask;
  const place = placeOf(repository, ask);
  if (revision === '')
    throw new AppError('bad-input', `${place} needs a targetRevision: a tag, a digest or a version constraint`);
  if (parseDigest(revision) || (isExactVersion(revision) && !revision.startsWith('v')))
    return revision.replaceAll('+', '_');
  if (parseConstraint(revision) === undefined) return revision.replaceAll('+', '_');
  for (const maxAgeMs of [options.maxAgeMs, 0]) {
    const versions = (await tagsOf(deps, repository, { ref, maxAgeMs }, signal)).map((tag) => tag.replaceAll('_', '+'));
    const version = chooseVersion(revision, versions);
    if (version !== undefined) return version.replaceAll('+', '_');
    if (maxAgeMs === 0) throw notFound(ask, `${place} has no version that "${revision}" allows: ${newestOf(versions)}`);
  }
  return revision;
}

async function tagsOf(
  deps: OciChartsDeps,
  repository: ChartRepository,
  { ref, maxAgeMs }: { ref: ImageRef; maxAgeMs: number },
  signal: AbortSignal,
): Promise<string[]> {
  const key = `${repository.key} ${ref.repository}`;
  const known = deps.memory.tags.get(key);
  if (known && deps.clock.now() - known.at < maxAgeMs) return known.tags;
  deps.count('questions');
  const tags = await deps.registry.tags(ref, signal);
  deps.memory.tags.set(key, { tags, at: deps.clock.now() });
  return tags;
}

async function imageManifest(
  deps: OciChartsDeps,
  ref: ImageRef,
  { top, place }: { top: PulledManifest; place: string },
  signal: AbortSignal,
): Promise<PulledManifest> {
  const parsed = parseManifest(top.bytes, place);
  if (parsed.kind === 'image') return top;
  const chosen = choosePlatform(parsed.manifests, thisPlatform(), place);
  const inner = await deps.registry.manifest({ ...ref, digest: chosen.digest }, signal);
  if (!inner) throw new AppError('not-found', `${place} lists ${chosen.digest}, which does not exist`);
  return inner;
}

/** The one layer with files. Signatures and provenance beside it do not count. */
function contentOf(manifest: PulledManifest, place: string): { layer: Descriptor; packaged: boolean } {
  const parsed = parseManifest(manifest.bytes, place);
  if (parsed.kind !== 'image') throw new AppError('unsupported', `${place} is an index of indexes`);
  const packaged = parsed.config.mediaType === chartConfig;
  if (parsed.layers.length > maxLayers)
    throw new AppError('limit', `${place} has ${parsed.layers.length} layers, more than ${maxLayers}`);
  const layers = parsed.layers.filter(({ mediaType }) =>
    packaged ? mediaType === chartLayer : /tar(?:[+.]gzip)?$/.test(mediaType),
  );
  const [layer, ...others] = layers;
  if (layer && others.length === 0) return { layer, packaged: packaged || layer.mediaType === chartLayer };
  const types = parsed.layers.map(({ mediaType }) => mediaType).join(', ');
  throw new AppError(
    'bad-input',
    `${place} must have exactly one layer that is a tar archive, and has ${layers.length} (${types || 'no layers at all'})`,
    { hint: 'push the folder as one .tar.gz layer, e.g. with "oras push"' },
  );
}

async function pull(
  deps: OciChartsDeps,
  { ref, manifest, place }: { ref: ImageRef; manifest: string; place: string },
  signal: AbortSignal,
): Promise<Buffer> {
  const top = await deps.registry.manifest({ ...ref, digest: parseDigest(manifest) }, signal);
  if (!top) throw new AppError('not-found', `${place} no longer has ${manifest}`);
  const { layer } = contentOf(await imageManifest(deps, ref, { top, place }, signal), place);
  return await pullLayer(deps, { ref, layer, place }, signal);
}

async function pullLayer(
  deps: OciChartsDeps,
  { ref, layer, place }: { ref: ImageRef; layer: Descriptor; place: string },
  signal: AbortSignal,
): Promise<Buffer> {
  if (layer.size > maxArchiveBytes)
    throw new AppError('limit', `the archive of ${place} has ${layer.size} bytes, more than ${maxArchiveBytes}`);
  const chunks: Buffer[] = [];
  for await (const chunk of await deps.registry.blob(ref, layer, signal)) chunks.push(Buffer.from(chunk));
  deps.count('downloads');
  return Buffer.concat(chunks);
}

function parseArtifact(record: unknown): KnownArtifact | undefined {
  const digest = getString(record, 'digest');
  const version = getString(record, 'version');
  const manifest = getString(record, 'manifest');
  if (digest === undefined || version === undefined || manifest === undefined) return undefined;
  return { digest, version, manifest, packaged: getObject(record)['packaged'] === true };
}
