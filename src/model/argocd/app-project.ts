import { z } from 'zod';

/** Absent and null are the same. */
function listOf<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .nullish()
    .transform((list) => list ?? []);
}
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const groupKind = z.looseObject({ group: text, kind: text });
const namedKind = z.looseObject({ group: text, kind: text, name: text });

const syncWindow = z.looseObject({
  kind: text,
  schedule: text,
  duration: text,
  applications: listOf(z.string()),
  namespaces: listOf(z.string()),
  clusters: listOf(z.string()),
  manualSync: flag,
  timeZone: text,
  andOperator: flag,
  description: text,
  syncOverrun: flag,
});

const spec = z.looseObject({
  description: text,
  sourceRepos: listOf(z.string()),
  destinations: listOf(z.looseObject({ server: text, name: text, namespace: text })),
  sourceNamespaces: listOf(z.string()),
  clusterResourceWhitelist: listOf(namedKind),
  clusterResourceBlacklist: listOf(namedKind),
  namespaceResourceWhitelist: z
    .array(groupKind)
    .nullish()
    .transform((list) => list ?? undefined),
  namespaceResourceBlacklist: listOf(groupKind),
  permitOnlyProjectScopedClusters: flag,
  destinationServiceAccounts: listOf(z.looseObject({ server: text, namespace: text, defaultServiceAccount: text })),
  syncWindows: listOf(syncWindow),
  orphanedResources: z
    .looseObject({ warn: flag, ignore: listOf(namedKind) })
    .nullish()
    .transform((value) => value ?? undefined),
  signatureKeys: listOf(z.looseObject({ keyID: text })),
  sourceIntegrity: z
    .looseObject({
      git: z
        .looseObject({
          policies: listOf(
            z.looseObject({
              repos: listOf(z.looseObject({ url: text })),
              gpg: z.looseObject({ mode: text, keys: listOf(z.string()) }).nullish(),
            }),
          ),
        })
        .nullish(),
    })
    .nullish()
    .transform((value) => value ?? undefined),
});

export interface GroupKind {
  group: string;
  kind: string;
  /** Empty or absent is any. */
  name?: string;
}

export interface SyncWindow {
  /** `allow` or `deny`; anything else is neither. */
  kind: string;
  /** Minute, hour, day, month and weekday, as cron has them. */
  schedule: string;
  duration: string;
  applications: string[];
  namespaces: string[];
  clusters: string[];
  manualSync: boolean;
  /** Empty is UTC. */
  timeZone: string;
  andOperator: boolean;
  description: string;
  /** A sync that began when it was allowed goes on. */
  syncOverrun: boolean;
}

/** How commits have to be signed for a repository: none of the modes but `none` lets an unsigned one through. */
export interface SignaturePolicy {
  /** Globs of repositories; `!` leaves some out. */
  repositories: string[];
  mode: string;
  keys: string[];
}

/** The fields of an AppProject that Slipway decides on. */
export interface AppProject {
  name: string;
  description: string;
  sourceRepos: string[];
  destinations: { server?: string; name?: string; namespace?: string }[];
  /** Globs or `/regular expressions/` of the namespaces, beside the instance's own, whose Applications may use it. */
  sourceNamespaces: string[];
  clusterResourceWhitelist: GroupKind[];
  clusterResourceBlacklist: GroupKind[];
  /** Undefined permits every namespaced kind; an empty list permits none. */
  namespaceResourceWhitelist: GroupKind[] | undefined;
  namespaceResourceBlacklist: GroupKind[];
  permitOnlyProjectScopedClusters: boolean;
  destinationServiceAccounts: { server: string; namespace: string; defaultServiceAccount: string }[];
  syncWindows: SyncWindow[];
  /** Undefined looks for none. */
  orphanedResources: { warn: boolean; ignore: GroupKind[] } | undefined;
  signatures: SignaturePolicy[];
}

/** What Argo CD creates as `default`: everything is permitted. */
export const allowAllSpec = {
  sourceRepos: ['*'],
  destinations: [{ server: '*', namespace: '*' }],
  clusterResourceWhitelist: [{ group: '*', kind: '*' }],
};

export const allowAllProject: AppProject = {
  name: 'default',
  description: '',
  ...allowAllSpec,
  sourceNamespaces: [],
  clusterResourceBlacklist: [],
  namespaceResourceWhitelist: undefined,
  namespaceResourceBlacklist: [],
  permitOnlyProjectScopedClusters: false,
  destinationServiceAccounts: [],
  syncWindows: [],
  orphanedResources: undefined,
  signatures: [],
};

/** The older `signatureKeys` are one policy for all repositories; with policies for Git they do not count. */
function signaturesOf(data: z.infer<typeof spec>): SignaturePolicy[] {
  const { sourceIntegrity, signatureKeys } = data;
  const keys = signatureKeys.map(({ keyID }) => keyID);
  if (!sourceIntegrity?.git) return keys.length > 0 ? [{ repositories: ['*'], mode: 'head', keys }] : [];
  return sourceIntegrity.git.policies.map(({ repos, gpg }) => ({
    repositories: repos.map(({ url }) => url),
    mode: gpg?.mode ?? '',
    keys: gpg?.keys ?? [],
  }));
}

/** Reads an AppProject object; the second form names each mistake with its path. */
export function parseAppProject(object: { metadata: { name: string }; spec?: unknown }): AppProject | string[] {
  const remembered = parsed.get(object);
  if (remembered) return remembered;
  const fresh = parse(object);
  parsed.set(object, fresh);
  return fresh;
}

/** By identity: objects of watches are replaced, never changed. */
const parsed = new WeakMap<object, AppProject | string[]>();

function parse(object: { metadata: { name: string }; spec?: unknown }): AppProject | string[] {
  const result = spec.safeParse(object.spec ?? {});
  if (!result.success) return result.error.issues.map((issue) => `spec.${issue.path.join('.')}: ${issue.message}`);
  const { signatureKeys: _keys, sourceIntegrity: _integrity, ...data } = result.data;
  return {
    name: object.metadata.name,
    description: data.description,
    sourceRepos: data.sourceRepos,
    destinations: data.destinations,
    sourceNamespaces: data.sourceNamespaces,
    clusterResourceWhitelist: data.clusterResourceWhitelist,
    clusterResourceBlacklist: data.clusterResourceBlacklist,
    namespaceResourceWhitelist: data.namespaceResourceWhitelist,
    namespaceResourceBlacklist: data.namespaceResourceBlacklist,
    permitOnlyProjectScopedClusters: data.permitOnlyProjectScopedClusters,
    destinationServiceAccounts: data.destinationServiceAccounts,
    syncWindows: data.syncWindows,
    orphanedResources: data.orphanedResources,
    signatures: signaturesOf(result.data),
  };
}
