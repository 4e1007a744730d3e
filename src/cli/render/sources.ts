import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { AppError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import { parseYamlDocuments } from '#base/yaml.ts';
import type { KubeObject } from '#kube/port.ts';
import type { Application, ApplicationSource } from '#model/argocd/application.ts';
import { parseApplication } from '#model/argocd/application-schema.ts';
import type { RenderSettings } from '#model/argocd/settings.ts';
import { diskTree } from '#render/disk-tree.ts';
import type { RenderRequest } from '#render/port.ts';
import type { SourceTree } from '#render/tree.ts';
import type { LocalRenderer } from '../deps.ts';
import { findRoot, readWorkingTree, sameRepository } from './working-tree.ts';

export interface FoundApplication {
  application: Application;
  /** Absolute. */
  file: string;
}

/** Where repositories are on disk. */
export interface Repositories {
  /** Undefined: the repository around each file. */
  root: string | undefined;
  named: { url: string; root: string }[];
}

export function parseRepositories(cwd: string, flags: { repoRoot?: string; repo: string[] }): Repositories {
  const named = flags.repo.map((text) => {
    const at = text.lastIndexOf('=');
    if (at <= 0) throw new AppError('bad-input', `--repo ${text} is not of the form URL=DIRECTORY`);
    return { url: text.slice(0, at), root: resolve(cwd, text.slice(at + 1)) };
  });
  return { root: flags.repoRoot === undefined ? undefined : resolve(cwd, flags.repoRoot), named };
}

/** The Applications in files of one or several documents, Lists of them too. Throws AppErrors that name the file. */
export async function readApplications(cwd: string, files: readonly string[]): Promise<FoundApplication[]> {
  const out: FoundApplication[] = [];
  for (const name of files) {
    const file = resolve(cwd, name);
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new AppError('not-found', `${name} cannot be read`, { cause });
    });
    const before = out.length;
    for (const document of parseYamlDocuments(text, name).flatMap(itemsOf))
      out.push({ application: readOne(document, name), file });
    if (out.length === before) throw new AppError('bad-input', `${name} holds no Application`);
  }
  return out;
}

function itemsOf(document: unknown): unknown[] {
  if (isObject(document) && Array.isArray(document['items'])) return document['items'];
  return [document];
}

function readOne(document: unknown, name: string): Application {
  const metadata = isObject(document) ? document['metadata'] : undefined;
  const ownName = isObject(metadata) ? metadata['name'] : undefined;
  if (!isObject(document) || typeof ownName !== 'string')
    throw new AppError('bad-input', `${name} holds a document that is no object with a name`);
  if (document['kind'] !== 'Application' || document['apiVersion'] !== 'argoproj.io/v1alpha1')
    throw new AppError('bad-input', `${name} holds an object of kind ${String(document['kind'])}`, {
      hint: 'render takes Applications of argoproj.io/v1alpha1',
    });
  const { application, problems } = parseApplication({
    ...document,
    metadata: { name: ownName, ...(metadata as object) },
  });
  if (problems.length > 0)
    throw new AppError('bad-input', `${name}: the Application ${ownName} is wrong: ${problems.join('; ')}`);
  return application;
}

function sourcesOf(application: Application): ApplicationSource[] {
  const { source, sources } = application.spec;
  const all = sources?.length ? sources : source ? [source] : [];
  if (all.length === 0) throw new AppError('bad-input', `the Application ${application.metadata.name} has no source`);
  return all;
}

/** The working tree that a source means: the one named for its repository, else the root, as far as that is unambiguous. */
function treeOf(repositories: Repositories, found: FoundApplication, source: ApplicationSource): SourceTree {
  const named = repositories.named.find(({ url }) => sameRepository(url, source.repoURL));
  const root = named?.root ?? repositories.root ?? findRoot(dirname(found.file));
  const tree = readWorkingTree(root);
  const own = tree.remotes.some((remote) => sameRepository(remote, source.repoURL));
  if (!named && !own) {
    const others = sourcesOf(found.application).filter((other) => !isChart(other));
    const strange = others.find(({ repoURL }) => !sameRepository(repoURL, source.repoURL));
    const ownIsKnown = others.some(({ repoURL }) => tree.remotes.some((remote) => sameRepository(remote, repoURL)));
    if (strange && (ownIsKnown || !repositories.named.some(({ url }) => sameRepository(url, strange.repoURL))))
      throw new AppError(
        'bad-input',
        `${found.application.metadata.name} reads ${source.repoURL}, and which folder that is is not known`,
        {
          hint: `give --repo ${source.repoURL}=DIRECTORY`,
        },
      );
  }
  return diskTree(root, { url: source.repoURL, revision: tree.head ?? 'working-tree' });
}

/** Charts of repositories and registries, and artifacts: no working tree has them. */
function isChart({ chart, repoURL }: ApplicationSource): boolean {
  return Boolean(chart) || repoURL.startsWith('oci://');
}

async function openChart(
  renderer: LocalRenderer,
  application: Application,
  source: ApplicationSource,
  signal: AbortSignal,
): Promise<SourceTree> {
  const { repoURL, chart = '', targetRevision: revision = '' } = source;
  if (chart !== '' && revision === '')
    throw new AppError('bad-input', `${application.metadata.name}: the chart ${chart} has no targetRevision`);
  return await renderer.charts.open({ repoURL, chart, revision, project: '' }, { maxAgeMs: 0 }, signal);
}

export interface RenderDeps {
  renderer: LocalRenderer;
  repositories: Repositories;
  cluster: RenderRequest['cluster'];
  settings: RenderSettings;
}

/** Renders all sources of an application, in order: those in Git from disk. */
export async function renderApplication(
  deps: RenderDeps,
  found: FoundApplication,
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const { application } = found;
  const sources = await Promise.all(
    sourcesOf(application).map(async (source) => ({
      source,
      tree: isChart(source)
        ? await openChart(deps.renderer, application, source, signal)
        : treeOf(deps.repositories, found, source),
    })),
  );
  const refs = new Map(sources.flatMap(({ source, tree }) => (source.ref ? [[source.ref, tree] as const] : [])));
  const out: KubeObject[] = [];
  for (const { source, tree } of sources) {
    if (source.ref && !source.path && !isChart(source)) continue;
    const { name } = application.metadata;
    const request: RenderRequest = {
      application: {
        name,
        instanceName: name,
        project: application.spec.project || 'default',
        destinationNamespace: application.spec.destination.namespace ?? '',
      },
      source,
      tree,
      refs,
      cluster: deps.cluster,
      settings: deps.settings,
    };
    out.push(...(await deps.renderer.render(request, signal)).manifests);
  }
  return out;
}
