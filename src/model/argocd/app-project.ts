import { z } from 'zod';

const groupKind = z.looseObject({ group: z.string(), kind: z.string(), name: z.string().optional() });

const spec = z.looseObject({
  sourceRepos: z.array(z.string()).default([]),
  destinations: z
    .array(
      z.looseObject({ server: z.string().optional(), name: z.string().optional(), namespace: z.string().optional() }),
    )
    .default([]),
  clusterResourceWhitelist: z.array(groupKind).nullish(),
  clusterResourceBlacklist: z.array(groupKind).nullish(),
  namespaceResourceWhitelist: z.array(groupKind).nullish(),
  namespaceResourceBlacklist: z.array(groupKind).nullish(),
  sourceNamespaces: z.array(z.string()).nullish(),
  syncWindows: z.array(z.unknown()).nullish(),
});

/** The fields of an AppProject that Slipway decides on. */
export interface AppProject {
  name: string;
  sourceRepos: string[];
  destinations: { server?: string; name?: string; namespace?: string }[];
  clusterResourceWhitelist: GroupKind[];
  clusterResourceBlacklist: GroupKind[];
  /** Undefined permits every namespaced kind; an empty list permits none. */
  namespaceResourceWhitelist: GroupKind[] | undefined;
  namespaceResourceBlacklist: GroupKind[];
  /** Globs or `/regular expressions/` of the namespaces, beside the instance's own, whose Applications may use it. */
  sourceNamespaces: string[];
  syncWindowCount: number;
}

export interface GroupKind {
  group: string;
  kind: string;
  name?: string;
}

/** What Argo CD creates as `default`: everything is permitted. */
export const allowAllProject: AppProject = {
  name: 'default',
  sourceRepos: ['*'],
  destinations: [{ server: '*', namespace: '*' }],
  clusterResourceWhitelist: [{ group: '*', kind: '*' }],
  clusterResourceBlacklist: [],
  namespaceResourceWhitelist: undefined,
  namespaceResourceBlacklist: [],
  sourceNamespaces: [],
  syncWindowCount: 0,
};

/** Reads an AppProject object; the second form names each mistake with its path. */
export function parseAppProject(object: { metadata: { name: string }; spec?: unknown }): AppProject | string[] {
  const result = spec.safeParse(object.spec ?? {});
  if (!result.success) return result.error.issues.map((issue) => `spec.${issue.path.join('.')}: ${issue.message}`);
  const data = result.data;
  return {
    name: object.metadata.name,
    sourceRepos: data.sourceRepos,
    destinations: data.destinations as AppProject['destinations'],
    clusterResourceWhitelist: (data.clusterResourceWhitelist ?? []) as GroupKind[],
    clusterResourceBlacklist: (data.clusterResourceBlacklist ?? []) as GroupKind[],
    namespaceResourceWhitelist: (data.namespaceResourceWhitelist ?? undefined) as GroupKind[] | undefined,
    namespaceResourceBlacklist: (data.namespaceResourceBlacklist ?? []) as GroupKind[],
    sourceNamespaces: data.sourceNamespaces ?? [],
    syncWindowCount: data.syncWindows?.length ?? 0,
  };
}
