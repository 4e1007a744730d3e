import type { Clock } from '#base/clock.ts';
import { AppError, type ErrorCode, throwIfAborted } from '#base/errors.ts';
import { getArray, parseJson } from '#base/json.ts';
import { registerSecret } from '#base/redact.ts';
import {
  messageOfBody,
  nextPage,
  parseApproval,
  parseCommit,
  parsePullRequest,
  parseRepositoryUrl,
  parseRun,
  parseRunUrl,
  parseTag,
} from './github-parse.ts';
import type { ForgeClient, ForgeRepository } from './port.ts';

export interface GitHubOptions {
  /** Where people look at it, e.g. `https://github.com`. */
  webUrl: string;
  /** Where the REST API is, e.g. `https://api.github.com` or `https://host/api/v3`. */
  apiUrl: string;
  /** Undefined reads what is public. */
  token: string | undefined;
  clock: Clock;
}

const pagesMax = 10;
const perPage = 100;
const cacheMax = 500;
const bodyBytesMax = 10 * 1024 * 1024;
const requestTimeoutMs = 20_000;

interface Answer {
  body: unknown;
  link: string | null;
}

interface Cached extends Answer {
  etag: string;
}

/**
 * GitHub's REST API. Answers are kept with their ETag, so looking again costs nothing of the rate limit; when that is
 * used up, calls are refused here until it is filled again.
 */
export function createGitHubClient(options: GitHubOptions): ForgeClient {
  const { webUrl } = options;
  const api = new GitHubApi(options);
  const base = ({ owner, name }: ForgeRepository) => `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}`;
  return {
    repositoryOf: (url) => parseRepositoryUrl(url, webUrl),
    runOf: (url) => parseRunUrl(url, webUrl),
    commit: async (repository, sha, signal) =>
      parseCommit(await api.get(`${base(repository)}/commits/${encodeURIComponent(sha)}`, signal)),
    workflowRuns: async (repository, { headSha }, signal) => {
      const path = `${base(repository)}/actions/runs?head_sha=${encodeURIComponent(headSha)}`;
      return (await api.list(path, 'workflow_runs', signal)).map(parseRun);
    },
    workflowRun: async (repository, id, signal) =>
      parseRun(await api.get(`${base(repository)}/actions/runs/${id}`, signal)),
    runApprovals: async (repository, id, signal) =>
      (await api.list(`${base(repository)}/actions/runs/${id}/approvals`, undefined, signal)).map(parseApproval),
    pullRequestsOfCommit: async (repository, sha, signal) => {
      const path = `${base(repository)}/commits/${encodeURIComponent(sha)}/pulls`;
      return (await api.list(path, undefined, signal)).map(parsePullRequest);
    },
    tags: async (repository, signal) => (await api.list(`${base(repository)}/tags`, undefined, signal)).map(parseTag),
    dispatch: async (repository, { type, payload }, signal) => {
      await api.post(`${base(repository)}/dispatches`, { event_type: type, client_payload: payload }, signal);
    },
  };
}

class GitHubApi {
  readonly #options: GitHubOptions;
  readonly #root: string;
  readonly #cache = new Map<string, Cached>();
  #refusedUntil = 0;

  constructor(options: GitHubOptions) {
    this.#options = options;
    this.#root = options.apiUrl.replace(/\/+$/, '');
    if (options.token !== undefined) registerSecret(options.token);
  }

