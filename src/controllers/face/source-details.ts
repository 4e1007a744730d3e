import { posix } from 'node:path';
import { load } from 'js-yaml';
import type { ChartDetails } from '#apps/port.ts';
import { getArray, getString, isObject, type JsonObject } from '#base/json.ts';
import type { TreeEntry } from '#git/port.ts';
import type { ApplicationSource } from '#model/argocd/application.ts';
import type { SourceTree } from '#render/tree.ts';

const kustomizations = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

function typeOf(path: string): string | undefined {
  const file = posix.basename(path);
  if (file === 'Chart.yaml') return 'Helm';
  return kustomizations.includes(file) ? 'Kustomize' : undefined;
}

/** The folders that a chart or a kustomization stands in; where both do, it is a kustomization. */
export function discoverFolders(files: readonly TreeEntry[]): { path: string; type: string }[] {
  const found = new Map<string, string>();
  for (const { path } of files) {
    const type = typeOf(path);
    const folder = posix.dirname(path);
    if (type !== undefined && found.get(folder) !== 'Kustomize') found.set(folder, type);
  }
  return [...found].map(([path, type]) => ({ path, type })).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Values as the parameters that would set them: `image.tag`, `hosts[0].name`. */
export function flattenValues(value: unknown, name = ''): { name: string; value: string }[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => flattenValues(item, `${name}[${index}]`));
  if (isObject(value))
    return Object.entries(value).flatMap(([key, member]) => {
      const step = key.replaceAll('.', '\\.');
      return flattenValues(member, name === '' ? step : `${name}.${step}`);
    });
  return name === '' ? [] : [{ name, value: value === null || value === undefined ? '' : String(value) }];
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : load(text);
  } catch {
    // The render says what is wrong with it; here it only has nothing to show.
    return undefined;
  }
}

/** What renders the folder of a source, and what can be set there. */
export async function sourceDetails(
  tree: SourceTree,
  source: ApplicationSource,
  signal: AbortSignal,
): Promise<JsonObject> {
  const folder = posix.normalize((source.chart ? '' : source.path) || '.').replace(/^\.\/?$|\/+$/g, '');
  const files = await tree.listFiles(folder, signal);
  const own = files.map(({ path }) => posix.relative(folder, path)).filter((path) => !path.includes('/'));
  const read = async (name: string) => (await tree.readFile(posix.join(folder, name), signal))?.toString('utf8');
  const kustomization = own.find((name) => kustomizations.includes(name));
  if (source.plugin) return { type: 'Plugin', plugin: {} };
  if (kustomization !== undefined && !source.helm && !source.directory) {
    const images = getArray(parsed(await read(kustomization)), 'images').map((image) => {
      const [name, newName, tag, digest] = ['name', 'newName', 'newTag', 'digest'].map((key) => getString(image, key));
      return `${newName ?? name ?? ''}${digest ? `@${digest}` : tag ? `:${tag}` : ''}`;
    });
    return { type: 'Kustomize', kustomize: images.length > 0 ? { images } : {} };
  }
  if (!own.includes('Chart.yaml') || source.directory) return { type: 'Directory', directory: {} };
  const values = (await read('values.yaml')) ?? '';
  const parameters = flattenValues(parsed(values));
  const set = source.helm?.parameters ?? [];
  const known = new Set(set.map(({ name }) => name));
  const name = getString(parsed(await read('Chart.yaml')), 'name');
  const valueFiles = own.filter((file) => /values.*\.ya?ml$/.test(file)).sort();
  const all = [...parameters.filter((parameter) => !known.has(parameter.name)), ...set];
  return {
    type: 'Helm',
    helm: {
      ...(name === undefined ? {} : { name }),
      ...(valueFiles.length > 0 ? { valueFiles } : {}),
      ...(all.length > 0 ? { parameters: all } : {}),
      values,
      ...(source.helm?.fileParameters ? { fileParameters: source.helm.fileParameters } : {}),
    },
  };
}

/** What a chart says of itself. */
export function chartDetails(chartYaml: string | undefined): ChartDetails {
  const chart = parsed(chartYaml);
  const maintainers = getArray(chart, 'maintainers').flatMap((item) => {
    const [name, email] = [getString(item, 'name'), getString(item, 'email')];
    return name === undefined ? [] : [email === undefined ? name : `${name} <${email}>`];
  });
  return { description: getString(chart, 'description') ?? '', home: getString(chart, 'home') ?? '', maintainers };
}
