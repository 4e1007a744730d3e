import { messageOf } from '#base/errors.ts';
import { cloneJson, getArray, getString, isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { forbidden, invalid } from '../api/protocol/status-error.ts';
import type { Subresource } from '../api/resources.ts';
import type { ServedResource } from '../api/served.ts';
import { parseSigningRequest } from '../api/write/signing-request.ts';
import type { Authorizer } from './authorizer.ts';
import type { User } from './user.ts';

export const certificateRequests = 'certificatesigningrequests.certificates.k8s.io';

export interface RequestWrite {
  resource: Pick<ServedResource, 'group' | 'plural' | 'groupResource'>;
  /** Changed in place. */
  object: ApiObject;
  live: ApiObject | undefined;
  subresource: Subresource | undefined;
  user: User | undefined;
  now: string;
}

/** Who asks for a certificate is who sends the request, for good; conditions get the times they lack. In place. */
export function completeRequest({ object, live, user, now }: RequestWrite): void {
  if (live) object['spec'] = cloneJson(live['spec']);
  else if (user) object['spec'] = { ...(isObject(object['spec']) ? object['spec'] : {}), ...requester(user) };
  const before = getArray(live, 'status', 'conditions');
  for (const condition of getArray(object, 'status', 'conditions').filter(isObject)) {
    const old = before.find((item) => getString(item, 'type') === condition['type']);
    const same = old !== undefined && getString(old, 'status') === condition['status'];
    condition['lastUpdateTime'] ??= now;
    condition['lastTransitionTime'] ??= (same && getString(old, 'lastTransitionTime')) || now;
  }
}

function requester({ name, uid, groups, extra }: User): JsonObject {
  return {
    username: name,
    ...(uid === undefined ? {} : { uid }),
    groups: [...groups],
    ...(extra === undefined ? {} : { extra: cloneJson(extra) }),
  };
}

/** Throws 422 for what is no request, and 403 for one that would make its bearer an administrator. */
export function refuseRequest({ resource, object, live }: RequestWrite): void {
  if (live) return;
  const bytes = Buffer.from(getString(object, 'spec', 'request') ?? '', 'base64');
  const { name } = object.metadata;
  let organizations: string[];
  try {
    ({ organizations } = parseSigningRequest(bytes.toString('latin1')));
  } catch (error) {
    const shown = [...bytes].map((byte) => `0x${byte.toString(16)}`).join(', ');
    const message = `Invalid value: []byte{${shown}}: ${messageOf(error)}`;
    throw invalid({ group: resource.group, kind: object.kind }, name, [
      { field: 'spec.request', reason: 'FieldValueInvalid', message },
    ]);
  }
  const signer = 'kubernetes.io/kube-apiserver-client';
  if (getString(object, 'spec', 'signerName') !== signer || !organizations.includes('system:masters')) return;
  throw forbidden(resource, name, `use of ${signer} signer with system:masters group is not allowed`);
}

/** Throws 403 unless the user may approve, or sign, for the request's signer. */
export function refuseApproval(authorizer: Authorizer, write: RequestWrite): void {
  const { resource, object, live, subresource, user } = write;
  if (!user || !live) return;
  const signed = getString(object, 'status', 'certificate') !== getString(live, 'status', 'certificate');
  const verb = subresource === 'approval' ? 'approve' : subresource === 'status' && signed ? 'sign' : undefined;
  if (verb === undefined) return;
  const signer = getString(live, 'spec', 'signerName') ?? '';
  const names = [signer, `${signer.split('/')[0]}/*`];
  const place = {
    kind: 'resource',
    group: 'certificates.k8s.io',
    version: 'v1',
    namespace: '',
    subresource: '',
  } as const;
  const may = names.some((name) => authorizer.decide(user, { ...place, verb, resource: 'signers', name }).allowed);
  if (may) return;
  const why = `user not permitted to ${verb} requests with signerName ${JSON.stringify(signer)}`;
  throw forbidden(resource, object.metadata.name, why);
}
