import { sha256Hex } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import { getArray, getString, isObject } from '#base/json.ts';
import { parseYamlDocuments } from '#base/yaml.ts';
import type { SourceTree } from '../tree.ts';

export interface Dependency {
  name: string;
  /** A version or a constraint; '' is any. */
  version: string;
  repository: string;
}

export interface ChartMetadata {
  name: string;
  version: string;
  dependencies: Dependency[];
  lock: { file: string; dependencies: Dependency[]; inSync: boolean } | undefined;
}

const join = (folder: string, name: string) => (folder === '' ? name : `${folder}/${name}`);

async function readYaml(tree: SourceTree, path: string, signal: AbortSignal): Promise<unknown> {
  const bytes = await tree.readFile(path, signal);
  if (!bytes) return undefined;
  const [document] = parseYamlDocuments(bytes.toString('utf8'), `${path} in ${tree.place}`);
  return document ?? {};
}

function dependencyOf(value: unknown, what: string): Dependency {
  const name = getString(value, 'name');
  if (name === undefined || !/^[A-Za-z0-9._-]+$/.test(name) || /^\.+$/.test(name))
    throw new AppError('bad-input', `${what} has a dependency without a proper name: ${JSON.stringify(name ?? null)}`);
  return { name, version: getString(value, 'version') ?? '', repository: getString(value, 'repository') ?? '' };
}

/** A dependency as helm writes it for the digest of a lock: its fields in helm's order, without those that are empty. */
function forDigest(value: unknown): string {
  const found = isObject(value) ? value : {};
  const fields: [string, unknown][] = [['name', found['name'] ?? '']];
  if (found['version']) fields.push(['version', found['version']]);
  fields.push(['repository', found['repository'] ?? '']);
  for (const name of ['condition', 'tags', 'enabled', 'import-values', 'alias']) {
    const field = found[name];
    if (Array.isArray(field) ? field.length > 0 : field) fields.push([name, field]);
  }
  return `{${fields.map(([name, field]) => `${goJson(name)}:${goJson(field)}`).join(',')}}`;
}

/** JSON as Go writes it: members of maps in order, and no character that HTML reads. */
function goJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (isObject(value)) {
    const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, member]) => `${goJson(name)}:${goJson(member)}`).join(',')}}`;
  }
  return (JSON.stringify(value) ?? 'null').replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Whether a lock was made for these dependencies, by helm 3 or, for an old chart, by helm 2. */
export function isInSync(
  declared: unknown[],
  locked: unknown[],
  digest: string | undefined,
  apiVersion: string,
): boolean {
  const list = (dependencies: unknown[]) =>
    dependencies.length === 0 ? 'null' : `[${dependencies.map(forDigest).join(',')}]`;
  if (digest === `sha256:${sha256Hex(`[${list(declared)},${list(locked)}]`)}`) return true;
  return apiVersion === 'v1' && digest === `sha256:${sha256Hex(`{"dependencies":${list(declared)}}`)}`;
}

/** What a chart says of itself and of what it needs. Undefined when the folder is no chart. */
export async function readChart(
  tree: SourceTree,
  folder: string,
  signal: AbortSignal,
): Promise<ChartMetadata | undefined> {
  const path = join(folder, 'Chart.yaml');
  const chart = await readYaml(tree, path, signal);
  if (chart === undefined) return undefined;
  if (!isObject(chart)) throw new AppError('bad-input', `${path} in ${tree.place} is no chart: it holds no fields`);
  const requirements = await readYaml(tree, join(folder, 'requirements.yaml'), signal);
  const declared = getArray(requirements ?? chart, 'dependencies');
  const lockName = requirements === undefined ? 'Chart.lock' : 'requirements.lock';
  const lock = await readYaml(tree, join(folder, lockName), signal);
  const locked = getArray(lock, 'dependencies');
  const apiVersion = getString(chart, 'apiVersion') ?? '';
  const what = `${path} in ${tree.place}`;
  return {
    name: getString(chart, 'name') ?? '',
    version: getString(chart, 'version') ?? '',
    dependencies: declared.map((value) => dependencyOf(value, what)),
    lock:
      lock === undefined
        ? undefined
        : {
            file: join(folder, lockName),
            dependencies: locked.map((value) => dependencyOf(value, `${join(folder, lockName)} in ${tree.place}`)),
            inSync: isInSync(declared, locked, getString(lock, 'digest'), apiVersion),
          },
  };
}
