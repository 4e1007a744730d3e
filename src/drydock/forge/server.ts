import { mkdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import type { Clock, Entropy } from '#base/clock.ts';
import { AppError, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { parseWorkflow } from '../actions/workflow.ts';
import type { Listening } from '../address.ts';
import { Accounts } from './accounts.ts';
import { Database } from './database.ts';
import { type DispatcherDeps, EventDispatcher } from './event-dispatcher.ts';
import { EventOutbox } from './events.ts';
import { Git } from './git.ts';
import { parseGitRequest, serveGit } from './git-http.ts';
import { JobExecutor, type RunnerOptions } from './job-executor.ts';
import { Links } from './links.ts';
import { OidcIssuer } from './oidc.ts';
import type { ForgeParts } from './parts.ts';
import { followPush } from './pulls.ts';
import { RefLedger } from './ref-ledger.ts';
import { Repositories } from './repositories.ts';
import { restApp } from './rest/app.ts';
import { runAnnouncer } from './run-announcer.ts';
import { RunStore } from './run-store.ts';
import { Scheduler } from './scheduler.ts';
import { Schedules } from './schedules.ts';
import { type ForgeSeed, forgeSeed } from './seed.ts';
import { Settings } from './settings.ts';
import { Webhooks } from './webhooks.ts';
import { WorkflowFiles } from './workflow-files.ts';

export interface ForgeOptions {
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  dataDir: string;
  host: string;
  /** 0 for a free one. */
  port: number;
  gitPath: string;
  /** Address others reach the forge by; default is the one it listens on. */
  externalUrl?: string;
  runner: RunnerOptions;
}

export interface Forge extends Listening {
  /** For making accounts, repositories and settings without going over HTTP. */
  readonly seed: ForgeSeed;
}

/**
 * Starts the Git forge: git over HTTP, GitHub's REST API below /api/v3, webhooks, token issuer and workflow runner. Its
 * whole state lies in `dataDir`; what was acknowledged survives the end of the process at any moment.
 */
export async function startForge(options: ForgeOptions): Promise<Forge> {
  const { clock, entropy, logger, dataDir, host, port, gitPath } = options;
  await mkdir(join(dataDir, 'repos'), { recursive: true, mode: 0o700 });
  const server = createServer();
  const listening = await listen(server, host, port);
  // A part below that cannot start must not keep the port.
  await using unfinished = new AsyncDisposableStack();
  unfinished.defer(() => closeServer(server));
  const links = new Links(options.externalUrl ?? listening.url);
  const git = new Git({ gitPath, home: dataDir });
  const db = unfinished.use(new Database(join(dataDir, 'forge.db')));
  const accounts = new Accounts(db, clock, entropy);
  const repos = new Repositories({ db, clock, git, accounts, directory: join(dataDir, 'repos') });
  const events = new EventOutbox({ db, clock, accounts, links });
  const ledger = new RefLedger({ db, clock, git, accounts, repos, events, links });
  const webhooks = new Webhooks({ db, clock, entropy, logger });
  const runs = new RunStore(db, clock);
  const files = new WorkflowFiles(git, repos);
  const settings = new Settings(db, clock);
  const oidc = await OidcIssuer.open({ clock, entropy, links, dataDir });
  const announce = runAnnouncer({ accounts, repos, events, links });
  const shared = { db, clock, logger, accounts, repos, runs, files, settings, links, announce };
  const executor = new JobExecutor({ ...shared, oidc, logDir: join(dataDir, 'logs'), options: options.runner });
  const scheduler = new Scheduler({ ...shared, executor });
  executor.onDone = (runId) => scheduler.jobDone(runId);
  const schedules = new Schedules({ db, clock, logger, accounts, repos, events, files });
  const wakeRun = (runId: number) => scheduler.wake(runId);
  const parts: ForgeParts = { ...shared, entropy, git, ledger, events, webhooks, scheduler, executor, oidc };

  const onPush: DispatcherDeps['onPush'] = async (repo, event, signal) => {
    await followPush(parts, repo, event, signal);
    if (event.ref === `refs/heads/${repo.default_branch}`) await schedules.refresh(repo, signal);
  };
  const dispatcher = new EventDispatcher({
    db,
    clock,
    logger,
    git,
    repos,
    events,
    webhooks,
    files,
    runs,
    onPush,
    wakeRun,
  });

  await executor.recover();
  await ledger.reconcile(new AbortController().signal);
  await schedules.start(new AbortController().signal);
  serve(server, parts);
  dispatcher.start();
  webhooks.start();
  scheduler.wakeAll();
  // The first parse loads GitHub's schema, which takes longer than all later ones.
  void parseWorkflow('warm-up.yml', 'on: push\njobs: {a: {runs-on: x, steps: [{run: "true"}]}}');
  unfinished.move();
  const stop = () => stopForge(server, [schedules, dispatcher, scheduler, executor, webhooks, db]);
  return { ...listening, seed: forgeSeed(parts), [Symbol.asyncDispose]: stop };
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}

/** Ends connections, then the parts in the given order. */
async function stopForge(server: Server, parts: (Disposable | AsyncDisposable)[]): Promise<void> {
  await closeServer(server);
  for (const part of parts) {
    if (Symbol.asyncDispose in part) await part[Symbol.asyncDispose]();
    else part[Symbol.dispose]();
  }
}

function serve(server: Server, parts: ForgeParts): void {
  const app = restApp(parts);
  const rest = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  server.on('request', (request, response) => {
    const call = parseGitRequest(request.url ?? '/');
    if (!call) {
      void rest(request, response);
      return;
    }
    serveGit(parts, call, { request, response }).catch((error: unknown) => {
      parts.logger.error({ repository: `${call.owner}/${call.name}` }, messageOf(error));
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
}

async function listen(
  server: Server,
  host: string,
  port: number,
): Promise<{ host: string; port: number; url: string }> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE';
      const message = taken
        ? `port ${port} on ${host} is in use`
        : `the forge cannot listen on ${host}:${port}: ${cause.message}`;
      const hint = 'end the program that uses it, or choose another port';
      reject(new AppError(taken ? 'port-taken' : 'unavailable', message, { cause, ...(taken ? { hint } : {}) }));
    });
    server.listen(port, host, resolve);
  });
  const address = server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return { host, port: bound, url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}` };
}
