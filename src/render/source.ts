import { AppError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import { mergePatch } from '#base/merge-patch.ts';
import type { ApplicationSource } from '#model/argocd/application.ts';
import { sourceSchema } from '#model/argocd/application-schema.ts';
import type { RenderRequest, SourceType } from './port.ts';
import { joinPath, repositoryPath } from './repository-path.ts';
import { parseYamlDocuments } from './yaml.ts';

export interface ResolvedSource {
  /** With the repository's own overrides merged in. */
  source: ApplicationSource;
  /** Normalised; '' is the root. */
  path: string;
  type: SourceType;
  /** Object id of the folder. */
  tree: string;
}

export const kustomizationFiles = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

async function withOverrides(request: RenderRequest, path: string, signal: AbortSignal): Promise<ApplicationSource> {
  let merged: unknown = request.source;
  for (const name of ['.argocd-source.yaml', `.argocd-source-${request.application.name}.yaml`]) {
    const file = joinPath(path, name);
    const content = await request.tree.readFile(file, signal);
    if (!content) continue;
    const [override] = parseYamlDocuments(content.toString('utf8'), file);
    if (!isObject(override)) continue;
    const { chart: _chart, path: _path, repoURL: _repo, targetRevision: _revision, ...allowed } = override;
    merged = mergePatch(merged, allowed);
  }
  const parsed = sourceSchema.safeParse(merged);
  if (parsed.success) return parsed.data as unknown as ApplicationSource;
  const issue = parsed.error.issues[0];
  throw new AppError(
    'bad-input',
    `the overrides in ${joinPath(path, '.argocd-source*.yaml')} are wrong: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
  );
}

/** Objects that are empty do not force a type. */
function explicitType(source: ApplicationSource): SourceType | undefined {
  const filled = (block: object | undefined) => block !== undefined && Object.keys(block).length > 0;
  const types: SourceType[] = [];
  if (filled(source.helm)) types.push('Helm');
  if (filled(source.kustomize)) types.push('Kustomize');
  if (filled(source.directory)) types.push('Directory');
  if (source.plugin !== undefined) types.push('Plugin');
  if (types.length > 1)
    throw new AppError('bad-input', `multiple application sources defined: ${types.join(', ')}`, {
      hint: 'keep only one of the helm, kustomize, directory and plugin blocks',
    });
  return types[0];
}

async function detectType(request: RenderRequest, path: string, signal: AbortSignal): Promise<SourceType> {
  const has = async (name: string) => (await request.tree.objectId(joinPath(path, name), signal)) !== undefined;
  if (await has('kustomization.yaml')) return 'Kustomize';
  if (await has('kustomization.yml')) return 'Kustomize';
  if (await has('Chart.yaml')) return 'Helm';
  return (await has('Kustomization')) ? 'Kustomize' : 'Directory';
}

/** Finds the folder of a source and decides how it is rendered, in Argo CD's order. */
export async function resolveSource(request: RenderRequest, signal: AbortSignal): Promise<ResolvedSource> {
  const { source } = request;
  if (source.chart !== undefined && source.chart !== '')
    throw new AppError(
      'unsupported',
      `source.chart "${source.chart}" of ${source.repoURL}: charts from Helm repositories and registries are not read by this version`,
      {
        hint: 'keep the chart, or a chart that depends on it with charts/ filled, in Git and name its path',
      },
    );
  const path = repositoryPath(source.path ?? '', 'source.path');
  const tree = await request.tree.objectId(path, signal);
  if (tree === undefined)
    throw new AppError('not-found', `source.path "${source.path ?? ''}" does not exist in ${request.tree.place}`, {
      hint: 'correct spec.source.path or targetRevision',
    });
  const merged = await withOverrides(request, path, signal);
  const type = explicitType(merged) ?? (await detectType(request, path, signal));
  return { source: merged, path, type, tree };
}
