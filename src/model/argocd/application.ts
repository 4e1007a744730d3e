/** Application (argoproj.io/v1alpha1): the fields Slipway reads and writes. Unknown members of `spec` are kept. */

export type SyncStatusCode = 'Synced' | 'OutOfSync' | 'Unknown';
export type HealthStatus = 'Healthy' | 'Suspended' | 'Progressing' | 'Missing' | 'Degraded' | 'Unknown';
export type OperationPhase = 'Running' | 'Terminating' | 'Failed' | 'Error' | 'Succeeded';
export type ConditionType =
  | 'DeletionError'
  | 'InvalidSpecError'
  | 'ComparisonError'
  | 'SyncError'
  | 'UnknownError'
  | 'SharedResourceWarning'
  | 'RepeatedResourceWarning'
  | 'ExcludedResourceWarning'
  | 'OrphanedResourceWarning';

export interface Application {
  apiVersion: 'argoproj.io/v1alpha1';
  kind: 'Application';
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    generation?: number;
    creationTimestamp?: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    finalizers?: string[];
    [field: string]: unknown;
  };
  spec: ApplicationSpec;
  operation?: Operation;
  status?: ApplicationStatus;
  [field: string]: unknown;
}

export interface ApplicationSpec {
  project: string;
  source?: ApplicationSource;
  sources?: ApplicationSource[];
  destination: { server?: string; name?: string; namespace?: string };
  syncPolicy?: SyncPolicy;
  ignoreDifferences?: IgnoreDifference[];
  info?: { name: string; value: string }[];
  revisionHistoryLimit?: number;
  [field: string]: unknown;
}

export interface ApplicationSource {
  repoURL: string;
  path?: string;
  targetRevision?: string;
  /** Only tags that begin with it are versions; a version or constraint is meant of what follows. */
  tagPrefix?: string;
  chart?: string;
  ref?: string;
  name?: string;
  helm?: HelmSource;
  kustomize?: Record<string, unknown>;
  directory?: DirectorySource;
  plugin?: Record<string, unknown>;
}

export interface HelmSource {
  valueFiles?: string[];
  parameters?: { name: string; value: string; forceString?: boolean }[];
  fileParameters?: { name: string; path: string }[];
  releaseName?: string;
  values?: string;
  valuesObject?: Record<string, unknown>;
  version?: string;
  passCredentials?: boolean;
  ignoreMissingValueFiles?: boolean;
  skipCrds?: boolean;
  skipTests?: boolean;
  skipSchemaValidation?: boolean;
  namespace?: string;
  kubeVersion?: string;
  apiVersions?: string[];
}

export interface DirectorySource {
  recurse?: boolean;
  include?: string;
  exclude?: string;
  disableExtensionFilter?: boolean;
  jsonnet?: Record<string, unknown>;
}

export interface SyncPolicy {
  automated?: { enabled?: boolean; prune?: boolean; selfHeal?: boolean; allowEmpty?: boolean };
  syncOptions?: string[];
  retry?: RetryStrategy;
  managedNamespaceMetadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
}

export interface RetryStrategy {
  limit?: number;
  backoff?: { duration?: string; factor?: number; maxDuration?: string };
  refresh?: boolean;
}

export interface IgnoreDifference {
  group?: string;
  kind: string;
  name?: string;
  namespace?: string;
  jsonPointers?: string[];
  jqPathExpressions?: string[];
  managedFieldsManagers?: string[];
}

export interface ResourceKey {
  group: string;
  kind: string;
  namespace?: string;
  name: string;
}

export interface Operation {
  sync?: SyncOperation;
  initiatedBy?: { username?: string; automated?: boolean };
  info?: { name: string; value: string }[];
  retry?: RetryStrategy;
}

export interface SyncOperation {
  revision?: string;
  revisions?: string[];
  prune?: boolean;
  dryRun?: boolean;
  resources?: { group?: string; kind: string; name: string; namespace?: string }[];
  source?: ApplicationSource;
  sources?: ApplicationSource[];
  /** Manifests to sync instead of what Git holds. */
  manifests?: string[];
  syncOptions?: string[];
  syncStrategy?: { apply?: { force?: boolean }; hook?: { force?: boolean } };
  autoHealAttemptsCount?: number;
}

export interface ApplicationStatus {
  sync?: {
    status: SyncStatusCode;
    revision?: string;
    revisions?: string[];
    comparedTo?: Pick<ApplicationSpec, 'source' | 'sources' | 'destination' | 'ignoreDifferences'>;
  };
  health?: { status: HealthStatus; message?: string; lastTransitionTime?: string };
  resources?: ResourceStatus[];
  operationState?: OperationState;
  history?: RevisionHistory[];
  conditions?: ApplicationCondition[];
  reconciledAt?: string;
  sourceType?: 'Helm' | 'Kustomize' | 'Directory' | 'Plugin';
  sourceTypes?: string[];
  summary?: { images?: string[]; externalURLs?: string[]; isAppOfApps?: boolean };
  controllerNamespace?: string;
  [field: string]: unknown;
}

export interface ResourceStatus {
  group?: string;
  version: string;
  kind: string;
  namespace?: string;
  name: string;
  status?: SyncStatusCode;
  health?: { status: HealthStatus; message?: string };
  hook?: boolean;
  requiresPruning?: boolean;
  requiresDeletionConfirmation?: boolean;
  syncWave?: number;
}

export interface OperationState {
  operation: Operation;
  phase: OperationPhase;
  message?: string;
  startedAt: string;
  finishedAt?: string;
  retryCount?: number;
  syncResult?: {
    revision?: string;
    revisions?: string[];
    source?: ApplicationSource;
    sources?: ApplicationSource[];
    resources?: ResourceResult[];
    managedNamespaceMetadata?: NonNullable<SyncPolicy['managedNamespaceMetadata']>;
  };
}

export interface ResourceResult {
  group: string;
  version: string;
  kind: string;
  namespace: string;
  name: string;
  status?: 'Synced' | 'SyncFailed' | 'Pruned' | 'PruneSkipped';
  message?: string;
  hookType?: string;
  hookPhase?: OperationPhase;
  syncPhase?: string;
  images?: string[];
}

export interface RevisionHistory {
  id: number;
  revision?: string;
  revisions?: string[];
  source?: ApplicationSource;
  sources?: ApplicationSource[];
  deployedAt: string;
  deployStartedAt?: string;
  initiatedBy?: { username?: string; automated?: boolean };
}

export interface ApplicationCondition {
  type: ConditionType;
  message: string;
  lastTransitionTime?: string;
}
