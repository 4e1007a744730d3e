import { globMatch } from '#base/glob.ts';
import type { AppProject } from '#model/argocd/app-project.ts';
import type { Application } from '#model/argocd/application.ts';

/** As whom a sync acts in its cluster: as Slipway itself when `user` is undefined. */
export type SyncIdentity = { user: string | undefined } | { problem: string };

export interface IdentityInput {
  project: Pick<AppProject, 'destinationServiceAccounts'>;
  application: Application;
  /** The cluster's address. */
  server: string;
  settings: { impersonation: boolean; impersonationEnforced: boolean };
}

/** The service account of the first entry that fits the destination, as the API server names it. */
function serviceAccountOf({ project, application, server }: IdentityInput): SyncIdentity {
  const { namespace = '' } = application.spec.destination;
  const found = project.destinationServiceAccounts.find(
    (entry) => globMatch(entry.server, server) && globMatch(entry.namespace, namespace),
  );
  if (!found) return { user: undefined };
  const account = found.defaultServiceAccount;
  if (account.trim() === '' || /[!*[\]{}\\/]/.test(account))
    return {
      problem: `failed to derive service account to impersonate: default service account contains invalid chars '${account}'`,
    };
  const own = namespace || application.metadata.namespace || '';
  return { user: `system:serviceaccount:${account.includes(':') ? account : `${own}:${account}`}` };
}

/** As whom an application is synced, when the settings ask for impersonation. */
export function syncIdentity(input: IdentityInput): SyncIdentity {
  const { settings, application, server } = input;
  if (!settings.impersonation) return { user: undefined };
  const identity = serviceAccountOf(input);
  if ('problem' in identity || identity.user !== undefined || !settings.impersonationEnforced) return identity;
  return {
    problem: `no matching service account found for destination server ${server} and namespace ${application.spec.destination.namespace ?? ''}`,
  };
}
