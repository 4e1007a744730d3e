import { timestamp } from '#base/clock.ts';
import { getObject, type JsonObject } from '#base/json.ts';
import type { Account } from './accounts.ts';
import { fromColumn } from './database.ts';
import type { Links } from './links.ts';
import type { Repository } from './repositories.ts';
import { type JobRow, type RunDetail, type RunRow, stepsOf, type WorkflowRow } from './run-store.ts';
import type { Environment } from './settings.ts';
import { accountView, fullName, nodeId, repositoryView } from './views.ts';

export interface RunPeople {
  repo: Repository;
  owner: Account;
  actor: Account;
  triggeringActor: Account;
}

/** GitHub's workflow run. `message`, which GitHub shows only on its page, says why a run failed before its jobs. */
export function runView(links: Links, run: RunRow, people: RunPeople): JsonObject {
  const { repo, owner, actor, triggeringActor } = people;
  const api = links.repo(fullName(repo));
  const url = `${api}/actions/runs/${run.id}`;
  const detail = fromColumn<RunDetail>(run.detail_json);
  const head = getObject(fromColumn<unknown>(run.payload_json), 'head_commit');
  return {
    id: run.id,
    name: run.name,
    node_id: nodeId('WorkflowRun', run.id),
    check_suite_id: run.id,
    check_suite_node_id: nodeId('CheckSuite', run.id),
    head_branch: detail.headBranch,
    head_sha: run.sha,
    path: run.path,
    display_title: run.title,
    run_number: run.run_number,
    event: run.event,
    status: run.status,
    conclusion: run.conclusion,
    message: run.message,
    workflow_id: run.workflow_id,
    url,
    html_url: links.html(`${fullName(repo)}/actions/runs/${run.id}`),
    pull_requests: [],
    created_at: timestamp(run.created_at),
    updated_at: timestamp(run.updated_at),
    actor: accountView(links, actor),
    run_attempt: run.attempt,
    referenced_workflows: [],
    run_started_at: timestamp(run.started_at),
    triggering_actor: accountView(links, triggeringActor),
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    check_suite_url: `${api}/check-suites/${run.id}`,
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    previous_attempt_url: run.attempt > 1 ? `${url}/attempts/${run.attempt - 1}` : null,
    workflow_url: `${api}/actions/workflows/${run.workflow_id}`,
    head_commit: {
      id: run.sha,
      tree_id: head['tree_id'] ?? '',
      message: head['message'] ?? run.title,
      timestamp: head['timestamp'] ?? timestamp(run.created_at),
      author: head['author'] ?? null,
      committer: head['committer'] ?? null,
    },
    repository: repositoryView(links, repo, owner),
    head_repository: repositoryView(links, repo, owner),
  };
}

export function jobView(links: Links, job: JobRow, about: { run: RunRow; repo: Repository }): JsonObject {
  const { run, repo } = about;
  const api = links.repo(fullName(repo));
  const time = (ms: number | null) => (ms === null ? null : timestamp(ms));
  return {
    id: job.id,
    run_id: run.id,
    run_url: `${api}/actions/runs/${run.id}`,
    node_id: nodeId('CheckRun', job.id),
    head_sha: run.sha,
    head_branch: fromColumn<RunDetail>(run.detail_json).headBranch,
    url: `${api}/actions/jobs/${job.id}`,
    html_url: links.html(`${fullName(repo)}/actions/runs/${run.id}/job/${job.id}`),
    status: job.status,
    conclusion: job.conclusion,
    message: job.message,
    created_at: timestamp(job.created_at),
    started_at: timestamp(job.started_at ?? job.created_at),
    completed_at: time(job.completed_at),
    name: job.name,
    steps: stepsOf(job).map((step) => ({
      name: step.name,
      status: step.status,
      conclusion: step.conclusion,
      number: step.number,
      started_at: time(step.startedAt),
      completed_at: time(step.completedAt),
    })),
    check_run_url: `${api}/check-runs/${job.id}`,
    labels: ['drydock'],
    runner_id: 1,
    runner_name: 'drydock',
    runner_group_id: 1,
    runner_group_name: 'Default',
    run_attempt: job.run_attempt,
    workflow_name: run.name,
  };
}

export function workflowView(links: Links, workflow: WorkflowRow, repo: Repository): JsonObject {
  const name = fullName(repo);
  return {
    id: workflow.id,
    node_id: nodeId('Workflow', workflow.id),
    name: workflow.name,
    path: workflow.path,
    state: workflow.state,
    created_at: timestamp(workflow.created_at),
    updated_at: timestamp(workflow.updated_at),
    url: `${links.repo(name)}/actions/workflows/${workflow.id}`,
    html_url: links.html(`${name}/blob/${repo.default_branch}/${workflow.path}`),
    badge_url: links.html(`${name}/workflows/${encodeURIComponent(workflow.name)}/badge.svg`),
  };
}

export function environmentView(
  links: Links,
  environment: Environment,
  about: { repo: Repository; reviewers: Account[] },
): JsonObject {
  const { repo, reviewers } = about;
  const name = encodeURIComponent(environment.name);
  const rules: JsonObject[] = [];
  if (environment.wait_minutes > 0) {
    rules.push({ id: environment.id * 10 + 1, node_id: '', type: 'wait_timer', wait_timer: environment.wait_minutes });
  }
  if (reviewers.length > 0) {
    rules.push({
      id: environment.id * 10 + 2,
      node_id: '',
      type: 'required_reviewers',
      prevent_self_review: environment.prevent_self_review === 1,
      reviewers: reviewers.map((reviewer) => ({ type: 'User', reviewer: accountView(links, reviewer) })),
    });
  }
  return {
    id: environment.id,
    node_id: nodeId('Environment', environment.id),
    name: environment.name,
    url: `${links.repo(fullName(repo))}/environments/${name}`,
    html_url: links.html(`${fullName(repo)}/deployments/activity_log?environments_filter=${name}`),
    created_at: timestamp(environment.created_at),
    updated_at: timestamp(environment.updated_at),
    protection_rules: rules,
    deployment_branch_policy: null,
  };
}
