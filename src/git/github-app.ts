import { createPrivateKey } from 'node:crypto';
import { importPKCS8, SignJWT } from 'jose';
import { Agent } from 'undici';
import { withTimeout } from '#base/abortable.ts';
import type { Clock } from '#base/clock.ts';
import { AppError, messageOf } from '#base/errors.ts';
import { getString, parseJson } from '#base/json.ts';
import { registerSecret } from '#base/redact.ts';

export interface GitHubApp {
  id: string;
  /** Undefined asks GitHub for that of the repository's owner. */
  installationId: string | undefined;
  /** PEM, as GitHub gives it. */
  privateKey: string;
  /** The API of an Enterprise server, e.g. `https://github.example.com/api/v3`. */
  enterpriseBaseUrl?: string;
}

export interface GitHubAppTokens extends AsyncDisposable {
  /** A token that reads the repositories of the installation; kept until shortly before its end. */
  get(app: GitHubApp, repository: string, signal: AbortSignal): Promise<string>;
}

const timeoutMs = 15_000;
const spareMs = 5 * 60_000;
const publicApi = 'https://api.github.com';

/** Signs in as GitHub Apps. */
export function githubAppTokens(deps: { clock: Clock }): GitHubAppTokens {
  const agent = new Agent({ connect: { timeout: 5_000 } });
  const kept = new Map<string, { token: string; until: number }>();

  async function ask(app: GitHubApp, method: 'GET' | 'POST', path: string, signal: AbortSignal): Promise<unknown> {
    const api = (app.enterpriseBaseUrl ?? publicApi).replace(/\/+$/, '');
    const what = `${method} ${api}${path} as GitHub App ${app.id}`;
    const url = new URL(`${api}${path}`);
    return await withTimeout({ signal, timeoutMs, what }, async (limited) => {
      const { statusCode, body } = await agent.request({
        origin: url.origin,
        path: url.pathname,
        method,
        signal: limited,
        headers: {
          authorization: `Bearer ${await signed(app, deps.clock.now())}`,
          accept: 'application/vnd.github+json',
          'user-agent': 'slipway',
        },
      });
      const text = await body.text();
      if (statusCode >= 200 && statusCode < 300) return parseJson(text, `the answer to ${what}`);
      const code = statusCode === 404 ? 'not-found' : statusCode >= 500 ? 'unavailable' : 'unauthorized';
      throw new AppError(code, `${what}: ${statusCode}`, {
        hint: 'check the ids and the private key of the App, and that it is installed for this repository',
      });
    });
  }

  async function installationOf(app: GitHubApp, repository: string, signal: AbortSignal): Promise<string> {
    if (app.installationId !== undefined) return app.installationId;
    const [, owner, name] = /[/:]([^/:]+)\/([^/]+?)(?:\.git)?\/*$/.exec(repository) ?? [];
    if (owner === undefined || name === undefined)
      throw new AppError('bad-input', `${repository} names no owner, and the GitHub App has no installation id`, {
        hint: 'set githubAppInstallationID',
      });
    const found = await ask(app, 'GET', `/repos/${owner}/${name}/installation`, signal);
    const id = typeof found === 'object' && found !== null && 'id' in found ? found.id : undefined;
    if (typeof id === 'number') return String(id);
    throw new AppError('not-found', `GitHub App ${app.id} has no installation for ${owner}/${name}`);
  }

  return {
    async get(app, repository, signal) {
      const installation = await installationOf(app, repository, signal);
      const key = `${app.enterpriseBaseUrl ?? ''} ${app.id} ${installation}`;
      const known = kept.get(key);
      if (known && known.until - deps.clock.now() > spareMs) return known.token;
      const answer = await ask(app, 'POST', `/app/installations/${installation}/access_tokens`, signal);
      const token = getString(answer, 'token');
      const until = Date.parse(getString(answer, 'expires_at') ?? '');
      if (!token) throw new AppError('unavailable', `GitHub gave no token to App ${app.id}`);
      registerSecret(token);
      kept.set(key, { token, until: Number.isNaN(until) ? deps.clock.now() + spareMs : until });
      return token;
    },
    async [Symbol.asyncDispose]() {
      await agent.destroy();
    },
  };
}

/** GitHub's keys are PKCS#1, which has to be told in the other form. */
async function signed(app: GitHubApp, nowMs: number): Promise<string> {
  try {
    const pkcs8 = createPrivateKey(app.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
    const key = await importPKCS8(pkcs8, 'RS256');
    // A minute back, for clocks that differ; GitHub takes ten minutes at most.
    const issued = Math.floor(nowMs / 1000) - 60;
    return await new SignJWT({})
      .setProtectedHeader({ alg: 'RS256' })
      .setIssuer(app.id)
      .setIssuedAt(issued)
      .setExpirationTime(issued + 600)
      .sign(key);
  } catch (cause) {
    throw new AppError('bad-input', `the private key of GitHub App ${app.id} cannot be used: ${messageOf(cause)}`, {
      cause,
      hint: 'put the PEM file that GitHub gave into githubAppPrivateKey',
    });
  }
}
