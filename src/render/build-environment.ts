import type { RenderRequest } from './port.ts';

/** The build environment of Argo CD that parameters and value file paths may use. */
export function buildEnvironment(request: RenderRequest): Record<string, string> {
  const { application, source, tree } = request;
  return {
    ARGOCD_APP_NAME: application.name,
    ARGOCD_APP_NAMESPACE: application.destinationNamespace,
    ARGOCD_APP_PROJECT_NAME: application.project,
    ARGOCD_APP_REVISION: tree.revision,
    ARGOCD_APP_REVISION_SHORT: tree.revision.slice(0, 7),
    ARGOCD_APP_REVISION_SHORT_8: tree.revision.slice(0, 8),
    ARGOCD_APP_SOURCE_REPO_URL: source.repoURL,
    ARGOCD_APP_SOURCE_PATH: source.path ?? '',
    ARGOCD_APP_SOURCE_TARGET_REVISION: source.targetRevision ?? '',
  };
}

/** `$NAME`, `${NAME}` and `$$` as Go's os.Expand reads them; unknown names give nothing. */
export function expandVariables(text: string, environment: Record<string, string>): string {
  return text.replace(/\$(?:\$|\{([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g, (whole, braced?: string, plain?: string) => {
    if (whole === '$$') return '$';
    return environment[braced ?? plain ?? ''] ?? '';
  });
}
