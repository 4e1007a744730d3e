import { AppError } from '#base/errors.ts';
import type { Account } from './accounts.ts';
import type { ForgeParts } from './parts.ts';
import type { Access, CreateRepository, Repository } from './repositories.ts';
import type { EnvironmentRules, SettingScope } from './settings.ts';
import type { NewHook } from './webhooks.ts';

/** Where a variable or secret belongs: `owner`, `owner/repository`, or `owner/repository` with an environment. */
export interface SettingTarget {
  owner: string;
  repository?: string;
  environment?: string;
}

/** What is set up in process rather than over HTTP. Everything may be repeated and then changes nothing. */
export interface ForgeSeed {
  createUser(login: string, name: string, email: string, options?: { siteAdmin?: boolean }): Account;
  createOrg(login: string, name: string): Account;
  addMember(org: string, login: string, role?: 'admin' | 'member'): void;
  /** A new token each time it is called. */
  createToken(login: string, name: string): string;
  /** Makes a given text a token of the user. */
  adoptToken(login: string, name: string, token: string): void;
  createRepository(owner: string, options: CreateRepository, signal: AbortSignal): Promise<Repository>;
  addCollaborator(owner: string, name: string, grant: { login: string; permission: Exclude<Access, 'none'> }): void;
  setVariable(target: SettingTarget, name: string, value: string): void;
  setSecret(target: SettingTarget, name: string, value: string): void;
  /** `reviewers` are logins. */
  putEnvironment(
    owner: string,
    repository: string,
    environment: Omit<EnvironmentRules, 'reviewers'> & { name: string; reviewers?: string[] },
  ): void;
  /** One hook for each address and target: a second call changes the first one's hook. */
  putWebhook(target: { owner: string; repository?: string }, hook: NewHook): number;
}

export function forgeSeed(parts: ForgeParts): ForgeSeed {
  const { accounts, repos, settings, webhooks } = parts;
  const repoOf = (owner: string, name: string) => {
    const repo = repos.find(owner, name);
    if (!repo) throw new AppError('not-found', `no repository ${owner}/${name}`);
    return repo;
  };
  const scopeOf = (target: SettingTarget): SettingScope => {
    if (target.repository === undefined) return { scope: 'org', id: accounts.byLogin(target.owner).id };
    const repo = repoOf(target.owner, target.repository);
    if (target.environment === undefined) return { scope: 'repo', id: repo.id };
    return { scope: 'environment', id: settings.ensureEnvironment(repo, target.environment).id };
  };
  return {
    createUser: (login, name, email, options = {}) =>
      accounts.put({ login, name, email, type: 'User', siteAdmin: options.siteAdmin ?? false }),
    createOrg: (login, name) => accounts.put({ login, name, email: '', type: 'Organization' }),
    addMember: (org, login, role = 'member') => accounts.addMember(org, login, role),
    createToken: (login, name) => accounts.createToken(login, name),
    adoptToken: (login, name, token) => accounts.adoptToken(login, name, token),
    createRepository: (owner, options, signal) => repos.create(accounts.byLogin(owner), options, signal),
    addCollaborator: (owner, name, { login, permission }) =>
      repos.addCollaborator(repoOf(owner, name), accounts.byLogin(login).id, permission),
    setVariable: (target, name, value) => settings.put('variable', scopeOf(target), { name, value }),
    setSecret: (target, name, value) => settings.put('secret', scopeOf(target), { name, value }),
    putEnvironment: (owner, repository, { name, reviewers = [], ...rules }) => {
      const ids = reviewers.map((login) => accounts.byLogin(login).id);
      settings.putEnvironment(repoOf(owner, repository), name, { ...rules, reviewers: ids });
    },
    putWebhook: (target, hook) => {
      const scope =
        target.repository === undefined
          ? { orgId: accounts.byLogin(target.owner).id }
          : { repoId: repoOf(target.owner, target.repository).id };
      const known = webhooks.list(scope).find((candidate) => candidate.url === hook.url);
      return known ? webhooks.update(known.id, hook).id : webhooks.create(scope, { contentType: 'json', ...hook }).id;
    },
  };
}
