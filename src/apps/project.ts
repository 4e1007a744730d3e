import { globMatch } from '#base/glob.ts';
import type { AppProject, GroupKind } from '#model/argocd/app-project.ts';
import type { Application } from '#model/argocd/application.ts';
import { repositoryKey } from './repository-key.ts';

export interface Destination {
  server: string;
  name: string;
}

function normalUrl(url: string): string {
  return url === '*' ? url : url.toLowerCase().replace(/\.git$/, '');
}

/** At least one entry matches, and no entry that begins with `!` denies. A list of denials alone permits the rest. */
export function isSourcePermitted(project: AppProject, url: string): boolean {
  const matches = (pattern: string) =>
    pattern === '*' ||
    globMatch(normalUrl(pattern), normalUrl(url), '/') ||
    repositoryKey(pattern) === repositoryKey(url);
  let any = false;
  for (const entry of project.sourceRepos) {
    if (!entry.startsWith('!')) any ||= matches(entry);
    else if (matches(entry.slice(1))) return false;
    else any = true;
  }
  return any;
}

function matchField(pattern: string | undefined, text: string): { hit: boolean; deny: boolean } {
  const deny = pattern?.startsWith('!') ?? false;
  const plain = deny ? (pattern ?? '').slice(1) : (pattern ?? '');
  const hit = globMatch(plain, text);
  return { hit: deny ? !hit : hit, deny: deny && hit };
}

/** Some entry matches server (or name) and namespace, and none denies. */
export function isDestinationPermitted(project: AppProject, destination: Destination, namespace: string): boolean {
  let any = false;
  for (const entry of project.destinations) {
    const server = entry.server === undefined ? undefined : matchField(entry.server, destination.server);
    const name = entry.name === undefined ? undefined : matchField(entry.name, destination.name);
    const place = matchField(entry.namespace ?? '*', namespace);
    if (name?.deny) return false;
    if (server?.deny && place.hit) return false;
    if (place.deny && (server?.hit || name?.hit)) return false;
    if ((server?.hit || name?.hit) && place.hit) any = true;
  }
  return any;
}

function listed(list: readonly GroupKind[], group: string, kind: string, name: string): boolean {
  return list.some(
    (entry) =>
      globMatch(entry.group, group, '/') &&
      globMatch(entry.kind, kind, '/') &&
      (entry.name === undefined || entry.name === '' || globMatch(entry.name, name, '/')),
  );
}

/** Whether the project lets its applications manage a kind. */
export function isKindPermitted(
  project: AppProject,
  resource: { group: string; kind: string; name: string; namespaced: boolean },
): boolean {
  const { group, kind, name, namespaced } = resource;
  if (!namespaced)
    return (
      listed(project.clusterResourceWhitelist, group, kind, name) &&
      !listed(project.clusterResourceBlacklist, group, kind, name)
    );
  const allowed =
    project.namespaceResourceWhitelist === undefined || listed(project.namespaceResourceWhitelist, group, kind, name);
  return allowed && !listed(project.namespaceResourceBlacklist, group, kind, name);
}

/** Everything that is wrong with a spec, one line each; empty when it can be compared. */
export function specProblems(application: Application, project: AppProject, destination: Destination): string[] {
  const { spec } = application;
  const problems: string[] = [];
  const sources = spec.sources && spec.sources.length > 0 ? spec.sources : spec.source ? [spec.source] : [];
  if (spec['sourceHydrator'] !== undefined) problems.push('spec.sourceHydrator is not supported by this version');
  else if (sources.length === 0) problems.push('spec.source names no repository');
  const multiple = spec.sources !== undefined && spec.sources.length > 0;
  for (const source of sources) {
    if (!source.path && !source.chart && !(multiple && source.ref))
      problems.push(`spec.source for ${source.repoURL} needs path or chart`);
    if (source.chart && !source.targetRevision)
      problems.push(`spec.source for chart ${source.chart} needs targetRevision`);
    if (!isSourcePermitted(project, source.repoURL))
      problems.push(`application repo ${source.repoURL} is not permitted in project '${project.name}'`);
  }
  const refs = sources.flatMap((source) => (source.ref ? [source.ref] : []));
  if (new Set(refs).size !== refs.length) problems.push('two of spec.sources have the same ref');
  const namespace = spec.destination.namespace ?? '';
  if (!isDestinationPermitted(project, destination, namespace))
    problems.push(
      `application destination server '${destination.server}' and namespace '${namespace}' do not match any of the allowed destinations in project '${project.name}'`,
    );
  if (project.syncWindowCount > 0)
    problems.push(`project '${project.name}' has sync windows, which this version does not evaluate`);
  return problems;
}
