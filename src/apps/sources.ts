import { AppError } from '#base/errors.ts';
import { highestAllowed, parseConstraint, parseVersion } from '#base/version.ts';
import type { GitMirror } from '#git/port.ts';
import { parseCommitSha } from '#git/port.ts';
import type { Application, ApplicationSource } from '#model/argocd/application.ts';
import { gitTree, type SourceTree } from '#render/tree.ts';
import { type ChartWatch, isChartSource } from './chart-watch.ts';
import type { RepositoryRef, RepositoryWatch } from './repository-watch.ts';

/** Where the files of sources come from. */
export interface Origins {
  repositories: RepositoryWatch;
  charts: ChartWatch;
}

export interface OpenSource {
  source: ApplicationSource;
  tree: SourceTree;
  /** Grows when what the source means may have moved. */
  generation: number;
  /** Undefined for a chart, which has no commits. */
  mirror: GitMirror | undefined;
}

export function sourcesOf(application: Application): ApplicationSource[] {
  const { source, sources } = application.spec;
  if (sources && sources.length > 0) return sources;
  return source ? [source] : [];
}

/** The repository of a source, as the application's project reads it. */
export function repositoryOf(application: Application, source: ApplicationSource): RepositoryRef {
  return { url: source.repoURL, project: application.spec.project || 'default' };
}

/** Throws AppError bad-input when a source names files of another one that is a chart: only repositories of Git have them. */
export function checkRefs(sources: readonly ApplicationSource[]): void {
  for (const { ref, chart, repoURL } of sources.filter((source) => source.ref && isChartSource(source))) {
    const names = sources.flatMap(({ helm }) => [
      ...(helm?.valueFiles ?? []),
      ...(helm?.fileParameters ?? []).map(({ path }) => path),
    ]);
    const named = names.find((name) => name.startsWith(`$${ref}/`));
    if (named !== undefined)
      throw new AppError('bad-input', `"${named}" names the source with ref "${ref}", which is ${chart || repoURL}`, {
        hint: 'a ref can only be given to a source in Git',
      });
  }
}

/** The files of a source at its target revision or, given one, at that. */
export async function openSource(
  { repositories, charts }: Origins,
  at: { application: Application; source: ApplicationSource; revision?: string | undefined },
  signal: AbortSignal,
): Promise<OpenSource> {
  const { application, source, revision } = at;
  const repository = repositoryOf(application, source);
  if (isChartSource(source)) {
    const { tree, generation } = await charts.open(source, { project: repository.project, revision }, signal);
    return { source, tree, mirror: undefined, generation: generation + charts.filesGeneration(source) };
  }
  const { mirror, generation } = await repositories.open(repository, signal);
  const commit = await mirror.resolve(prefixedRevision(source, revision, mirror), signal);
  return {
    source,
    tree: gitTree(mirror, commit),
    mirror,
    generation: generation + charts.filesGeneration(source),
  };
}

/** The revision that a mirror understands: with `tagPrefix`, versions and constraints are of the tags that begin so. */
export function prefixedRevision(
  { tagPrefix = '', targetRevision, repoURL }: ApplicationSource,
  asked: string | undefined,
  mirror: Pick<GitMirror, 'refs'>,
): string {
  const revision = asked || targetRevision || 'HEAD';
  if (tagPrefix === '' || parseCommitSha(revision)) return revision;
  const start = `refs/tags/${tagPrefix}`;
  if (parseVersion(revision)) return `${start}${revision}`;
  const constraint = parseConstraint(revision);
  if (!constraint) return revision;
  const tags = [...mirror.refs.keys()].filter((name) => name.startsWith(start)).map((name) => name.slice(start.length));
  const best = highestAllowed(constraint, tags);
  if (best !== undefined) return `${start}${best}`;
  throw new AppError('not-found', `${repoURL} has no tag ${tagPrefix}... that "${revision}" allows`, {
    hint: `it has ${tags.length} tags that begin so; correct spec.source.tagPrefix or targetRevision`,
  });
}

/** How often what a source means may have moved so far. */
export async function generationOf(
  { repositories, charts }: Origins,
  at: { application: Application; source: ApplicationSource; revision?: string | undefined },
  signal: AbortSignal,
): Promise<number> {
  const { application, source, revision } = at;
  const repository = repositoryOf(application, source);
  const { generation } = isChartSource(source)
    ? await charts.open(source, { project: repository.project, revision }, signal)
    : await repositories.open(repository, signal);
  return generation + charts.filesGeneration(source);
}

/** The same source as it was at an earlier revision; undefined when that cannot be told without asking its repository. */
export function earlierTree({ tree, mirror }: OpenSource, revision: string): SourceTree | undefined {
  if (revision === tree.revision) return tree;
  const commit = parseCommitSha(revision);
  return mirror && commit ? gitTree(mirror, commit) : undefined;
}

/** Asks a source's repository now; its failure is thrown. */
export async function refreshSource(
  { repositories, charts }: Origins,
  at: { application: Application; source: ApplicationSource; hard: boolean },
  signal: AbortSignal,
): Promise<void> {
  const repository = repositoryOf(at.application, at.source);
  await charts.refresh(at.source, { project: repository.project, hard: at.hard }, signal);
  if (!isChartSource(at.source)) await repositories.refresh(repository, signal);
}
