import { globMatch } from '#base/glob.ts';
import type { AppProject, GroupKind } from '#model/argocd/app-project.ts';
import type { Application, ApplicationSource } from '#model/argocd/application.ts';

export interface Destination {
  server: string;
  name: string;
}

/** One text for the spellings of an address: letter case and `.git` do not matter, nor the way in which ssh is written. */
function normalUrl(url: string): string {
  const text = url.trim().toLowerCase();
  const scp = /^[^@/\s]+@[^:/\s]+:(?!\/\/)/.test(text);
  return (scp ? text.replace(':', '/') : text.replace(/^ssh:\/\//, '')).replace(/\.git$/, '');
}

/** At least one entry matches, and no entry that begins with `!` denies. A list of denials alone permits the rest. */
export function isSourcePermitted(project: AppProject, url: string): boolean {
  const matches = (pattern: string) => pattern === '*' || globMatch(normalUrl(pattern), normalUrl(url), '/');
  let any = false;
  for (const entry of project.sourceRepos) {
    if (!entry.startsWith('!')) any ||= matches(entry);
    else if (matches(entry.slice(1))) return false;
    else any = true;
  }
  return any;
}

function isDenial(pattern: string | undefined): boolean {
  return pattern?.startsWith('!') ?? false;
}

/** A denial hits what its pattern does not match. */
function hits(pattern: string | undefined, text: string): boolean {
  if (pattern?.startsWith('!')) return !globMatch(pattern.slice(1), text);
  return pattern === '*' || globMatch(pattern ?? '', text);
}

/** Some entry matches server (or name) and namespace, and none denies. */
export function isDestinationPermitted(project: AppProject, destination: Destination, namespace: string): boolean {
  let any = false;
  for (const entry of project.destinations) {
    const name = destination.name !== '' && hits(entry.name, destination.name);
    const server = destination.server !== '' && hits(entry.server, destination.server);
    const place = hits(entry.namespace, namespace);
    if ((server || name) && place) any = true;
    else if (!name && isDenial(entry.name)) return false;
    else if (!server && isDenial(entry.server) && place) return false;
    else if (!place && isDenial(entry.namespace) && server) return false;
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

/** Of a project that permits only clusters of its own: whether this is one. */
function isClusterPermitted(project: AppProject, destination: SpecDestination): boolean {
  if (!project.permitOnlyProjectScopedClusters) return true;
  return destination
    .ofProject(project.name)
    .some(({ name, server }) => name === destination.name || server === destination.server);
}

export interface SpecDestination extends Destination {
  /** The clusters whose Secret names a project. */
  ofProject: (project: string) => readonly Destination[];
}

/** A commit cannot be known to be signed here: what has to be is not taken. */
function signatureProblem(project: AppProject, url: string): string | undefined {
  const matching = project.signatures.find(
    ({ repositories, mode }) => mode !== 'none' && isSourcePermitted({ ...project, sourceRepos: repositories }, url),
  );
  if (!matching) return undefined;
  return `project '${project.name}' wants commits of ${url} to be signed (${matching.mode || 'unknown mode'}), and signatures are not verified by this version: nothing of it is taken`;
}

function sourceProblems(project: AppProject, source: ApplicationSource, multiple: boolean): string[] {
  const problems: string[] = [];
  if (!source.path && !source.chart && !(multiple && source.ref) && !source.repoURL.startsWith('oci://'))
    problems.push(`spec.source for ${source.repoURL} needs path or chart`);
  if (source.chart && !source.targetRevision)
    problems.push(`spec.source for chart ${source.chart} needs targetRevision`);
  if (!isSourcePermitted(project, source.repoURL))
    problems.push(`application repo ${source.repoURL} is not permitted in project '${project.name}'`);
  const unsigned = signatureProblem(project, source.repoURL);
  if (unsigned !== undefined) problems.push(unsigned);
  return problems;
}

/** Everything that is wrong with a spec, one line each; empty when it can be compared. */
export function specProblems(application: Application, project: AppProject, destination: SpecDestination): string[] {
  const { spec } = application;
  const problems: string[] = [];
  const multiple = spec.sources !== undefined && spec.sources.length > 0;
  const sources = spec.sources && multiple ? spec.sources : spec.source ? [spec.source] : [];
  if (spec['sourceHydrator'] !== undefined) problems.push('spec.sourceHydrator is not supported by this version');
  else if (sources.length === 0) problems.push('spec.source names no repository');
  for (const source of sources) problems.push(...sourceProblems(project, source, multiple));
  const refs = sources.flatMap((source) => (source.ref ? [source.ref] : []));
  if (new Set(refs).size !== refs.length) problems.push('two of spec.sources have the same ref');
  const namespace = spec.destination.namespace ?? '';
  if (!isDestinationPermitted(project, destination, namespace) || !isClusterPermitted(project, destination)) {
    const named = spec.destination.name ? destination.name : destination.server;
    problems.push(
      `application destination server '${named}' and namespace '${namespace}' do not match any of the allowed destinations in project '${project.name}'`,
    );
  }
  return problems;
}
