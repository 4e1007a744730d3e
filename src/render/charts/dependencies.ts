import { AppError, isAppError } from '#base/errors.ts';
import { getString } from '#base/json.ts';
import { parseConstraint, parseVersion } from '#base/version.ts';
import { parseYamlDocuments } from '#base/yaml.ts';
import { Lru } from '#git/lru.ts';
import { followLinks } from '../links.ts';
import { fileInRepository } from '../repository-path.ts';
import type { SourceTree } from '../tree.ts';
import { readArchive } from './archive.ts';
import { type ChartMetadata, type Dependency, readChart } from './chart-yaml.ts';
import type { ChartLibrary, ChartTree } from './port.ts';

/** A chart that is put into `charts/` before the render. */
export type PlannedDependency =
  | { kind: 'archive'; file: string; id: string; tree: ChartTree }
  | { kind: 'folder'; path: string; id: string; tree: SourceTree };

export interface DependencyInput {
  tree: SourceTree;
  /** Of the chart. */
  folder: string;
  project: string;
  passCredentials: boolean;
  charts: ChartLibrary | undefined;
}

const maxDependencies = 100;
/** A constraint without a lock is looked at again when a render is planned after this time. */
const constraintAgeMs = 180_000;
/** Folders, by id, of charts that have all they need. */
const complete = new Lru<true>(20_000, () => 1);
const archiveNames = new Lru<{ name: string | undefined }>(5000, () => 1);

async function nameInArchive(tree: SourceTree, path: string, oid: string, signal: AbortSignal) {
  const known = archiveNames.get(oid);
  if (known) return known.name;
  let name: string | undefined;
  try {
    const files = await readArchive(await tree.readBlob(oid, signal), `${path} in ${tree.place}`, { signal });
    const found = files.find((file) => /^[^/]+\/Chart\.yaml$/.test(file.path));
    name = found && getString(parseYamlDocuments(found.content.toString('utf8'), path)[0], 'name');
  } catch (error) {
    // helm says better what is wrong with it, should the render come to it.
    if (!isAppError(error) || signal.aborted) throw error;
  }
  archiveNames.set(oid, { name });
  return name;
}

/** Names of the charts that stand in `charts/` already, packed or not. */
async function presentCharts({ tree, folder }: DependencyInput, signal: AbortSignal): Promise<Set<string>> {
  const linked = followLinks(tree);
  const charts = folder === '' ? 'charts' : `${folder}/charts`;
  const names = new Set<string>();
  if ((await linked.objectId(charts, signal)) === undefined) return names;
  for (const { path, oid, type } of await linked.listFiles(charts, signal)) {
    const inside = path.slice(charts.length + 1);
    if (type !== 'blob') continue;
    if (/^[^/]+\/Chart\.yaml$/.test(inside)) {
      const [chart] = parseYamlDocuments((await tree.readBlob(oid, signal)).toString('utf8'), path);
      names.add(getString(chart, 'name') ?? '');
    } else if (/^[^/]+\.(?:tgz|tar\.gz)$/.test(inside)) names.add((await nameInArchive(tree, path, oid, signal)) ?? '');
  }
  return names;
}

function wanted(chart: ChartMetadata, { tree, folder }: DependencyInput): Dependency[] {
  const { lock } = chart;
  if (!lock || lock.dependencies.length === 0) return chart.dependencies;
  if (!lock.inSync)
    throw new AppError(
      'bad-input',
      `${lock.file} in ${tree.place} is out of sync with the dependencies of ${folder === '' ? 'its chart' : folder}`,
      { hint: 'run "helm dependency update" and commit the lock' },
    );
  return lock.dependencies;
}

/**
 * What must be brought into `charts/` before a chart can be rendered: nothing when all its dependencies are there, else all
 * of them, as Chart.lock pins them or at the newest version allowed. Throws AppErrors naming dependency and repository.
 */
export async function planDependencies(input: DependencyInput, signal: AbortSignal): Promise<PlannedDependency[]> {
  const id = await followLinks(input.tree).objectId(input.folder, signal);
  if (id !== undefined && complete.has(id)) return [];
  const planned = await planMissing(input, signal);
  if (planned.length === 0 && id !== undefined) complete.set(id, true);
  return planned;
}

