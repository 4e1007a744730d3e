import type { RenderRequest } from './port.ts';

/** The build environment of Argo CD, which parameters and paths of value files may use. */
export function buildEnvironment(request: RenderRequest): Record<string, string> {
  const { application, source, tree } = request;
  return {
    ARGOCD_APP_NAME: application.instanceName,
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

/** One-character names of a shell, which Go expands too. */
const special = /[*#$@!?\-0-9]/;

/** `$NAME` and `${NAME}` as Go's os.Expand reads them, `$$` as one `$`; unknown names give nothing. */
export function expandVariables(text: string, environment: Record<string, string>): string {
  let out = '';
  for (let at = 0; at < text.length; ) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0 || dollar === text.length - 1) return out + text.slice(at);
    out += text.slice(at, dollar);
    const { name, next, literal } = readName(text, dollar + 1);
    if (literal) out += '$';
    else out += name === '$' ? '$' : (environment[name] ?? '');
    at = next;
  }
  return out;
}

/** `literal`: the `$` begins no name and stands for itself. */
function readName(text: string, at: number): { name: string; next: number; literal?: boolean } {
  const first = text[at] ?? '';
  if (first === '{') {
    const end = text.indexOf('}', at);
    // Without an end, or without a name, Go drops the brackets.
    if (end < 0) return { name: '', next: at + 1 };
    return { name: text.slice(at + 1, end), next: end + 1 };
  }
  if (special.test(first)) return { name: first, next: at + 1 };
  const name = /^[A-Za-z0-9_]+/.exec(text.slice(at))?.[0];
  return name === undefined ? { name: '', next: at, literal: true } : { name, next: at + name.length };
}
