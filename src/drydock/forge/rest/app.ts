import { Hono } from 'hono';
import { etag } from 'hono/etag';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { type ErrorCode, errorTable, isAppError, messageOf } from '#base/errors.ts';
import type { ForgeParts } from '../parts.ts';
import { identityOf } from '../request-identity.ts';
import { accountRoutes } from './accounts.ts';
import { actionRoutes } from './actions.ts';
import { approvalRoutes } from './approvals.ts';
import { commitRoutes } from './commits.ts';
import { contentRoutes } from './contents.ts';
import { gitDataRoutes } from './git-data.ts';
import { hookRoutes } from './hooks.ts';
import { issueRoutes } from './issues.ts';
import { pullRoutes } from './pulls.ts';
import { releaseRoutes } from './releases.ts';
import { repositoryRoutes } from './repositories.ts';
import type { RestEnv } from './request.ts';
import { settingRoutes } from './settings.ts';
import { statusRoutes } from './statuses.ts';
import { tokenRoutes } from './tokens.ts';

const documentation = 'https://docs.github.com/rest';

/** Everything the forge answers over HTTP except git itself. */
export function restApp(parts: ForgeParts): Hono<RestEnv> {
  const app = new Hono<RestEnv>();
  app.onError((error, c) => {
    const status = isAppError(error) ? statusOf(error.code) : 500;
    if (status >= 500) parts.logger.error({ method: c.req.method, path: c.req.path }, messageOf(error));
    const message = isAppError(error) ? error.message : 'Server Error';
    if (status === 401) c.header('WWW-Authenticate', 'Basic realm="forge"');
    return c.json({ message, documentation_url: documentation, status: String(status) }, status);
  });
  app.notFound((c) => c.json({ message: 'Not Found', documentation_url: documentation, status: '404' }, 404));
  app.route('/', tokenRoutes(parts));
  const api = new Hono<RestEnv>();
  api.use('*', async (c, next) => {
    const identity = identityOf(parts.accounts, c.req.header('authorization'));
    if (!identity) return c.json({ message: 'Bad credentials', documentation_url: documentation, status: '401' }, 401);
    c.set('identity', identity);
    await next();
    c.header('X-GitHub-Media-Type', 'github.v3; format=json');
    c.header('X-GitHub-Request-Id', parts.entropy.uuid());
    for (const [name, value] of Object.entries(rateLimit(parts))) c.header(`X-RateLimit-${name}`, String(value));
    return undefined;
  });
  api.use('*', etag({ weak: true }));
  api.get('/rate_limit', (c) =>
    c.json({ resources: { core: lowerCase(rateLimit(parts)) }, rate: lowerCase(rateLimit(parts)) }),
  );
  api.get('/meta', (c) => c.json({ verifiable_password_authentication: false, installed_version: '3.16.0' }));
  api.get('/', (c) =>
    c.json({ current_user_url: `${parts.links.api}/user`, repository_url: `${parts.links.api}/repos/{owner}/{repo}` }),
  );
  for (const routes of [
    accountRoutes,
    repositoryRoutes,
    statusRoutes,
    commitRoutes,
    contentRoutes,
    gitDataRoutes,
    pullRoutes,
    issueRoutes,
    releaseRoutes,
    hookRoutes,
    actionRoutes,
    approvalRoutes,
    settingRoutes,
  ]) {
    api.route('/', routes(parts));
  }
  app.route('/api/v3', api);
  return app;
}

/** GitHub answers 422 where the input is understood and refused. */
function statusOf(code: ErrorCode): ContentfulStatusCode {
  if (code === 'bad-input') return 422;
  if (code === 'canceled') return 503;
  return errorTable[code].status;
}

/** The forge has no rate limit; the headers say so in GitHub's form. */
function rateLimit(parts: ForgeParts): Record<string, number> {
  const hourS = 3600;
  const reset = Math.ceil(parts.clock.now() / 1000 / hourS) * hourS;
  return { Limit: 1_000_000, Remaining: 1_000_000, Reset: reset, Used: 0 };
}

function lowerCase(limits: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(limits).map(([name, value]) => [name.toLowerCase(), value]));
}
