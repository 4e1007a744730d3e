import { createHash, timingSafeEqual } from 'node:crypto';
import { matchesWildcard } from './names.ts';

export type Action = 'pull' | 'push' | 'delete';

export interface Permission {
  /** Wildcard pattern on repository names. */
  repository: string;
  actions: Action[];
}

export interface RegistryUser {
  name: string;
  password: string;
  scopes: Permission[];
}

/** Somebody who asks, and what they may do. The anonymous identity has an empty name. */
export interface Identity {
  name: string;
  permissions: Permission[];
}

/** One entry of a token's `access` claim and of a `scope` parameter. */
export interface Scope {
  repository: string;
  actions: Action[];
}

export function mayDo(permissions: Permission[], repository: string, action: Action): boolean {
  return permissions.some(
    (permission) => permission.actions.includes(action) && matchesWildcard(permission.repository, repository),
  );
}

/** The part of what was asked for that the identity may have. */
export function grantScopes(identity: Identity, asked: Scope[]): Scope[] {
  return asked
    .map(({ repository, actions }) => ({
      repository,
      actions: actions.filter((action) => mayDo(identity.permissions, repository, action)),
    }))
    .filter(({ actions }) => actions.length > 0);
}

export function covers(scopes: Scope[], repository: string, action: Action): boolean {
  return scopes.some((scope) => scope.repository === repository && scope.actions.includes(action));
}

/** Reads `repository:NAME:ACTIONS` entries separated by spaces; entries of other types are left out, `*` means all actions. */
export function parseScopes(text: string): Scope[] {
  const scopes: Scope[] = [];
  for (const entry of text.split(' ').filter(Boolean)) {
    const match = /^repository(?:\([^)]*\))?:(.+):([^:]+)$/.exec(entry);
    const [, repository, list] = match ?? [];
    if (repository === undefined || list === undefined) continue;
    const named = list === '*' ? ['pull', 'push', 'delete'] : list.split(',');
    const actions = named.filter((name): name is Action => name === 'pull' || name === 'push' || name === 'delete');
    scopes.push({ repository, actions });
  }
  return scopes;
}

export function formatScope({ repository, actions }: Scope): string {
  return `repository:${repository}:${actions.join(',')}`;
}

export function parseBasic(header: string): { name: string; password: string } | undefined {
  const match = /^Basic\s+([A-Za-z0-9+/=_-]+)$/i.exec(header);
  if (!match?.[1]) return undefined;
  const text = Buffer.from(match[1], 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Takes the same time whatever the difference is. */
export function sameSecret(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}
