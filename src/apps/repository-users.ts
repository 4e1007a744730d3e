import type { CommitSha } from '#git/port.ts';
import type { KubeObject } from '#kube/port.ts';
import type { Application } from '#model/argocd/application.ts';
import { parseApplication } from '#model/argocd/application-schema.ts';
import { annotations } from '#model/argocd/names.ts';
import { isInput } from '#render/port.ts';
import { isChartSource } from './chart-watch.ts';
import type { TargetMemory } from './observation.ts';
import { repositoryKey } from './repository-key.ts';
import type { RepositoryWatch } from './repository-watch.ts';
import { prefixedRevision, repositoryOf, sourcesOf } from './sources.ts';

/** The applications that read the repository of a key. */
export function usersOf(objects: readonly KubeObject[], key: string): KubeObject[] {
  return objects.filter((object) =>
    sourcesOf(parseApplication(object).application).some((source) => repositoryKey(source.repoURL) === key),
  );
}

/** Paths that differ between two commits, found once for all applications that stand at the first. */
export type ChangedPaths = Map<string, Promise<string[]>>;

/**
 * True when nothing that an application reads changed since its target was last made. False when that is not known: it has
 * several sources, was not rendered by this process, or its last comparison failed.
 */
export async function isUntouched(
  deps: { repositories: RepositoryWatch },
  input: { application: Application; memory: TargetMemory; changes: ChangedPaths },
  signal: AbortSignal,
): Promise<boolean> {
  const { application, memory, changes } = input;
  const [source, ...others] = sourcesOf(application);
  const target = memory.latest?.target;
  const inputs = target?.inputs[0];
  const from = target?.commits[0];
  if (
    !source ||
    isChartSource(source) ||
    others.length > 0 ||
    !target ||
    !inputs ||
    !from ||
    target.unknownKinds.length > 0
  )
    return false;
  if (application.operation || application.metadata.annotations?.[annotations.refresh]) return false;
  if (application.status?.conditions?.some(({ type }) => type.endsWith('Error'))) return false;
  const { mirror } = await deps.repositories.open(repositoryOf(application, source), signal);
  const to = await mirror.resolve(prefixedRevision(source, undefined, mirror), signal);
  if (to === from) return true;
  const pair = `${repositoryKey(source.repoURL)} ${from} ${to}`;
  const changed = changes.get(pair) ?? mirror.changedPaths(from as CommitSha, to, signal);
  changes.set(pair, changed);
  if ((await changed).some((path) => isInput(inputs, path))) return false;
  target.commits = [to];
  return true;
}