  async get(path: string, signal: AbortSignal): Promise<unknown> {
    return (await this.#read(`${this.#root}${path}`, signal)).body;
  }

  /** All pages, at most `pagesMax`; `member` is where the items are when the answer is not the list itself. */
  async list(path: string, member: string | undefined, signal: AbortSignal): Promise<unknown[]> {
    const items: unknown[] = [];
    let url: string | undefined = `${this.#root}${path}${path.includes('?') ? '&' : '?'}per_page=${perPage}`;
    for (let page = 0; page < pagesMax && url !== undefined; page += 1) {
      const { body, link }: Answer = await this.#read(url, signal);
      items.push(...(member === undefined ? getArray(body) : getArray(body, member)));
      url = this.#trusted(nextPage(link));
    }
    return items;
  }

  async post(path: string, body: unknown, signal: AbortSignal): Promise<void> {
    const answer = await this.#send(`${this.#root}${path}`, { method: 'POST', body: JSON.stringify(body) }, signal);
    await answer.body?.cancel();
  }

  /** The token goes only where it belongs, whatever a page says its next one is. */
  #trusted(url: string | undefined): string | undefined {
    if (url === undefined || (URL.canParse(url) && new URL(url).origin === new URL(this.#root).origin)) return url;
    throw new AppError('unavailable', `${this.#root} names a next page on another host: ${url}`);
  }

  async #read(url: string, signal: AbortSignal): Promise<Answer> {
    const known = this.#cache.get(url);
    const headers = known ? { 'if-none-match': known.etag } : {};
    const answer = await this.#send(url, { method: 'GET', headers }, signal);
    if (answer.status === 304 && known) {
      this.#keep(url, known);
      return known;
    }
    const text = await readText(answer, url);
    const read = {
      body: text === '' ? undefined : parseJson(text, `the answer of ${url}`),
      link: answer.headers.get('link'),
    };
    const etag = answer.headers.get('etag');
    if (etag !== null) this.#keep(url, { ...read, etag });
    return read;
  }

  /** The map's order is that of use; the first is the one not used for longest. */
  #keep(url: string, answer: Cached): void {
    this.#cache.delete(url);
    this.#cache.set(url, answer);
    const oldest = this.#cache.keys().next().value;
    if (this.#cache.size > cacheMax && oldest !== undefined) this.#cache.delete(oldest);
  }

  async #send(
    url: string,
    request: { method: string; body?: string; headers?: Record<string, string> },
    signal: AbortSignal,
  ): Promise<Response> {
    const { token, clock } = this.#options;
    const waitMs = this.#refusedUntil - clock.now();
    if (waitMs > 0) throw limitError(this.#root, waitMs);
    let answer: Response;
    try {
      answer = await fetch(url, {
        ...request,
        signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]),
        redirect: 'error',
        headers: {
          accept: 'application/vnd.github+json',
          'x-github-api-version': '2022-11-28',
          'user-agent': 'slipway',
          ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...request.headers,
        },
      });
    } catch (cause) {
      throwIfAborted(signal);
      throw new AppError('unavailable', `${request.method} ${url} failed: the forge cannot be reached`, { cause });
    }
    if (answer.ok || answer.status === 304) return answer;
    throw await this.#errorOf(answer, `${request.method} ${url}`);
  }

  async #errorOf(answer: Response, what: string): Promise<AppError> {
    const text = await readText(answer, what);
    const message = messageOfBody(tryJson(text)) ?? `status ${answer.status}`;
    const limitedMs = rateLimitMs(answer, this.#options.clock.now());
    if (limitedMs !== undefined) {
      this.#refusedUntil = this.#options.clock.now() + limitedMs;
      return limitError(this.#root, limitedMs);
    }
    return new AppError(codeOf(answer.status), `${what}: ${message}`, {
      hint:
        answer.status === 401 || answer.status === 403 || answer.status === 404
          ? 'check the token and what it may read'
          : undefined,
    });
  }
}

/** How long GitHub wants no more requests; undefined when the refusal has another reason. */
function rateLimitMs(answer: Response, now: number): number | undefined {
  if (answer.status !== 403 && answer.status !== 429) return undefined;
  const retryAfter = Number(answer.headers.get('retry-after') ?? Number.NaN);
  if (Number.isFinite(retryAfter)) return Math.max(1000, retryAfter * 1000);
  const reset = Number(answer.headers.get('x-ratelimit-reset') ?? Number.NaN);
  if (answer.headers.get('x-ratelimit-remaining') === '0' && Number.isFinite(reset))
    return Math.max(1000, reset * 1000 - now);
  return answer.status === 429 ? 60_000 : undefined;
}

function limitError(root: string, waitMs: number): AppError {
  return new AppError('limit', `the rate limit of ${root} is used up for another ${Math.ceil(waitMs / 1000)} s`, {
    hint: 'wait, or use a token with a higher limit',
  });
}

function codeOf(status: number): ErrorCode {
  if (status === 401) return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (status === 404 || status === 410) return 'not-found';
  if (status === 409) return 'conflict';
  return status >= 500 ? 'unavailable' : 'bad-input';
}

async function readText(answer: Response, what: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.byteLength;
    if (size > bodyBytesMax) throw new AppError('limit', `${what} answered with more than ${bodyBytesMax} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString('utf8');
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
