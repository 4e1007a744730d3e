import { AppError } from '#base/errors.ts';
import type { HelmSource } from '#model/argocd/application.ts';
import { defaultSettings } from '#model/argocd/settings.ts';
import { buildEnvironment, expandVariables } from './build-environment.ts';
import type { ChartLibrary } from './charts/port.ts';
import { expandGlob, globBase, isGlob } from './helm-glob.ts';
import { followLinks } from './links.ts';
import type { RenderRequest } from './port.ts';
import { fileInRepository } from './repository-path.ts';
import type { ResolvedSource } from './source.ts';
import type { SourceTree } from './tree.ts';

/** A value file or the file of a parameter, found but not read. */
export interface FoundFile {
  /** What a message calls it: its path, or its address. */
  name: string;
  /** Equal ids mean equal content. */
  oid: string;
  /** Undefined for a file that came by URL. */
  tree: SourceTree | undefined;
  /** Where it really stands, past links. */
  real?: string;
  read(signal: AbortSignal): Promise<Buffer>;
}

export interface FoundFiles {
  files: FoundFile[];
  /** Paths of the source's own repository that are looked at though nothing is there yet: missing files, folders of patterns. */
  watched: string[];
}

export interface HelmFilesInput {
  request: RenderRequest;
  resolved: ResolvedSource;
  charts: ChartLibrary | undefined;
}

type Place = { kind: 'url'; url: string } | { kind: 'path'; tree: SourceTree; path: string };

/** Remote files are asked for again, if only whether they changed, when a render is planned after this time. */
const urlAgeMs = 60_000;
const scheme = /^([a-z][a-z0-9+.-]*):/i;

function placeOf({ request, resolved }: HelmFilesInput, written: string, what: string): Place {
  const environment = buildEnvironment(request);
  const match = /^\$([A-Za-z0-9_-]+)(\/.*)$/.exec(written);
  const ref = match?.[1] === undefined ? undefined : request.refs.get(match[1]);
  if (match && ref) {
    const inside = expandVariables(match[2] ?? '', environment);
    return { kind: 'path', tree: ref, path: fileInRepository('', inside, what) };
  }
  if (match?.[1] !== undefined && environment[match[1]] === undefined && request.refs.size > 0)
    throw new AppError(
      'bad-input',
      `${what} "${written}" names the ref ${match[1]}, which no source of the application has`,
      {
        hint: `give one of the sources "ref: ${match[1]}"`,
      },
    );
  const name = expandVariables(written, environment);
  const named = scheme.exec(name)?.[1];
  if (named !== undefined) {
    const { valuesFileSchemes } = (request.settings ?? defaultSettings.render).helm;
    if (!valuesFileSchemes.some((allowed) => allowed.toLowerCase() === named.toLowerCase()))
      throw new AppError('forbidden', `${what} "${name}": the URL scheme '${named}' is not allowed`, {
        hint: `allowed are ${valuesFileSchemes.join(', ') || 'none'} (helm.valuesFileSchemes in argocd-cm)`,
      });
    return { kind: 'url', url: name };
  }
  return { kind: 'path', tree: request.tree, path: fileInRepository(resolved.path, name, what) };
}

async function openUrl(input: HelmFilesInput, url: string, what: string, signal: AbortSignal): Promise<FoundFile> {
  if (!input.charts)
    throw new AppError('unsupported', `${what} "${url}" is a URL, and files by URL are not read here`, {
      hint: 'keep the file in Git',
    });
  const { digest, bytes } = await input.charts.readUrl(url, { maxAgeMs: urlAgeMs }, signal);
  return { name: url, oid: digest, tree: undefined, read: async () => bytes };
}

