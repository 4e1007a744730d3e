import { ApiError } from '../api/port.ts';
import type { Authorizer } from './authorizer.ts';
import type { ResourceAccess } from './policy-rule.ts';
import { goTexts } from './rule-cover.ts';
import {
  anonymous,
  everyKnownUser,
  everyUnknownUser,
  parseServiceAccount,
  serviceAccountGroups,
  type User,
} from './user.ts';

/** Request headers, lower-cased, every value of its own. */
export type DistinctHeaders = Readonly<Record<string, readonly string[] | undefined>>;

const prefix = 'impersonate-';
const extraPrefix = 'impersonate-extra-';
const noVerb = { kind: 'resource', verb: 'impersonate', version: '', subresource: '', namespace: '' } as const;

/**
 * The user that a request asks to be treated as (`kubectl --as`), after `user` has been found allowed to impersonate each
 * part of it; undefined when it asks for nobody. Throws 403, and 500 as upstream when groups come without a user.
 */
export function impersonatedUser(authorizer: Authorizer, user: User, headers: DistinctHeaders): User | undefined {
  const wanted = parseHeaders(headers);
  if (!wanted) return undefined;
  const { name, groups, uid, extra } = wanted;
  const account = parseServiceAccount(name);
  const require = (access: Pick<ResourceAccess, 'group' | 'resource' | 'name'> & Partial<ResourceAccess>): void => {
    authorizer.require(user, { ...noVerb, ...access });
  };
  if (account) require({ group: '', resource: 'serviceaccounts', ...account });
  else require({ group: '', resource: 'users', name });
  for (const group of groups) require({ group: '', resource: 'groups', name: group });
  const extras = { group: 'authentication.k8s.io', version: 'v1' };
  for (const [key, values] of Object.entries(extra))
    for (const value of values) require({ ...extras, resource: 'userextras', subresource: key, name: value });
  if (uid !== undefined) require({ ...extras, resource: 'uids', name: uid });
  const own = groups.length === 0 && account ? serviceAccountGroups(account.namespace) : groups;
  return {
    name,
    groups: withAuthenticationGroup(name, own),
    ...(uid === undefined ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

interface Wanted {
  name: string;
  groups: readonly string[];
  uid: string | undefined;
  extra: Record<string, readonly string[]>;
}

function parseHeaders(headers: DistinctHeaders): Wanted | undefined {
  const names = Object.keys(headers).filter((header) => header.startsWith(prefix));
  if (names.length === 0) return undefined;
  const extra: Wanted['extra'] = {};
  for (const header of names)
    if (header.startsWith(extraPrefix)) extra[decodeKey(header.slice(extraPrefix.length))] = headers[header] ?? [];
  const name = headers['impersonate-user']?.[0] ?? '';
  const groups = headers['impersonate-group'] ?? [];
  const uid = headers['impersonate-uid']?.[0] || undefined;
  if (name !== '') return { name, groups, uid, extra };
  if (groups.length === 0 && uid === undefined && Object.keys(extra).length === 0) return undefined;
  throw new ApiError(
    500,
    'InternalError',
    `Internal error occurred: requested ${goTexts([...groups, ...(uid === undefined ? [] : [uid]), ...Object.keys(extra)])} without impersonating a user`,
  );
}

function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    // A key that is not percent-encoded stands for itself.
    return key;
  }
}

function withAuthenticationGroup(name: string, groups: readonly string[]): readonly string[] {
  const known = name !== anonymous.name;
  if (groups.includes(everyUnknownUser) || (known && groups.includes(everyKnownUser))) return groups;
  return [...groups, known ? everyKnownUser : everyUnknownUser];
}
