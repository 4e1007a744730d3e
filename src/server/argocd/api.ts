import { Hono } from 'hono';
import type { Clock, Entropy } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Sessions } from '../access/sessions.ts';
import type { ServerEnv } from '../auth.ts';
import type { ArgocdDeps } from './access.ts';
import { accountRoutes } from './account-routes.ts';
import { applicationSets } from './application-sets.ts';
import { applications } from './applications.ts';
import { certificates } from './certificates.ts';
import { clusters } from './clusters.ts';
import { instanceLists } from './instance-lists.ts';
import { linkRoutes } from './link-routes.ts';
import { logRoutes } from './logs.ts';
import { operations } from './operations.ts';
import { projects } from './projects.ts';
import { readRepositories, repositories, writeRepositories } from './repositories.ts';
import { readCredentials, repositoryCredentials, writeCredentials } from './repository-credentials.ts';
import { repositoryDetails } from './repository-details.ts';
import { resourceRoutes } from './resource-routes.ts';
import { revisionRoutes } from './revision-routes.ts';
import { streams } from './streams.ts';

export interface ApiDeps extends ArgocdDeps {
  sessions: Sessions;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  /** Aborts when the server stops. */
  closing: AbortSignal;
}

/** Argo CD's REST API, all that needs somebody who is known. The order decides where a path fits two routes. */
export function argocdApi(deps: ApiDeps): Hono<ServerEnv> {
  const { closing, clock } = deps;
  const api = new Hono<ServerEnv>();
  const parts = [
    revisionRoutes(deps),
    operations(deps),
    resourceRoutes(deps),
    logRoutes(deps, { now: () => clock.now(), closing }),
    linkRoutes(deps),
    applications(deps),
    applicationSets(deps, closing),
    streams(deps, closing),
    projects(deps),
    clusters(deps),
    repositoryDetails(deps),
    repositories(deps, readRepositories),
    repositories(deps, writeRepositories),
    repositoryCredentials(deps, readCredentials),
    repositoryCredentials(deps, writeCredentials),
    certificates(deps),
    accountRoutes(deps),
    instanceLists(deps),
  ];
  for (const part of parts) api.route('/', part);
  return api;
}
