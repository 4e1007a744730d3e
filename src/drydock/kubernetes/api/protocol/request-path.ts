/** What a resource path asks for: `/api/v1/namespaces/default/pods/x/log`. */
export interface ResourcePath {
  group: string;
  version: string;
  namespace: string | undefined;
  plural: string;
  name: string | undefined;
  subresource: string | undefined;
  /** The deprecated `/api/v1/watch/...` form. */
  watch: boolean;
}

/** Undefined when the path is not that of a resource (discovery, health, or nothing at all). */
export function parseResourcePath(pathname: string): ResourcePath | undefined {
  const parts = pathname
    .split('/')
    .filter((part) => part !== '')
    .map(decode);
  const prefix = parts.shift();
  let group = '';
  if (prefix === 'apis') group = parts.shift() ?? '';
  else if (prefix !== 'api') return undefined;
  const version = parts.shift();
  const watch = parts[0] === 'watch' && parts.length > 1;
  if (watch) parts.shift();
  if (version === undefined || parts.length === 0) return undefined;
  let namespace: string | undefined;
  if (parts[0] === 'namespaces' && parts.length > 1) {
    namespace = parts[1];
    if (parts.length > 2 && parts[2] !== 'status' && parts[2] !== 'finalize') parts.splice(0, 2);
    else
      return {
        group,
        version,
        namespace: undefined,
        plural: 'namespaces',
        name: namespace,
        subresource: parts[2],
        watch,
      };
  }
  const [plural = '', name, subresource, ...rest] = parts;
  const tail = rest.length === 0 ? subresource : [subresource, ...rest].join('/');
  return { group, version, namespace, plural, name, subresource: tail, watch };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A stray percent sign names nothing that exists; the lookup answers 404.
    return part;
  }
}
