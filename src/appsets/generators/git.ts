import { canonicalJson } from '#base/digest.ts';
import { AppError, messageOf } from '#base/errors.ts';
import { cloneJson, isObject } from '#base/json.ts';
import { parseYamlDocuments } from '#base/yaml.ts';
import type { CommitSha, GitMirror, TreeEntry } from '#git/port.ts';
import { baseOf, dirOf } from '#template/functions/path.ts';
import { normalizeName } from '#template/slug.ts';
import { ofType } from '#template/value.ts';
import { flattenParams, type Params } from '../params.ts';
import { doublestarMatcher, goPathMatcher, pathspecMatcher } from '../path-match.ts';
import { addValues, type Placeholders } from '../placeholders.ts';
import type { GeneratorInput, GeneratorSources } from '../port.ts';

const maxFileBytes = 1_000_000;
const maxFiles = 20_000;

interface Item {
  path: string;
  exclude: boolean;
}

function items(list: unknown): Item[] {
  if (!Array.isArray(list)) return [];
  return list.map((item: unknown) => {
    const { path, exclude } = isObject(item) ? item : {};
    return { path: String(path ?? ''), exclude: exclude === true };
  });
}

function bySegments(a: string, b: string): number {
  const [x, y] = [a.split('/'), b.split('/')];
  for (let at = 0; at < Math.min(x.length, y.length); at += 1) {
    const [left = '', right = ''] = [x[at], y[at]];
    if (left !== right) return left < right ? -1 : 1;
  }
  return x.length - y.length;
}

/** Every folder that holds files, without the root; hidden ones only when asked for. */
export function foldersOf(files: readonly Pick<TreeEntry, 'path' | 'type'>[], hidden: boolean): string[] {
  const folders = new Set<string>();
  for (const { path, type } of files) {
    const parts = path.split('/');
    // A submodule is an empty folder in a checkout without it.
    const depth = type === 'commit' ? parts.length : parts.length - 1;
    for (let count = 1; count <= depth; count += 1) {
      if (!hidden && parts[count - 1]?.startsWith('.')) break;
      folders.add(parts.slice(0, count).join('/'));
    }
  }
  return [...folders].sort(bySegments);
}

/** Folders that some item names and no item excludes. */
export function chooseFolders(folders: readonly string[], wanted: readonly Item[]): string[] {
  const matchers = wanted.map(({ path, exclude }) => ({ matches: goPathMatcher(path), exclude }));
  return folders.filter((folder) => {
    const hits = matchers.filter(({ matches }) => matches(folder));
    return hits.length > 0 && !hits.some(({ exclude }) => exclude);
  });
}

