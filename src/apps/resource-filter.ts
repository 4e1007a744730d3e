import { globMatch } from '#base/glob.ts';
import type { ArgoSettings, ResourceFilter } from '#model/argocd/settings.ts';

/** Kinds that no application ever manages: they come and go by themselves, by the thousand. */
const never: readonly ResourceFilter[] = [
  { apiGroups: ['events.k8s.io', 'metrics.k8s.io'], kinds: ['*'], clusters: [] },
  { apiGroups: [''], kinds: ['Event'], clusters: [] },
  { apiGroups: ['coordination.k8s.io'], kinds: ['Lease'], clusters: [] },
];

function matchesAny(globs: readonly string[], text: string): boolean {
  return globs.length === 0 || globs.some((glob) => globMatch(glob, text));
}

/** Kinds are no globs, but for the one that is all of them. */
function matchesKind(kinds: readonly string[], kind: string): boolean {
  return kinds.length === 0 || kinds.includes('*') || kinds.includes(kind);
}

/** An empty list of a filter is every group, kind or cluster. */
function matches(filter: ResourceFilter, kind: { group: string; kind: string }, server: string): boolean {
  return (
    matchesAny(filter.apiGroups, kind.group) &&
    matchesKind(filter.kinds, kind.kind) &&
    matchesAny(filter.clusters, server)
  );
}

/** Whether a kind is left alone in a cluster: excluded, or not among those included when some are for this cluster. */
export function isExcluded(
  settings: Pick<ArgoSettings, 'exclusions' | 'inclusions'>,
  kind: { group: string; kind: string },
  server: string,
): boolean {
  const hit = (filters: readonly ResourceFilter[]) => filters.some((filter) => matches(filter, kind, server));
  if (hit(never) || hit(settings.exclusions)) return true;
  return settings.inclusions.some(({ clusters }) => matchesAny(clusters, server)) && !hit(settings.inclusions);
}
