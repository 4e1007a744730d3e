/** The annotation, finalizer and field manager names that Argo CD and its users write. */
export const annotations = {
  trackingId: 'argocd.argoproj.io/tracking-id',
  refresh: 'argocd.argoproj.io/refresh',
  skipReconcile: 'argocd.argoproj.io/skip-reconcile',
  syncWave: 'argocd.argoproj.io/sync-wave',
  syncOptions: 'argocd.argoproj.io/sync-options',
  compareOptions: 'argocd.argoproj.io/compare-options',
  hook: 'argocd.argoproj.io/hook',
  hookDeletePolicy: 'argocd.argoproj.io/hook-delete-policy',
  ignoreHealthcheck: 'argocd.argoproj.io/ignore-healthcheck',
  ignoreRestartPolicy: 'argocd.argoproj.io/ignore-restart-policy',
  deletionApproved: 'argocd.argoproj.io/deletion-approved',
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
} as const;

/** Argo CD's own name, so that fields keep their owner when a team moves to Slipway or back. */
export const fieldManager = 'argocd-controller';
/** Writes status and operation of Application objects. */
export const statusManager = 'slipway-controller';

export const inClusterServer = 'https://kubernetes.default.svc';
export const inClusterName = 'in-cluster';
