/** What an instance's ConfigMaps (`argocd-cm`, `argocd-cmd-params-cm`) say, in Argo CD's keys and with its defaults. */

export type TrackingMethod = 'annotation' | 'label' | 'annotation+label';

export interface Tracking {
  method: TrackingMethod;
  /** `application.instanceLabelKey`. */
  labelKey: string;
  /** `installationID`: when set, only objects that carry it are ours. */
  installationId: string | undefined;
}

export interface IgnoreFields {
  jsonPointers: string[];
  jqPathExpressions: string[];
  managedFieldsManagers: string[];
}

/** One entry of `resource.customizations`; `group` and `kind` may hold `*`, and `all` is both. Core's group is ''. */
export interface ResourceCustomization {
  group: string;
  kind: string;
  /** Lua source. */
  health?: string;
  useOpenLibs?: boolean;
  /** YAML: discovery.lua and definitions, as `resource.customizations.actions.*` holds it. */
  actions?: string;
  ignoreDifferences?: IgnoreFields;
  ignoreResourceUpdates?: IgnoreFields;
  knownTypeFields?: { field: string; type: string }[];
}

export interface ResourceFilter {
  apiGroups: string[];
  kinds: string[];
  clusters: string[];
}

export interface CompareSettings {
  /** `resource.compareoptions` ignoreResourceStatusField. */
  ignoreStatus: 'all' | 'crd' | 'none';
  ignoreAggregatedRoles: boolean;
  ignoreResourceUpdates: boolean;
  /** Annotations whose values are masked like Secret data. */
  sensitiveAnnotations: string[];
}

export interface RenderSettings {
  helm: { enabled: boolean; valuesFileSchemes: string[] };
  kustomize: {
    enabled: boolean;
    buildOptions: string;
    /** `kustomize.path.<version>` and `kustomize.buildOptions.<version>`. */
    versions: ReadonlyMap<string, { path: string | undefined; buildOptions: string | undefined }>;
  };
  jsonnet: { enabled: boolean };
  /** Of all files of a directory source together. */
  maxDirectoryBytes: number;
}

export interface ArgoSettings {
  /** Differs when anything that is configured does. */
  id: string;
  tracking: Tracking;
  customizations: readonly ResourceCustomization[];
  exclusions: readonly ResourceFilter[];
  inclusions: readonly ResourceFilter[];
  compare: CompareSettings;
  render: RenderSettings;
  /** `timeout.reconciliation` and its jitter, `timeout.hard.reconciliation`; 0 is off. */
  timeouts: { reconcileMs: number; jitterMs: number; hardReconcileMs: number };
  /**
   * `controller.sync.timeout.seconds` (0: none) and the pause after each wave. With impersonation every sync runs as a
   * service account that the project names; enforced, a sync that no entry matches is refused.
   */
  sync: { timeoutMs: number; waveDelayMs: number; impersonation: boolean; impersonationEnforced: boolean };
  /** Wait between heals; `fixedMs` above 0 replaces the growing one. */
  selfHeal: { baseMs: number; factor: number; capMs: number; fixedMs: number };
  /** How long a repository may fail before applications say so. */
  repositoryGraceMs: number;
  /** `cluster.inClusterEnabled`: whether applications may go to the cluster of the instance itself. */
  inClusterEnabled: boolean;
  /** Globs or `/regular expressions/` of the namespaces, beside the instance's own, whose Applications are followed. */
  applicationNamespaces: readonly string[];
  globalProjects: readonly { projectName: string; labelSelector: unknown }[];
  applicationSets: {
    namespaces: readonly string[];
    policy: '' | 'sync' | 'create-only' | 'create-update' | 'create-delete';
    policyOverride: boolean;
    progressiveSyncs: boolean;
    scmProviders: boolean;
    allowedScmProviders: readonly string[];
    newGitFileGlobbing: boolean;
    preservedAnnotations: readonly string[];
    preservedLabels: readonly string[];
  };
  /** The data of `argocd-cm` and `argocd-cmd-params-cm`, for what concerns one area only. */
  data: Readonly<Record<string, string>>;
  params: Readonly<Record<string, string>>;
  /** What could not be read, one line each, with the key; its default holds. */
  problems: readonly string[];
}

/** An instance without ConfigMaps. */
export const defaultSettings: ArgoSettings = {
  id: '',
  tracking: { method: 'annotation', labelKey: 'app.kubernetes.io/instance', installationId: undefined },
  customizations: [],
  exclusions: [],
  inclusions: [],
  compare: { ignoreStatus: 'all', ignoreAggregatedRoles: false, ignoreResourceUpdates: true, sensitiveAnnotations: [] },
  render: {
    helm: { enabled: true, valuesFileSchemes: ['https', 'http'] },
    kustomize: { enabled: true, buildOptions: '', versions: new Map() },
    jsonnet: { enabled: true },
    maxDirectoryBytes: 10_000_000,
  },
  timeouts: { reconcileMs: 120_000, jitterMs: 60_000, hardReconcileMs: 0 },
  sync: { timeoutMs: 0, waveDelayMs: 2000, impersonation: false, impersonationEnforced: true },
  selfHeal: { baseMs: 2000, factor: 3, capMs: 300_000, fixedMs: 0 },
  repositoryGraceMs: 180_000,
  inClusterEnabled: true,
  applicationNamespaces: [],
  globalProjects: [],
  applicationSets: {
    namespaces: [],
    policy: '',
    policyOverride: true,
    progressiveSyncs: false,
    scmProviders: true,
    allowedScmProviders: [],
    newGitFileGlobbing: false,
    preservedAnnotations: [],
    preservedLabels: [],
  },
  data: {},
  params: {},
  problems: [],
};
