import { isObject, type JsonObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { type AppProject, parseAppProject } from '#model/argocd/app-project.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';

type Labels = Readonly<Record<string, string>>;

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** One requirement of a label selector; one that is none fits nothing. */
function fits(requirement: JsonObject, labels: Labels): boolean {
  const value = labels[String(requirement['key'])];
  const values = strings(requirement['values']);
  switch (requirement['operator']) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

/** Whether labels fit a Kubernetes label selector; an empty one fits all, and none at all too. */
export function selects(selector: unknown, labels: Labels): boolean {
  if (!isObject(selector)) return true;
  const equal = isObject(selector['matchLabels']) ? Object.entries(selector['matchLabels']) : [];
  const requirements = Array.isArray(selector['matchExpressions']) ? selector['matchExpressions'] : [];
  return (
    equal.every(([key, value]) => labels[key] === String(value)) &&
    requirements.every((requirement) => isObject(requirement) && fits(requirement, labels))
  );
}

/** What a global project adds to another: its roles and namespaces stay its own. */
function withGlobal(project: AppProject, added: AppProject): AppProject {
  const kinds = [...(project.namespaceResourceWhitelist ?? []), ...(added.namespaceResourceWhitelist ?? [])];
  const anyList = project.namespaceResourceWhitelist !== undefined || kinds.length > 0;
  return {
    ...project,
    clusterResourceWhitelist: [...project.clusterResourceWhitelist, ...added.clusterResourceWhitelist],
    clusterResourceBlacklist: [...project.clusterResourceBlacklist, ...added.clusterResourceBlacklist],
    namespaceResourceWhitelist: anyList ? kinds : undefined,
    namespaceResourceBlacklist: [...project.namespaceResourceBlacklist, ...added.namespaceResourceBlacklist],
    syncWindows: [...project.syncWindows, ...added.syncWindows],
    sourceRepos: [...project.sourceRepos, ...added.sourceRepos],
    destinations: [...project.destinations, ...added.destinations],
    destinationServiceAccounts: [...project.destinationServiceAccounts, ...added.destinationServiceAccounts],
  };
}

export interface ProjectsDeps {
  /** The AppProject of a name, in the instance's namespace. */
  find: (name: string) => KubeObject | undefined;
  settings: () => ArgoSettings;
  /** Of the instance. */
  namespace: string;
}

/** The global projects whose selector fits a project, in the order of the settings. */
export function globalProjectsOf(deps: ProjectsDeps, name: string): KubeObject[] {
  const object = deps.find(name);
  if (!object) return [];
  return deps.settings().globalProjects.flatMap(({ projectName, labelSelector }) => {
    if (projectName === name || !selects(labelSelector, object.metadata.labels ?? {})) return [];
    return deps.find(projectName) ?? [];
  });
}

/** A project with what its global projects add; the second form says what is wrong, one line each. */
export function projectOf(deps: ProjectsDeps, name: string): AppProject | string[] {
  const object = deps.find(name);
  if (!object)
    return [
      `application references project ${name} which does not exist: create the AppProject ${name} in namespace ${deps.namespace}, or set spec.project to another`,
    ];
  let project: AppProject | undefined;
  for (const part of [object, ...globalProjectsOf(deps, name)]) {
    const parsed = parseAppProject(part);
    if (Array.isArray(parsed)) return parsed.map((line) => `project '${part.metadata.name}': ${line}`);
    project = project ? withGlobal(project, parsed) : parsed;
  }
  return project ?? [];
}
