import type { Clock, Entropy } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Accounts } from './accounts.ts';
import type { Database } from './database.ts';
import type { EventOutbox } from './events.ts';
import type { Git } from './git.ts';
import type { JobExecutor } from './job-executor.ts';
import type { Links } from './links.ts';
import type { OidcIssuer } from './oidc.ts';
import type { RefLedger } from './ref-ledger.ts';
import type { Repositories } from './repositories.ts';
import type { RunStore } from './run-store.ts';
import type { Scheduler } from './scheduler.ts';
import type { Settings } from './settings.ts';
import type { Webhooks } from './webhooks.ts';
import type { WorkflowFiles } from './workflow-files.ts';

/** The parts of a running forge that its REST routes are written on. */
export interface ForgeParts {
  db: Database;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  git: Git;
  accounts: Accounts;
  repos: Repositories;
  ledger: RefLedger;
  events: EventOutbox;
  webhooks: Webhooks;
  settings: Settings;
  runs: RunStore;
  files: WorkflowFiles;
  scheduler: Scheduler;
  executor: JobExecutor;
  oidc: OidcIssuer;
  links: Links;
}
