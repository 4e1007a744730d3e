import type { JsonObject } from '#base/json.ts';
import { type Value, valueOfJson } from '../actions/expression.ts';
import type { Account } from './accounts.ts';
import { fromColumn } from './database.ts';
import type { Links } from './links.ts';
import type { Repository } from './repositories.ts';
import type { RunDetail, RunRow } from './run-store.ts';
import { fullName } from './views.ts';

export interface RunSubject {
  run: RunRow;
  repo: Repository;
  actor: Account;
  triggeringActor: Account;
}

/** The `github` context of a run; `token`, `job`, `workspace` and `event_path` are added per job. */
export function githubContext(links: Links, { run, repo, actor, triggeringActor }: RunSubject): Record<string, Value> {
  const detail = fromColumn<RunDetail>(run.detail_json);
  return {
    ref: run.ref,
    ref_name: refName(run.ref),
    ref_type: run.ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    ref_protected: false,
    sha: run.sha,
    repository: fullName(repo),
    repository_id: String(repo.id),
    repository_owner: repo.owner,
    repository_owner_id: String(repo.owner_id),
    repositoryUrl: links.html(`${fullName(repo)}.git`),
    run_id: String(run.id),
    run_number: String(run.run_number),
    run_attempt: String(run.attempt),
    retention_days: '90',
    actor: actor.login,
    actor_id: String(actor.id),
    triggering_actor: triggeringActor.login,
    workflow: run.name,
    workflow_ref: `${fullName(repo)}/${run.path}@${run.ref}`,
    workflow_sha: run.workflow_sha,
    head_ref: detail.headRef,
    base_ref: detail.baseRef,
    event_name: run.event,
    event: valueOfJson(fromColumn<unknown>(run.payload_json)),
    server_url: links.root,
    api_url: links.api,
    graphql_url: `${links.root}/api/graphql`,
    secret_source: 'Actions',
    action: '',
  };
}

export function refName(ref: string): string {
  return ref.replace(/^refs\/(?:heads|tags|pull)\//, '');
}

/** The GITHUB_* variables of a job, from its context. */
export function githubEnv(github: Record<string, Value>, jobKey: string): Record<string, string> {
  const names = [
    'ref',
    'ref_name',
    'ref_type',
    'ref_protected',
    'sha',
    'repository',
    'repository_id',
    'repository_owner',
    'repository_owner_id',
    'run_id',
    'run_number',
    'run_attempt',
    'retention_days',
    'actor',
    'actor_id',
    'triggering_actor',
    'workflow',
    'workflow_ref',
    'workflow_sha',
    'head_ref',
    'base_ref',
    'event_name',
    'server_url',
    'api_url',
    'graphql_url',
  ];
  const env: Record<string, string> = { GITHUB_JOB: jobKey };
  for (const name of names) env[`GITHUB_${name.toUpperCase()}`] = String(github[name] ?? '');
  return env;
}

/** Claims of a job's identity token; the subject names the environment, else pull request, else ref, as GitHub does. */
export function idTokenClaims(subject: RunSubject, environment: string | undefined): JsonObject {
  const { run, repo, actor } = subject;
  const detail = fromColumn<RunDetail>(run.detail_json);
  const name = fullName(repo);
  const isPull = run.event === 'pull_request';
  const sub = environment !== undefined ? `environment:${environment}` : isPull ? 'pull_request' : `ref:${run.ref}`;
  return {
    sub: `repo:${name}:${sub}`,
    ...(environment === undefined ? {} : { environment }),
    ref: run.ref,
    ref_type: run.ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    ref_protected: 'false',
    sha: run.sha,
    repository: name,
    repository_id: String(repo.id),
    repository_owner: repo.owner,
    repository_owner_id: String(repo.owner_id),
    repository_visibility: repo.private ? 'private' : 'public',
    run_id: String(run.id),
    run_number: String(run.run_number),
    run_attempt: String(run.attempt),
    actor: actor.login,
    actor_id: String(actor.id),
    workflow: run.name,
    workflow_ref: `${name}/${run.path}@${run.ref}`,
    workflow_sha: run.workflow_sha,
    job_workflow_ref: `${name}/${run.path}@${run.ref}`,
    job_workflow_sha: run.workflow_sha,
    head_ref: detail.headRef,
    base_ref: detail.baseRef,
    event_name: run.event,
    runner_environment: 'self-hosted',
  };
}
