import { isTrue } from '../api/protocol/query-flag.ts';
import type { ResourcePath } from '../api/protocol/request-path.ts';
import { nameErrors } from '../types/validate/names.ts';
import type { AccessRequest, ResourceAccess } from './policy-rule.ts';

export interface RequestLine {
  method: string;
  pathname: string;
  query: URLSearchParams;
}

/** What a request asks for, in the terms that rules are written in. */
export function requestedAccess(line: RequestLine, path: ResourcePath | undefined): AccessRequest {
  if (!path) return { kind: 'path', verb: line.method.toLowerCase(), path: line.pathname };
  const { verb, name } = resourceVerb(line, path);
  return {
    kind: 'resource',
    verb,
    group: path.group,
    version: path.version,
    resource: path.plural,
    // What comes after it, as in `proxy/metrics`, is for whom the subresource leads to.
    subresource: path.subresource?.split('/')[0] ?? '',
    // A namespace is in itself: rights there reach the object.
    namespace: path.namespace ?? (path.plural === 'namespaces' ? (path.name ?? '') : ''),
    name,
  };
}

function resourceVerb(line: RequestLine, path: ResourcePath): Pick<ResourceAccess, 'verb' | 'name'> {
  const name = path.name ?? '';
  if (path.watch) return { verb: 'watch', name };
  switch (line.method) {
    case 'POST':
      return { verb: 'create', name };
    case 'PUT':
      return { verb: 'update', name };
    case 'PATCH':
      return { verb: 'patch', name };
    case 'DELETE':
      return { verb: name === '' ? 'deletecollection' : 'delete', name };
    case 'GET':
    case 'HEAD':
      if (name !== '') return { verb: 'get', name };
      return { verb: isTrue(line.query.get('watch')) ? 'watch' : 'list', name: selectedName(line.query) };
    default:
      return { verb: '', name };
  }
}

/** A list of one object by name counts as a request for that object. */
function selectedName(query: URLSearchParams): string {
  for (const term of (query.get('fieldSelector') ?? '').split(',')) {
    const found = /^metadata\.name==?([^=].*)$/.exec(term.trim())?.[1];
    if (found !== undefined && nameErrors(found, 'path').length === 0) return found;
  }
  return '';
}
