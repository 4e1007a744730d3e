import { posix } from 'node:path';
import { AppError } from '#base/errors.ts';
import { getArray, getString, isObject, type JsonObject } from '#base/json.ts';
import { fileReferences, hasOpenReferences, type Reference } from './kustomize-references.ts';
import type { LinkedTree } from './links.ts';
import { joinPath } from './repository-path.ts';
import { kustomizationFiles } from './source.ts';
import { parseYamlDocuments } from './yaml.ts';

/** What a build reads, found by following every reference from its kustomization. */
export interface KustomizeReach {
  /** Files that are read, and names of kustomizations that would be if they were there; undefined where absent. */
  files: Map<string, string | undefined>;
  /** Folders that are read whole: local charts, and the repository when a plugin's files cannot be told. */
  folders: Map<string, string>;
  /** Path as referenced to the path without links. */
  links: Map<string, string>;
  /** Whether charts are inflated: the cluster's versions then count. */
  charts: boolean;
}

export interface Kustomization {
  /** Path of the file. */
  file: string;
  document: JsonObject;
}

const maxFolders = 500;
const maxFiles = 20_000;

/** By object id: bases are read for every application that stands on them. Nobody changes a document. */
const parsed = new Map<string, JsonObject>();
const maxParsed = 5_000;

function remember(oid: string, document: JsonObject): void {
  if (parsed.size >= maxParsed) parsed.clear();
  parsed.set(oid, document);
}

async function readDocument(tree: LinkedTree, file: string, signal: AbortSignal): Promise<JsonObject | undefined> {
  const content = await tree.readFile(file, signal);
  if (!content) return undefined;
  const [document] = parseYamlDocuments(content.toString('utf8'), `${file} in ${tree.place}`);
  return isObject(document) ? document : {};
}

/** The kustomization of a folder; undefined when it has none. */
export async function readKustomization(
  tree: LinkedTree,
  folder: string,
  signal: AbortSignal,
): Promise<Kustomization | undefined> {
  const found: Kustomization[] = [];
  for (const name of kustomizationFiles) {
    const file = joinPath(folder, name);
    const oid = await tree.objectId(file, signal);
    if (oid === undefined) continue;
    const known = parsed.get(oid);
    const document = known ?? (await readDocument(tree, file, signal));
    // A folder of that name is none.
    if (!document) continue;
    if (!known) remember(oid, document);
    found.push({ file, document });
  }
  const [first, second] = found;
  if (first && second)
    throw new AppError(
      'bad-input',
      `${folder || 'the repository'} in ${tree.place} has two kustomizations: ${first.file} and ${second.file}`,
      {
        hint: 'keep one of them',
      },
    );
  return first;
}

export async function reach(
  tree: LinkedTree,
  start: { folder: string; document: JsonObject | undefined; unrestricted: boolean },
  signal: AbortSignal,
): Promise<KustomizeReach> {
  const walk = new ReachWalk(tree, start);
  await walk.folder(start.folder, start.document, signal);
  return walk.found;
}

class ReachWalk {
  readonly found: KustomizeReach = { files: new Map(), folders: new Map(), links: new Map(), charts: false };
  readonly #tree: LinkedTree;
  readonly #unrestricted: boolean;
  readonly #start: string;
  readonly #seen = new Set<string>();

  constructor(tree: LinkedTree, start: { folder: string; unrestricted: boolean }) {
    this.#tree = tree;
    this.#unrestricted = start.unrestricted;
    this.#start = start.folder;
  }

