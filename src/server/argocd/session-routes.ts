import { Hono } from 'hono';
import { deleteCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import { AppError } from '#base/errors.ts';
import { localIssuer, type Sessions } from '../access/sessions.ts';
import type { ServerEnv } from '../auth.ts';
import { readBody } from '../body.ts';

const LoginBody = z.looseObject({
  username: z.string().default(''),
  password: z.string().default(''),
  token: z.string().default(''),
});

const cookie = 'argocd.token';

/** Logging in and out, and who the caller is. These answer to nobody in particular, too. */
export function sessionRoutes(sessions: Sessions): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();

  app.post('/session', async (c) => {
    const { username, password, token: given } = await readBody(c, LoginBody);
    if (given !== '')
      throw new AppError('unauthorized', 'token-based session creation no longer supported. please upgrade argocd cli');
    if (username === '' || password === '')
      throw new AppError('unauthorized', 'no credentials supplied', { hint: 'send username and password' });
    const token = await sessions.logIn(username, password, c.req.raw.signal);
    const secure = new URL(c.req.url).protocol === 'https:';
    setCookie(c, cookie, token, { path: '/', sameSite: 'Lax', httpOnly: true, secure });
    return c.json({ token });
  });

  app.delete('/session', async (c) => {
    const { session } = c.get('principal');
    if (session?.id !== undefined) await sessions.revoke(session.id, session.expiresAt, c.req.raw.signal);
    deleteCookie(c, cookie, { path: '/' });
    return c.json({ token: '' });
  });

  app.get('/session/userinfo', (c) => {
    const { subject, name, groups, session, kind } = c.get('principal');
    if (subject === '' || kind === 'anonymous') return c.json({ loggedIn: false });
    const iss = session?.issuer ?? localIssuer;
    return c.json({ loggedIn: true, username: name, iss, ...(groups.length > 0 ? { groups } : {}) });
  });

  return app;
}