export function chooseFiles(files: readonly string[], wanted: readonly Item[], newGlobbing: boolean): string[] {
  const matcherOf = newGlobbing ? doublestarMatcher : pathspecMatcher;
  const matchers = wanted.map(({ path, exclude }) => ({ matches: matcherOf(path), exclude }));
  const chosen = files.filter((file) => {
    const hits = matchers.filter(({ matches }) => matches(file));
    return hits.length > 0 && !hits.some(({ exclude }) => exclude);
  });
  return chosen.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** The parameters about a path; `filename` only for a file. */
export function pathParams(folder: string, filename: string | undefined, prefix: string, goTemplate: boolean): Params {
  const basename = baseOf(folder);
  const file = filename === undefined ? {} : { filename, filenameNormalized: normalizeName(filename) };
  const common = { basename, basenameNormalized: normalizeName(basename), ...file };
  if (goTemplate) {
    const path = { path: folder, ...common, segments: ofType(folder.split('/'), 'string') };
    return prefix === '' ? { path } : { [prefix]: { path } };
  }
  const name = prefix === '' ? 'path' : `${prefix}.path`;
  const out: Params = { [name]: folder };
  for (const [key, value] of Object.entries(common)) out[`${name}.${key}`] = value;
  folder.split('/').forEach((part, index) => {
    if (part !== '') out[`${name}[${index}]`] = part;
  });
  return out;
}

function objectsOf(content: string, path: string, url: string): Params[] {
  const refuse = (why: string) =>
    new AppError(
      'bad-input',
      `unable to process file '${path}' from repository '${url}': unable to parse file: ${why}`,
    );
  let parsed: unknown;
  try {
    parsed = parseYamlDocuments(content, path)[0] ?? {};
  } catch (error) {
    throw refuse(messageOf(error));
  }
  if (isObject(parsed)) return [parsed];
  if (Array.isArray(parsed) && parsed.every((item) => isObject(item) || item === null))
    return parsed.map((item: unknown) => (isObject(item) ? item : {}));
  throw refuse('it is neither an object nor a list of objects');
}

interface Checkout {
  mirror: GitMirror;
  commit: CommitSha;
  url: string;
}

async function readText(
  tree: Checkout & { entries: readonly TreeEntry[] },
  path: string,
  signal: AbortSignal,
): Promise<string> {
  const { mirror, commit, entries, url } = tree;
  const entry = entries.find((file) => file.path === path);
  let target = path;
  if (entry?.mode === '120000') {
    const link = (await mirror.readBlob(entry.oid, signal)).toString('utf8');
    target = link.startsWith('/') ? '..' : dirOf(`${dirOf(path)}/${link}/.`);
    if (target === '..' || target.startsWith('../'))
      throw new AppError('bad-input', `file '${path}' of repository '${url}' is a link that leads out of it`);
  }
  const data = await mirror.readFile(commit, target, signal);
  if (!data) throw new AppError('bad-input', `file '${path}' of repository '${url}' is a link to nothing`);
  if (data.length > maxFileBytes)
    throw new AppError('limit', `file '${path}' of repository '${url}' is larger than ${maxFileBytes} bytes`);
  return data.toString('utf8');
}

async function checkout(input: GeneratorInput, sources: GeneratorSources, signal: AbortSignal): Promise<Checkout> {
  const { repoURL, revision } = input.spec;
  const url = String(repoURL ?? '');
  if (url === '') throw new AppError('bad-input', 'git generator: repoURL is empty');
  const mirror = await sources.repository({ url, project: input.project }, signal);
  const commit = await mirror.resolve(String(revision ?? ''), signal);
  return { mirror, commit, url };
}

/** What the items of one generator name at one commit. */
export interface GitListing {
  folders: string[];
  files: { path: string; objects: Params[] }[];
}

async function listing(
  tree: Checkout,
  input: GeneratorInput,
  sources: GeneratorSources,
  signal: AbortSignal,
): Promise<GitListing> {
  const folders = items(input.spec['directories']);
  const entries = await tree.mirror.listFiles(tree.commit, '', signal);
  if (folders.length > 0)
    return { folders: chooseFolders(foldersOf(entries, sources.settings.hiddenDirectories), folders), files: [] };
  const paths = entries.filter(({ type }) => type === 'blob').map(({ path }) => path);
  const chosen = chooseFiles(paths, items(input.spec['files']), sources.settings.newGitFileGlobbing);
  if (chosen.length > maxFiles)
    throw new AppError('limit', `git generator: ${chosen.length} files match, more than ${maxFiles}`);
  const files: GitListing['files'] = [];
  for (const path of chosen) {
    const text = await readText({ ...tree, entries }, path, signal);
    files.push({ path, objects: objectsOf(text, path, tree.url) });
  }
  return { folders: [], files };
}

/** One set of parameters per folder, or per object in the files, that the items name. Nothing is checked out. */
export async function generateGit(
  input: GeneratorInput,
  sources: GeneratorSources,
  fill: Placeholders,
  signal: AbortSignal,
): Promise<Params[]> {
  const { spec } = input;
  const { goTemplate } = fill.style;
  const prefix = String(spec['pathParamPrefix'] ?? '');
  const { directories, files } = spec;
  if (items(directories).length === 0 && items(files).length === 0)
    throw new AppError('bad-input', 'git generator: neither directories nor files are given');
  const tree = await checkout(input, sources, signal);
  const key = canonicalJson([tree.url, tree.commit, directories, files, sources.settings]);
  const found = await sources.listings.get(key, () => listing(tree, input, sources, signal));
  const named = found.folders.map((folder) =>
    addValues(pathParams(folder, undefined, prefix, goTemplate), spec['values'], fill),
  );
  const read = found.files.flatMap(({ path, objects }) => {
    const about = pathParams(dirOf(path), baseOf(path), prefix, goTemplate);
    return objects.map((object) =>
      addValues({ ...(goTemplate ? cloneJson(object) : flattenParams(object)), ...about }, spec['values'], fill),
    );
  });
  return [...named, ...read];
}
