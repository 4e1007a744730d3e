/**
 * One text for all spellings of a repository's address: scheme, user, port, letter case and `.git` do not matter. A registry's
 * has no scheme.
 */
export function repositoryKey(url: string): string {
  const scp = /^(?:[^@/\s]+@)?([^/:\s]+):(?!\/\/|\d+(?:\/|$))(.+)$/.exec(url);
  let host = scp?.[1] ?? '';
  let path = scp?.[2] ?? '';
  const full = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(?:[^@/]*@)?(\[[^\]]*\]|[^/:]*)(?::\d+)?(\/.*)?$/i.exec(url);
  if (full && !scp) {
    host = full[1] ?? '';
    path = full[2] ?? '';
  }
  const clean = path.replace(/^\/+|\/+$/g, '').replace(/\.git$/i, '');
  return `${host}/${clean}`.toLowerCase();
}