/** Undefined when nothing is there. A folder is refused. */
async function openPath(
  tree: SourceTree,
  path: string,
  what: string,
  signal: AbortSignal,
): Promise<FoundFile | undefined> {
  const linked = followLinks(tree);
  const real = await linked.realPath(path, signal);
  const oid = real === undefined ? undefined : await tree.objectId(real, signal);
  if (real === undefined || oid === undefined) return undefined;
  if ((await linked.mode(real, signal)) === '040000')
    throw new AppError('bad-input', `${what}: ${path} in ${tree.place} is a folder`, { hint: 'name a file in it' });
  return { name: path, oid, tree, real, read: (own) => tree.readBlob(oid, own) };
}

async function globFiles(tree: SourceTree, pattern: string, signal: AbortSignal): Promise<string[]> {
  const linked = followLinks(tree);
  const base = globBase(pattern);
  if ((await linked.realPath(base, signal)) === undefined) return [];
  const files = await linked.listFiles(base, signal);
  return expandGlob(
    pattern,
    files.filter(({ type }) => type === 'blob').map(({ path }) => path),
  );
}

const idOf = (tree: SourceTree, path: string) => `${tree.url} ${tree.revision} ${path}`;

/**
 * The value files in the order in which they are merged: patterns expanded, without what is also named by itself, each file
 * once. Throws AppErrors that quote the entry as it was written.
 */
export async function findValueFiles(
  input: HelmFilesInput,
  helm: HelmSource,
  signal: AbortSignal,
): Promise<FoundFiles> {
  const what = 'helm.valueFiles';
  const written = helm.valueFiles ?? [];
  const places = written.map((name) => placeOf(input, name, what));
  const explicit = new Set<string>();
  for (const place of places)
    if (place.kind === 'path' && !isGlob(place.path)) explicit.add(idOf(place.tree, place.path));
  const found = new Map<string, FoundFile>();
  const watched: string[] = [];
  const own = (tree: SourceTree, path: string) => {
    if (tree.url === input.request.tree.url) watched.push(path);
  };
  for (const [index, place] of places.entries()) {
    if (place.kind === 'url') {
      if (!found.has(place.url)) found.set(place.url, await openUrl(input, place.url, what, signal));
      continue;
    }
    const { tree, path } = place;
    const pattern = isGlob(path);
    const paths = pattern ? await globFiles(tree, path, signal) : [path];
    own(tree, pattern ? globBase(path) : path);
    if (paths.length === 0 && !helm.ignoreMissingValueFiles)
      throw new AppError('not-found', `${what} "${written[index]}" matches no file in ${tree.place}`, {
        hint: 'correct the pattern, which is relative to the chart, or set ignoreMissingValueFiles',
      });
    for (const one of paths) {
      const id = idOf(tree, one);
      if (found.has(id) || (pattern && explicit.has(id))) continue;
      const file = await openPath(tree, one, `${what} "${written[index]}"`, signal);
      if (file) {
        found.set(id, file);
        if (file.real !== undefined && file.real !== one) own(tree, file.real);
      }
      if (!file && !helm.ignoreMissingValueFiles)
        throw new AppError('not-found', `${what} "${written[index]}" does not exist: ${one} in ${tree.place}`, {
          hint: 'correct the path, which is relative to the chart, or set ignoreMissingValueFiles',
        });
    }
  }
  return { files: [...found.values()], watched };
}

/** The files whose content parameters take. */
export async function findFileParameters(
  input: HelmFilesInput,
  helm: HelmSource,
  signal: AbortSignal,
): Promise<{ name: string; file: FoundFile }[]> {
  const what = 'helm.fileParameters';
  const out: { name: string; file: FoundFile }[] = [];
  for (const { name, path: written } of helm.fileParameters ?? []) {
    const place = placeOf(input, written, what);
    if (place.kind === 'url') {
      out.push({ name, file: await openUrl(input, place.url, what, signal) });
      continue;
    }
    const file = await openPath(place.tree, place.path, `${what} "${written}"`, signal);
    if (!file)
      throw new AppError('not-found', `${what} "${written}" does not exist: ${place.path} in ${place.tree.place}`, {
        hint: 'correct the path, which is relative to the chart',
      });
    out.push({ name, file });
  }
  return out;
}
