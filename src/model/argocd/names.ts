/** The annotation, finalizer and field manager names that Argo CD and its users write. */
export const annotations = {
  trackingId: 'argocd.argoproj.io/tracking-id',
  installationId: 'argocd.argoproj.io/installation-id',
  refresh: 'argocd.argoproj.io/refresh',
  applicationSetRefresh: 'argocd.argoproj.io/application-set-refresh',
  skipReconcile: 'argocd.argoproj.io/skip-reconcile',
  syncWave: 'argocd.argoproj.io/sync-wave',
  syncOptions: 'argocd.argoproj.io/sync-options',
  compareOptions: 'argocd.argoproj.io/compare-options',
  hook: 'argocd.argoproj.io/hook',
  hookDeletePolicy: 'argocd.argoproj.io/hook-delete-policy',
  ignoreHealthcheck: 'argocd.argoproj.io/ignore-healthcheck',
  ignoreRestartPolicy: 'argocd.argoproj.io/ignore-restart-policy',
  deletionApproved: 'argocd.argoproj.io/deletion-approved',
  clientSideApplyManager: 'argocd.argoproj.io/client-side-apply-migration-manager',
  helmHook: 'helm.sh/hook',
  helmHookWeight: 'helm.sh/hook-weight',
  helmHookDeletePolicy: 'helm.sh/hook-delete-policy',
  helmResourcePolicy: 'helm.sh/resource-policy',
  lastApplied: 'kubectl.kubernetes.io/last-applied-configuration',
  /** Which operation of Slipway's created a hook object, so that a restart in mid-sync does not run it twice. */
  operation: 'slipway.dev/operation',
} as const;

export const labels = {
  secretType: 'argocd.argoproj.io/secret-type',
  instance: 'app.kubernetes.io/instance',
} as const;

export const finalizers = {
  hook: 'argocd.argoproj.io/hook-finalizer',
  foreground: ['resources-finalizer.argocd.argoproj.io', 'foreground-finalizer.argocd.argoproj.io'],
  background: 'background-finalizer.argocd.argoproj.io',
  preDelete: 'pre-delete-finalizer.argocd.argoproj.io',
  postDelete: 'post-delete-finalizer.argocd.argoproj.io',
} as const;

/** Argo CD's own name, so that fields keep their owner when a team moves to Slipway or back. */
export const fieldManager = 'argocd-controller';
/** Writes status and operation of Application objects. */
export const statusManager = 'slipway-controller';

export const inClusterServer = 'https://kubernetes.default.svc';
export const inClusterName = 'in-cluster';

/** What an application is called where one instance follows several namespaces: `name` in its own, else `namespace/name`. */
export function qualifiedName(
  metadata: { name: string; namespace?: string | undefined },
  instanceNamespace: string,
): string {
  const { name, namespace = '' } = metadata;
  return namespace === '' || namespace === instanceNamespace ? name : `${namespace}/${name}`;
}

export function parseQualifiedName(qualified: string, instanceNamespace: string): { name: string; namespace: string } {
  const slash = qualified.indexOf('/');
  if (slash < 0) return { name: qualified, namespace: instanceNamespace };
  return { namespace: qualified.slice(0, slash), name: qualified.slice(slash + 1) };
}

/** The same as it stands in tracking ids, labels and the build environment: `namespace_name`. No name holds `_` itself. */
export function instanceName(qualified: string): string {
  return qualified.replace('/', '_');
}

export function qualifiedOfInstanceName(name: string): string {
  return name.replace('_', '/');
}
