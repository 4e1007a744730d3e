import type { Accounts } from './accounts.ts';
import type { EventOutbox } from './events.ts';
import type { Links } from './links.ts';
import type { Repositories } from './repositories.ts';
import type { JobRow, RunRow } from './run-store.ts';
import { jobView, runView } from './run-views.ts';

/** Makes `workflow_run` and `workflow_job` events of changes, for webhooks and for workflows that wait for others. */
export function runAnnouncer(deps: {
  accounts: Accounts;
  repos: Repositories;
  events: EventOutbox;
  links: Links;
}): (run: RunRow, job: JobRow | undefined) => void {
  const { accounts, repos, events, links } = deps;
  return (run, job) => {
    const repo = repos.byId(run.repo_id);
    const actor = accounts.byId(run.actor_id);
    const owner = accounts.byId(repo.owner_id);
    const common = { repo, actor, byJob: false };
    if (job) {
      const payload = { workflow_job: jobView(links, job, { run, repo }) };
      events.append({ ...common, name: 'workflow_job', action: job.status, payload });
      return;
    }
    const action =
      run.status === 'completed' ? 'completed' : run.status === 'in_progress' ? 'in_progress' : 'requested';
    const triggeringActor = accounts.byId(run.triggering_actor_id);
    const payload = { workflow_run: runView(links, run, { repo, owner, actor, triggeringActor }) };
    events.append({ ...common, name: 'workflow_run', action, payload });
  };
}
