import { isObject } from '#base/json.ts';
import type { User } from '../access/user.ts';
import { isDryRun } from './dry-run.ts';
import type { Exchange } from './exchange.ts';
import { cloneJson } from './metadata.ts';
import { fieldManager } from './patch.ts';
import type { ApiObject } from './port.ts';
import { decodeObject, parseBody } from './request-body.ts';
import type { ServedResource } from './served.ts';
import { methodNotAllowed, notFound } from './status-error.ts';
import type { SubresourceTarget } from './subresource-requests.ts';
import { updateObject, type WriteDeps } from './write.ts';

/** A certificate is asked for in the name of who asks, whatever the request says. In place. */
export function stampRequester(resource: ServedResource, object: ApiObject, user: User): void {
  if (resource.groupResource !== 'certificatesigningrequests.certificates.k8s.io') return;
  const { uid: _uid, extra: _extra, ...spec } = isObject(object['spec']) ? object['spec'] : {};
  const { name, groups, uid, extra } = user;
  object['spec'] = {
    ...spec,
    username: name,
    groups: [...groups],
    ...(uid === undefined ? {} : { uid }),
    ...(extra === undefined ? {} : { extra: cloneJson(extra) }),
  };
}

/** The decision on a certificate request: GET and PUT; only the conditions of the status are taken over. */
export async function decideRequest(deps: WriteDeps, exchange: Exchange, target: SubresourceTarget): Promise<void> {
  const { resource, name } = target;
  if (exchange.method === 'GET') {
    const live = deps.store.get(resource.storage, name);
    if (!live) throw notFound(resource, name);
    return exchange.json(200, live.object);
  }
  if (exchange.method !== 'PUT') throw methodNotAllowed();
  const body = parseBody(await exchange.body(), exchange.header('content-type'), resource.kind);
  const { object } = decodeObject(resource, body);
  const { resourceVersion = '' } = object.metadata;
  const conditions = isObject(object['status']) ? object['status']['conditions'] : undefined;
  const result = await updateObject(deps, {
    ...target,
    namespace: undefined,
    options: {
      manager: fieldManager(exchange.query, exchange.header('user-agent'), 'UpdateOptions'),
      dryRun: isDryRun('UpdateOptions', exchange.dryRun),
    },
    subresource: 'approval',
    produce: (live) => {
      const wanted = cloneJson(live);
      wanted.metadata.resourceVersion = resourceVersion;
      wanted['status'] = { ...(isObject(wanted['status']) ? wanted['status'] : {}), conditions };
      return { object: wanted, managed: false };
    },
  });
  await exchange.json(200, result.object);
}
