import { AppError } from '#base/errors.ts';
import { getArray, getNumber, getString, isObject } from '#base/json.ts';
import type { ForgeCommit, ForgeRepository, ForgeTag, PullRequest, RunApproval, WorkflowRun } from './port.ts';

/** `https://host/owner/name(.git)`, `git@host:owner/name.git` and page addresses below a repository. */
export function parseRepositoryUrl(url: string, webUrl: string): ForgeRepository | undefined {
  const scp = /^(?:ssh:\/\/)?git@([^:/]+)(?::\d+)?[:/](.+)$/.exec(url);
  const host = new URL(webUrl).host;
  const path = scp ? (scp[1] === new URL(webUrl).hostname ? scp[2] : undefined) : pathBelow(url, host);
  const [owner, name] = (path ?? '').split('/');
  if (!owner || !name) return undefined;
  return { owner, name: name.replace(/\.git$/, '') };
}

function pathBelow(url: string, host: string): string | undefined {
  if (!/^https?:/.test(url) || !URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  return parsed.host === host ? parsed.pathname.slice(1) : undefined;
}

export function parseRunUrl(url: string, webUrl: string): { repository: ForgeRepository; id: number } | undefined {
  const repository = parseRepositoryUrl(url, webUrl);
  const id = /\/actions\/runs\/(\d+)(?:[/?#]|$)/.exec(url)?.[1];
  return repository === undefined || id === undefined ? undefined : { repository, id: Number(id) };
}

export function parseCommit(value: unknown): ForgeCommit {
  return {
    sha: required(getString(value, 'sha'), 'a commit has no sha'),
    message: getString(value, 'commit', 'message') ?? '',
    authorName: getString(value, 'commit', 'author', 'name') ?? getString(value, 'author', 'login') ?? 'unknown',
    authorLogin: getString(value, 'author', 'login'),
    authoredAt: time(getString(value, 'commit', 'author', 'date')),
    url: getString(value, 'html_url'),
  };
}

export function parseRun(value: unknown): WorkflowRun {
  return {
    id: required(getNumber(value, 'id'), 'a workflow run has no id'),
    name: getString(value, 'name') ?? getString(value, 'path') ?? 'workflow',
    number: getNumber(value, 'run_number') ?? 0,
    attempt: getNumber(value, 'run_attempt') ?? 1,
    event: getString(value, 'event') ?? 'unknown',
    ref: getString(value, 'head_branch'),
    headSha: getString(value, 'head_sha') ?? '',
    status: getString(value, 'status') ?? 'unknown',
    conclusion: getString(value, 'conclusion'),
    actor: getString(value, 'triggering_actor', 'login') ?? getString(value, 'actor', 'login'),
    createdAt: time(getString(value, 'created_at')),
    startedAt: time(getString(value, 'run_started_at')),
    updatedAt: time(getString(value, 'updated_at')),
    url: getString(value, 'html_url'),
  };
}

export function parseApproval(value: unknown): RunApproval {
  return {
    state: getString(value, 'state') ?? 'unknown',
    user: getString(value, 'user', 'login') ?? 'unknown',
    environments: getArray(value, 'environments').flatMap((environment) => getString(environment, 'name') ?? []),
    comment: getString(value, 'comment') ?? '',
    at: time(getString(value, 'created_at')),
  };
}

export function parsePullRequest(value: unknown): PullRequest {
  return {
    number: required(getNumber(value, 'number'), 'a pull request has no number'),
    title: getString(value, 'title') ?? '',
    author: getString(value, 'user', 'login'),
    mergedAt: time(getString(value, 'merged_at')),
    url: getString(value, 'html_url'),
  };
}

export function parseTag(value: unknown): ForgeTag {
  return {
    name: required(getString(value, 'name'), 'a tag has no name'),
    sha: required(getString(value, 'commit', 'sha'), 'a tag has no commit'),
  };
}

/** The address of the next page, of `Link: <...>; rel="next"`. */
export function nextPage(link: string | null): string | undefined {
  for (const part of (link ?? '').split(/,\s*(?=<)/)) {
    const match = /^<([^>]+)>(.*)$/.exec(part.trim());
    if (match?.[1] && /;\s*rel="?next"?/.test(match[2] ?? '')) return match[1];
  }
  return undefined;
}

export function messageOfBody(body: unknown): string | undefined {
  return isObject(body) ? getString(body, 'message') : undefined;
}

function time(text: string | undefined): number | undefined {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

function required<T>(value: T | undefined, why: string): T {
  if (value === undefined) throw new AppError('unavailable', `the forge's answer cannot be read: ${why}`);
  return value;
}
