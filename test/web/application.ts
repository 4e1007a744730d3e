import type { Application, ApplicationStatus } from '#model/argocd/application.ts';

export interface ApplicationTraits {
  name: string;
  automated?: boolean;
  valuesFile?: string;
  namespace?: string;
  repoURL?: string;
  path?: string;
  labels?: Record<string, string>;
  status?: ApplicationStatus;
}

/** An Application of the usual shape, for tests. */
export function application(traits: ApplicationTraits): Application {
  const { name, automated = true, valuesFile, namespace = 'myshop', labels, status } = traits;
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'argocd', uid: `uid-${name}`, ...(labels ? { labels } : {}) },
    spec: {
      project: 'default',
      source: {
        repoURL: traits.repoURL ?? 'http://127.0.0.1:3000/myshop/myshop-manifests.git',
        path: traits.path ?? 'charts/myshop-api',
        targetRevision: 'main',
        ...(valuesFile ? { helm: { valueFiles: ['values.yaml', valuesFile] } } : {}),
      },
      destination: { server: 'https://kubernetes.default.svc', namespace },
      ...(automated ? { syncPolicy: { automated: { prune: true, selfHeal: true } } } : {}),
    },
    ...(status ? { status } : {}),
  };
}
