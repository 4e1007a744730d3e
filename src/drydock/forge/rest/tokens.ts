import { Hono } from 'hono';
import { AppError } from '#base/errors.ts';
import { idTokenClaims } from '../job-contexts.ts';
import type { ForgeParts } from '../parts.ts';
import { identityOf } from '../request-identity.ts';
import type { RestEnv } from './request.ts';

/** The token issuer: discovery, keys, and the endpoint jobs ask for their identity tokens. */
export function tokenRoutes(parts: ForgeParts): Hono<RestEnv> {
  const app = new Hono<RestEnv>();
  app.get('/.well-known/openid-configuration', (c) => c.json(parts.oidc.configuration()));
  app.get('/.well-known/jwks', (c) => c.json(parts.oidc.jwks()));
  app.get('/_actions/jobs/:job/id-token', async (c) => {
    const identity = identityOf(parts.accounts, c.req.header('authorization'));
    const jobId = Number(c.req.param('job'));
    if (identity?.kind !== 'job' || identity.jobId !== jobId) throw new AppError('unauthorized', 'Bad credentials');
    if (identity.permissions['id-token'] !== 'write')
      throw new AppError('forbidden', 'The job may not have an identity token');
    const job = parts.runs.job(jobId);
    const run = parts.runs.run(job.run_id);
    const repo = parts.repos.byId(run.repo_id);
    const actor = parts.accounts.byId(run.actor_id);
    const triggeringActor = parts.accounts.byId(run.triggering_actor_id);
    const claims = idTokenClaims({ run, repo, actor, triggeringActor }, job.environment ?? undefined);
    const value = await parts.oidc.sign(claims, c.req.query('audience') ?? parts.links.html(repo.owner));
    return c.json({ count: value.length, value });
  });
  return app;
}
