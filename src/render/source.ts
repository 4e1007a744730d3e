import { AppError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import { mergePatch } from '#base/merge-patch.ts';
import type { ApplicationSource } from '#model/argocd/application.ts';
import { sourceSchema } from '#model/argocd/application-schema.ts';
import type { RenderSettings } from '#model/argocd/settings.ts';
import { compareBytes } from './entry-order.ts';
import type { LinkedTree } from './links.ts';
import { normalSource } from './normal-source.ts';
import type { RenderRequest, SourceType } from './port.ts';
import { joinPath, repositoryPath } from './repository-path.ts';
import { parseYamlDocuments } from './yaml.ts';

/** A request whose trees follow symbolic links, with the settings that hold for it. */
export interface LinkedRequest extends RenderRequest {
  tree: LinkedTree;
  settings: RenderSettings;
}

export interface ResolvedSource {
  /** With the repository's own overrides merged in. */
  source: ApplicationSource;
  /** Normalised; '' is the root. */
  path: string;
  type: SourceType;
  /** Object id of the folder, and of what links in it lead to. */
  tree: string;
}

export const kustomizationFiles = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** The files of a folder that may change the source, whether they are there or not. */
export function overrideFiles(request: RenderRequest, path: string): string[] {
  return ['.argocd-source.yaml', `.argocd-source-${request.application.instanceName}.yaml`].map((name) =>
    joinPath(path, name),
  );
}

/** The source with `.argocd-source.yaml` and then the application's own file merged in; neither can move the source. */
async function withOverrides(request: LinkedRequest, path: string, signal: AbortSignal): Promise<ApplicationSource> {
  let merged: unknown = normalSource(request.source);
  const { chart, path: own, repoURL, targetRevision } = request.source;
  for (const file of overrideFiles(request, path)) {
    const content = await request.tree.readFile(file, signal);
    if (!content) continue;
    const [override] = parseYamlDocuments(content.toString('utf8'), file);
    if (override === undefined) continue;
    if (!isObject(override))
      throw new AppError('bad-input', `${file} in ${request.tree.place} is not an object`, {
        hint: 'it holds fields of a source, for example helm or kustomize',
      });
    const parsed = sourceSchema.safeParse({
      ...(mergePatch(merged, override) as object),
      ...{ repoURL, chart, path: own, targetRevision },
    });
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw new AppError(
        'bad-input',
        `${file} in ${request.tree.place} is wrong: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
      );
    }
    merged = withoutUndefined(parsed.data);
  }
  return merged as ApplicationSource;
}

function withoutUndefined(source: object): object {
  return Object.fromEntries(Object.entries(source).filter(([, value]) => value !== undefined));
}

function isEnabled(type: SourceType, settings: RenderSettings): boolean {
  if (type === 'Helm') return settings.helm.enabled;
  return type !== 'Kustomize' || settings.kustomize.enabled;
}

/** A block forces its type, even an empty one of an override. */
function explicitType(source: ApplicationSource): SourceType | undefined {
  const types: SourceType[] = [];
  if (source.kustomize) types.push('Kustomize');
  if (source.helm) types.push('Helm');
  if (source.directory) types.push('Directory');
  if (source.plugin) types.push('Plugin');
  if (types.length > 1)
    throw new AppError('bad-input', `multiple application sources defined: ${types.join(',')}`, {
      hint: 'keep only one of the helm, kustomize, directory and plugin blocks',
    });
  return types[0];
}

/** By the files directly in the folder, in the order of their names: the last that means something wins. */
async function detectType(request: LinkedRequest, path: string, signal: AbortSignal): Promise<SourceType> {
  const from = path === '' ? 0 : path.length + 1;
  const names = (await request.tree.listFiles(path, signal))
    .map((entry) => entry.path.slice(from))
    .filter((name) => !name.includes('/'))
    .sort(compareBytes);
  let type: SourceType = 'Directory';
  for (const name of names) {
    if (name.endsWith('Chart.yaml') && isEnabled('Helm', request.settings)) type = 'Helm';
    if (kustomizationFiles.includes(name) && isEnabled('Kustomize', request.settings)) type = 'Kustomize';
  }
  return type;
}

export interface SourceDeps {
  /** Whether a plugin says that the folder is its own. */
  discovers: (request: LinkedRequest, path: string, signal: AbortSignal) => Promise<boolean>;
}

/** Finds the folder of a source and decides how it is rendered, in Argo CD's order. */
export async function resolveSource(
  deps: SourceDeps,
  request: LinkedRequest,
  signal: AbortSignal,
): Promise<ResolvedSource> {
  const { source } = request;
  if (!source.chart && source.path?.startsWith('/'))
    throw new AppError('bad-input', `source.path "${source.path}" is absolute`, {
      hint: 'write it relative to the root of the repository',
    });
  const path = source.chart ? '' : repositoryPath(source.path ?? '', 'source.path');
  const tree = await folderId(request, path, signal);
  const merged = await withOverrides(request, path, signal);
  const explicit = explicitType(merged);
  if (explicit)
    return { source: merged, path, type: isEnabled(explicit, request.settings) ? explicit : 'Directory', tree };
  const type = (await deps.discovers({ ...request, source: merged }, path, signal))
    ? 'Plugin'
    : await detectType(request, path, signal);
  return { source: merged, path, type, tree };
}

async function folderId(request: LinkedRequest, path: string, signal: AbortSignal): Promise<string> {
  const { tree, source } = request;
  const wrong = (problem: string, hint: string) =>
    new AppError('not-found', `source.path "${source.path ?? ''}" ${problem} ${tree.place}`, { hint });
  const id = await tree.objectId(path, signal);
  if (id === undefined) throw wrong('does not exist in', 'correct spec.source.path or targetRevision');
  const [first, ...others] = await tree.listFiles(path, signal);
  if (first?.path !== path || others.length > 0) return id;
  if (first.type === 'commit')
    throw new AppError(
      'unsupported',
      `source.path "${source.path ?? ''}" is a submodule of ${tree.place}; submodules are not fetched`,
      { hint: "name the submodule's own repository as repoURL" },
    );
  throw wrong('is a file, not a folder, in', 'name the folder that the file is in');
}