async function planMissing(input: DependencyInput, signal: AbortSignal): Promise<PlannedDependency[]> {
  const chart = await readChart(followLinks(input.tree), input.folder, signal);
  if (!chart || chart.dependencies.length === 0) return [];
  const present = await presentCharts(input, signal);
  if (chart.dependencies.every(({ name }) => present.has(name))) return [];
  const dependencies = wanted(chart, input);
  if (dependencies.length > maxDependencies)
    throw new AppError('limit', `${chart.name} has more than ${maxDependencies} dependencies`);
  const planned = await Promise.all(
    dependencies.map(async (dependency) => {
      try {
        return await planOne(input, { dependency, present }, signal);
      } catch (error) {
        if (!isAppError(error) || signal.aborted) throw error;
        throw inWords(input, dependency, error);
      }
    }),
  );
  return planned.flatMap((one) => one ?? []);
}

function inWords(
  { tree, folder }: DependencyInput,
  { name, version, repository }: Dependency,
  cause: AppError,
): AppError {
  const chart = folder === '' ? tree.place : `${folder} (${tree.place})`;
  const from = repository === '' ? '' : ` from ${repository}`;
  return new AppError(
    cause.code,
    `the dependency ${name}${version === '' ? '' : ` ${version}`} of the chart ${chart} could not be brought${from}: ${cause.message}`,
    { cause, hint: cause.hint ?? 'or commit it: run "helm dependency update" and add charts/ to Git' },
  );
}

async function planOne(
  input: DependencyInput,
  { dependency, present }: { dependency: Dependency; present: ReadonlySet<string> },
  signal: AbortSignal,
): Promise<PlannedDependency | undefined> {
  const { name, version, repository } = dependency;
  if (repository === '') {
    if (present.has(name)) return undefined;
    throw new AppError('not-found', 'it names no repository, and charts/ has no chart of that name', {
      hint: 'name its repository in Chart.yaml, or put the chart into charts/',
    });
  }
  if (repository.startsWith('file://')) return await planFolder(input, dependency, signal);
  if (!input.charts)
    throw new AppError('unsupported', 'charts are not brought from other places here', {
      hint: 'run "helm dependency update" and add charts/ to Git',
    });
  const alias = /^(?:@|alias:)(.+)$/.exec(repository)?.[1];
  const repoURL = alias === undefined ? repository : await input.charts.repositoryOf(alias, signal);
  if (repoURL === undefined)
    throw new AppError('not-found', `no repository of the name ${alias} is declared`, {
      hint: `declare a repository Secret of type helm with the name ${alias}, or write its address into Chart.yaml`,
    });
  if (!/^(?:https?|oci):\/\//i.test(repoURL))
    throw new AppError('bad-input', `${repoURL} is no address that charts come from`, {
      hint: 'use https://, oci://, file:// or @name',
    });
  const { project, passCredentials } = input;
  const ask = {
    repoURL,
    chart: name,
    revision: version === '' ? '*' : version,
    project,
    passCredentials,
    borrowAccess: true,
  };
  const tree = await input.charts.open(ask, { maxAgeMs: constraintAgeMs }, signal);
  const id = await tree.objectId('', signal);
  return { kind: 'archive', file: `${name}-${tree.version}.tgz`, id: `${name} ${tree.version} ${id}`, tree };
}

async function planFolder(
  { tree, folder }: DependencyInput,
  { name, version, repository }: Dependency,
  signal: AbortSignal,
): Promise<PlannedDependency> {
  const written = repository.slice('file://'.length);
  if (written.startsWith('/'))
    throw new AppError('bad-input', 'it stands at a path of the machine', { hint: 'use a path relative to the chart' });
  const path = fileInRepository(folder, written, 'the path');
  const linked = followLinks(tree);
  const chart = await readChart(linked, path, signal);
  if (!chart) throw new AppError('not-found', `${path || 'the repository'} in ${tree.place} is no chart`);
  if (chart.name !== name) throw new AppError('bad-input', `the chart in ${path} is called ${chart.name}`);
  const allowed = version === '' ? undefined : parseConstraint(version);
  const own = parseVersion(chart.version);
  if (version !== '' && chart.version !== version && !(allowed && own && allowed.allows(own)))
    throw new AppError('not-found', `the chart in ${path} has the version ${chart.version}`, {
      hint: 'correct the version in Chart.yaml, and run "helm dependency update"',
    });
  return { kind: 'folder', path, id: `${name} ${chart.version} ${await linked.objectId(path, signal)}`, tree };
}
