/** Tables of the forge. Times are milliseconds since the epoch, flags are 0 or 1, JSON stands in `*_json` columns. */
export const schema = `
CREATE TABLE IF NOT EXISTS accounts (
  id INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE COLLATE NOCASE, name TEXT NOT NULL, email TEXT NOT NULL,
  type TEXT NOT NULL, site_admin INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS members (
  org_id INTEGER NOT NULL REFERENCES accounts(id), user_id INTEGER NOT NULL REFERENCES accounts(id),
  role TEXT NOT NULL, PRIMARY KEY (org_id, user_id));
CREATE TABLE IF NOT EXISTS tokens (
  hash TEXT PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES accounts(id), name TEXT NOT NULL,
  job_id INTEGER, repo_id INTEGER, permissions_json TEXT, created_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS tokens_by_job ON tokens(job_id);
CREATE TABLE IF NOT EXISTS repos (
  id INTEGER PRIMARY KEY, owner_id INTEGER NOT NULL REFERENCES accounts(id), name TEXT NOT NULL COLLATE NOCASE,
  private INTEGER NOT NULL, default_branch TEXT NOT NULL, description TEXT, created_at INTEGER NOT NULL,
  pushed_at INTEGER NOT NULL, next_number INTEGER NOT NULL DEFAULT 1, UNIQUE (owner_id, name));
CREATE TABLE IF NOT EXISTS collaborators (
  repo_id INTEGER NOT NULL REFERENCES repos(id), user_id INTEGER NOT NULL REFERENCES accounts(id),
  permission TEXT NOT NULL, PRIMARY KEY (repo_id, user_id));
CREATE TABLE IF NOT EXISTS refs (
  repo_id INTEGER NOT NULL REFERENCES repos(id), name TEXT NOT NULL, sha TEXT NOT NULL, PRIMARY KEY (repo_id, name));
CREATE TABLE IF NOT EXISTS push_intents (
  repo_id INTEGER PRIMARY KEY REFERENCES repos(id), user_id INTEGER NOT NULL, by_job INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS events (
  id INTEGER PRIMARY KEY, repo_id INTEGER NOT NULL REFERENCES repos(id), name TEXT NOT NULL, action TEXT,
  ref TEXT, sha TEXT, actor_id INTEGER NOT NULL, by_job INTEGER NOT NULL, payload_json TEXT NOT NULL,
  detail_json TEXT NOT NULL, created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS hooks (
  id INTEGER PRIMARY KEY, repo_id INTEGER REFERENCES repos(id), org_id INTEGER REFERENCES accounts(id),
  url TEXT NOT NULL, secret TEXT, content_type TEXT NOT NULL, events_json TEXT NOT NULL, active INTEGER NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS deliveries (
  id INTEGER PRIMARY KEY, guid TEXT NOT NULL, hook_id INTEGER NOT NULL REFERENCES hooks(id) ON DELETE CASCADE,
  event TEXT NOT NULL, action TEXT, payload TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
  redelivery INTEGER NOT NULL DEFAULT 0, status_code INTEGER, response TEXT, duration_ms INTEGER, created_at INTEGER NOT NULL,
  delivered_at INTEGER);
CREATE INDEX IF NOT EXISTS deliveries_by_hook ON deliveries(hook_id, id);
CREATE INDEX IF NOT EXISTS deliveries_pending ON deliveries(state) WHERE state = 'pending';
CREATE TABLE IF NOT EXISTS issues (
  id INTEGER PRIMARY KEY, repo_id INTEGER NOT NULL REFERENCES repos(id), number INTEGER NOT NULL, title TEXT NOT NULL,
  body TEXT, state TEXT NOT NULL, user_id INTEGER NOT NULL, labels_json TEXT NOT NULL DEFAULT '[]',
  is_pull INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, closed_at INTEGER,
  UNIQUE (repo_id, number));
CREATE TABLE IF NOT EXISTS pulls (
  issue_id INTEGER PRIMARY KEY REFERENCES issues(id), head_ref TEXT NOT NULL, head_sha TEXT NOT NULL,
  base_ref TEXT NOT NULL, base_sha TEXT NOT NULL, draft INTEGER NOT NULL, merged_at INTEGER, merged_by INTEGER,
  merge_sha TEXT);
CREATE TABLE IF NOT EXISTS comments (
  id INTEGER PRIMARY KEY, issue_id INTEGER NOT NULL REFERENCES issues(id), user_id INTEGER NOT NULL,
  body TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS reviews (
  id INTEGER PRIMARY KEY, issue_id INTEGER NOT NULL REFERENCES issues(id), user_id INTEGER NOT NULL,
  body TEXT NOT NULL, state TEXT NOT NULL, sha TEXT NOT NULL, created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS statuses (
  id INTEGER PRIMARY KEY, repo_id INTEGER NOT NULL REFERENCES repos(id), sha TEXT NOT NULL, state TEXT NOT NULL,
  context TEXT NOT NULL, description TEXT, target_url TEXT, creator_id INTEGER NOT NULL, created_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS statuses_by_sha ON statuses(repo_id, sha);
CREATE TABLE IF NOT EXISTS check_runs (
  id INTEGER PRIMARY KEY, repo_id INTEGER NOT NULL REFERENCES repos(id), sha TEXT NOT NULL, name TEXT NOT NULL,
  status TEXT NOT NULL, conclusion TEXT, details_url TEXT, external_id TEXT, output_json TEXT NOT NULL,
  started_at INTEGER, completed_at INTEGER);
CREATE INDEX IF NOT EXISTS check_runs_by_sha ON check_runs(repo_id, sha);
CREATE TABLE IF NOT EXISTS releases (
  id INTEGER PRIMARY KEY, repo_id INTEGER NOT NULL REFERENCES repos(id), tag TEXT NOT NULL, target TEXT NOT NULL,
  name TEXT, body TEXT, draft INTEGER NOT NULL, prerelease INTEGER NOT NULL, author_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL, published_at INTEGER, UNIQUE (repo_id, tag));
CREATE TABLE IF NOT EXISTS environments (
  id INTEGER PRIMARY KEY, repo_id INTEGER NOT NULL REFERENCES repos(id), name TEXT NOT NULL COLLATE NOCASE,
  wait_minutes INTEGER NOT NULL DEFAULT 0, prevent_self_review INTEGER NOT NULL DEFAULT 0,
  reviewers_json TEXT NOT NULL DEFAULT '[]', branch_policy_json TEXT, created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, UNIQUE (repo_id, name));
CREATE TABLE IF NOT EXISTS settings (
  kind TEXT NOT NULL, scope TEXT NOT NULL, scope_id INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, PRIMARY KEY (kind, scope, scope_id, name));
CREATE TABLE IF NOT EXISTS workflows (
  id INTEGER PRIMARY KEY, repo_id INTEGER NOT NULL REFERENCES repos(id), path TEXT NOT NULL, name TEXT NOT NULL,
  state TEXT NOT NULL, last_run_number INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, UNIQUE (repo_id, path));
CREATE TABLE IF NOT EXISTS runs (
  id INTEGER PRIMARY KEY, repo_id INTEGER NOT NULL REFERENCES repos(id), workflow_id INTEGER NOT NULL REFERENCES workflows(id),
  run_number INTEGER NOT NULL, attempt INTEGER NOT NULL, name TEXT NOT NULL, title TEXT NOT NULL, path TEXT NOT NULL,
  event TEXT NOT NULL, ref TEXT NOT NULL, sha TEXT NOT NULL, workflow_sha TEXT NOT NULL, actor_id INTEGER NOT NULL,
  triggering_actor_id INTEGER NOT NULL, status TEXT NOT NULL, conclusion TEXT, message TEXT, payload_json TEXT NOT NULL,
  detail_json TEXT NOT NULL, concurrency_group TEXT, cancel_requested INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL, started_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS runs_by_repo ON runs(repo_id, id);
CREATE INDEX IF NOT EXISTS runs_open ON runs(status) WHERE status <> 'completed';
CREATE TABLE IF NOT EXISTS jobs (
  id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs(id), run_attempt INTEGER NOT NULL, job_key TEXT NOT NULL,
  name TEXT NOT NULL, cell_json TEXT NOT NULL, status TEXT NOT NULL, conclusion TEXT, message TEXT,
  environment TEXT, environment_url TEXT, restarts INTEGER NOT NULL DEFAULT 0, outputs_json TEXT NOT NULL DEFAULT '{}',
  steps_json TEXT NOT NULL DEFAULT '[]', annotations_json TEXT NOT NULL DEFAULT '[]', summary TEXT NOT NULL DEFAULT '',
  detail_json TEXT NOT NULL DEFAULT '{}', created_at INTEGER NOT NULL, started_at INTEGER, completed_at INTEGER);
CREATE INDEX IF NOT EXISTS jobs_by_run ON jobs(run_id, run_attempt);
CREATE TABLE IF NOT EXISTS approvals (
  id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES runs(id), run_attempt INTEGER NOT NULL,
  environment_id INTEGER NOT NULL REFERENCES environments(id), user_id INTEGER NOT NULL, state TEXT NOT NULL,
  comment TEXT NOT NULL, created_at INTEGER NOT NULL);
`;
