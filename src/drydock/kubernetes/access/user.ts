import { nameErrors } from '../types/validate/names.ts';

/** Who asks, as authorization and audit see it. */
export interface User {
  name: string;
  groups: readonly string[];
  uid?: string;
  extra?: Readonly<Record<string, readonly string[]>>;
}

export const everyKnownUser = 'system:authenticated';
export const everyUnknownUser = 'system:unauthenticated';
const administrators = 'system:masters';

export const anonymous: User = { name: 'system:anonymous', groups: [everyUnknownUser] };
export const administrator: User = { name: 'kubernetes-admin', groups: [administrators, everyKnownUser] };

/** The group that no rule restrains, as upstream. */
export function isAdministrator(user: User): boolean {
  return user.groups.includes(administrators);
}

/** A user that has shown who it is: it belongs to `system:authenticated`, once. */
export function knownUser(user: User): User {
  return user.groups.includes(everyKnownUser) ? user : { ...user, groups: [...user.groups, everyKnownUser] };
}

const accountPrefix = 'system:serviceaccount:';

export function serviceAccountName(namespace: string, name: string): string {
  return `${accountPrefix}${namespace}:${name}`;
}

/** The account behind a user name such as `system:serviceaccount:shop:deployer`; undefined for other users. */
export function parseServiceAccount(user: string): { namespace: string; name: string } | undefined {
  if (!user.startsWith(accountPrefix)) return undefined;
  const [namespace = '', name = '', ...rest] = user.slice(accountPrefix.length).split(':');
  const isAccount = nameErrors(namespace, 'label').length === 0 && nameErrors(name, 'subdomain').length === 0;
  return isAccount && rest.length === 0 ? { namespace, name } : undefined;
}

export function serviceAccountGroups(namespace: string): string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
}