  async folder(folder: string, given: JsonObject | undefined, signal: AbortSignal): Promise<void> {
    if (this.#seen.has(folder)) return;
    this.#seen.add(folder);
    if (this.#seen.size > maxFolders)
      throw new AppError('limit', `the kustomization in ${this.#start} names more than ${maxFolders} folders`);
    for (const name of kustomizationFiles) {
      const file = joinPath(folder, name);
      this.found.files.set(file, await this.#tree.objectId(file, signal));
    }
    const own = await readKustomization(this.#tree, folder, signal);
    if (!own) return;
    const document = given ?? own.document;
    const file = own.file;
    for (const reference of fileReferences(document)) await this.#follow(folder, file, reference, signal);
    await this.#charts(folder, file, document, signal);
    if (hasOpenReferences(document)) await this.#whole('', signal);
  }

  async #follow(folder: string, file: string, reference: Reference, signal: AbortSignal): Promise<void> {
    const { path, what } = reference;
    const fault = (problem: string, hint: string) =>
      new AppError(
        reference.remote ? 'unsupported' : 'bad-input',
        `${file} in ${this.#tree.place}: ${what} "${path}" ${problem}`,
        { hint },
      );
    if (reference.remote)
      throw fault('is read from another place, which is not allowed', 'copy it into the repository and name the copy');
    const inside = posix.normalize(posix.join(folder === '' ? '.' : folder, path)).replace(/\/+$/, '');
    if (path.startsWith('/') || inside === '..' || inside.startsWith('../'))
      throw fault('leads out of the repository', 'name a path inside the repository');
    const target = inside === '.' ? '' : inside;
    const real = await this.#tree.realPath(target, signal);
    if (real === undefined) {
      // Inline texts look like names of files that are not there.
      if (reference.inline) return;
      throw fault('does not exist', 'correct the path, which is relative to the kustomization');
    }
    if (real !== target) this.found.links.set(target, real);
    const [only, ...others] = await this.#tree.listFiles(real, signal);
    if (only?.path === real && others.length === 0) {
      if (only.type === 'commit')
        throw fault('is a submodule; submodules are not fetched', 'copy its files into the repository');
      this.#file(real, only.oid);
      if (reference.configuration) await this.#configuration(real, signal);
    } else if (reference.kind === 'file or folder') await this.folder(real, undefined, signal);
    else await this.#whole(real, signal);
  }

  #file(path: string, oid: string): void {
    if (this.found.files.size >= maxFiles)
      throw new AppError('limit', `the kustomization in ${this.#start} names more than ${maxFiles} files`);
    this.found.files.set(path, oid);
  }

  /** A generator's or transformer's own file may name further files, in ways of its own. */
  async #configuration(path: string, signal: AbortSignal): Promise<void> {
    const content = await this.#tree.readFile(path, signal);
    if (!content) return;
    const text = content.toString('utf8');
    if (
      !/^\s*-?\s*["']?(?:path|paths|files|envs?|valuesFile|additionalValuesFiles|chartHome|chartName|configHome|resources)["']?\s*:/m.test(
        text,
      )
    )
      return;
    if (this.#unrestricted || /:\/\//.test(text))
      throw new AppError(
        'unsupported',
        `${path} in ${this.#tree.place} configures a plugin that reads files, which cannot be held inside the repository`,
        { hint: 'write it with the fields of the kustomization instead' },
      );
    await this.#whole('', signal);
  }

  async #whole(folder: string, signal: AbortSignal): Promise<void> {
    const oid = await this.#tree.objectId(folder, signal);
    if (oid !== undefined) this.found.folders.set(folder, oid);
  }

  /** Charts come from `chartHome`: what is not there would be pulled from somewhere. */
  async #charts(folder: string, file: string, document: JsonObject, signal: AbortSignal): Promise<void> {
    const charts = [...getArray(document, 'helmCharts'), ...getArray(document, 'helmChartInflationGenerator')];
    if (charts.length === 0) return;
    this.found.charts = true;
    const home = getString(document['helmGlobals'], 'chartHome') ?? 'charts';
    for (const chart of charts) await this.#chart({ folder, file, chart, home }, signal);
  }

  async #chart(
    where: { folder: string; file: string; chart: unknown; home: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { folder, file, chart } = where;
    const name = getString(chart, 'name') ?? getString(chart, 'chartName') ?? '';
    const named = getString(chart, 'chartHome') ?? where.home;
    const home = posix.normalize(posix.join(folder === '' ? '.' : folder, named));
    if (named.startsWith('/') || home === '..' || home.startsWith('../'))
      throw new AppError('bad-input', `${file} in ${this.#tree.place}: the chart ${name} lies out of the repository`);
    const version = getString(chart, 'version');
    const places = [posix.join(home, name)];
    if (version !== undefined) places.unshift(posix.join(home, `${name}-${version}`, name));
    for (const place of places) {
      const oid = await this.#tree.objectId(place, signal);
      if (oid === undefined) continue;
      this.found.folders.set(place, oid);
      return;
    }
    throw new AppError(
      'unsupported',
      `${file} in ${this.#tree.place}: the chart ${name} is not in ${home}, and kustomize would pull it from elsewhere`,
      { hint: `commit the chart below ${home}, or make it a source of its own with chart:` },
    );
  }
}
