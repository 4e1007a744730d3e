import type { Command } from 'commander';
import { AppError } from '#base/errors.ts';
import type { Application, ResourceResult } from '#model/argocd/application.ts';
import { type Result, renderDuration } from '../printer.ts';
import { type OutputOption, type Session, withOutput } from '../session.ts';
import { isOperationOver, parseTimeout, watchUntil } from '../watching.ts';
import { operationBlock, resourceBlock } from './get.ts';
import { collect } from './spec-flags.ts';
import { type SyncFlags, syncRequest, withSyncFlags } from './sync-flags.ts';

interface SyncOptions extends OutputOption, SyncFlags {
  selector?: string;
  project?: string[];
  async?: boolean;
  timeout?: string;
}

export function registerAppSync(app: Command, session: Session): void {
  withSyncFlags(withOutput(app.command('sync [name...]')))
    .description('bring the cluster to what Git wants, and wait for the operation to end')
    .option('-l, --selector <selector>', 'all applications with these labels')
    .option('--project <name>', 'all applications of this project; may be repeated', collect)
    .option('--async', 'do not wait')
    .option('--timeout <seconds>', 'give up waiting after that time')
    .option('--assume-yes', 'accepted and without effect: nothing is asked')
    .action(async (names: string[], options: SyncOptions) => {
      for (const name of await chosen(session, names, options)) {
        const application = await sourcesNamed(session, name, options);
        const manifests = options.label ? await session.client.manifests(name, {}) : undefined;
        const request = syncRequest({ application, manifests }, options, session.deps.cwd);
        if (options.async) {
          const accepted = await session.client.sync(name, request);
          session.show({ data: accepted, text: () => `${name}: sync requested\n` }, options);
        } else session.show(await syncToEnd(session, name, { ...options, request }), options);
        if (session.exit !== 0) return;
      }
    });
}

async function chosen(session: Session, names: string[], { selector, project }: SyncOptions): Promise<string[]> {
  const asked = selector !== undefined || project !== undefined;
  if (!asked && names.length === 0)
    throw new AppError('bad-input', 'which application? give a name, --selector or --project');
  const selected = asked ? await session.client.applications({ selector, project }) : [];
  return [...names, ...selected.map(({ metadata }) => metadata.name)];
}

/** The application, when flags speak of its sources or its resources. */
async function sourcesNamed(session: Session, name: string, flags: SyncFlags): Promise<Application | undefined> {
  const asks = [flags.sourceNames, flags.resource?.some((text) => /[!*]/.test(text)) || undefined];
  return asks.some((asked) => asked !== undefined) ? await session.client.application(name) : undefined;
}

/** Requests a sync and follows it, printing each resource's result as it comes in. */
export async function syncToEnd(
  session: Session,
  name: string,
  options: OutputOption & { timeout?: string; request: object },
): Promise<Result> {
  const timeoutMs = parseTimeout(options.timeout);
  const before = await session.client.application(name);
  const accepted = await session.client.sync(name, options.request);
  const printed = new Map<string, string>();
  const isOurs = operationDetector(before, accepted);
  const after = await watchUntil(session, name, {
    timeoutMs,
    what: 'the end of the sync',
    done: (application) => {
      if (!isOurs(application)) return false;
      for (const line of newResults(application, printed)) session.note(`${line}\n`, options);
      return isOperationOver(application);
    },
  });
  return syncResult(after);
}

/**
 * Tells our operation's state from that of the one before, which may still be seen: times have whole seconds only and
 * the stream may begin with an older view than the request's answer.
 */
export function operationDetector(before: Application, accepted: Application): (application: Application) => boolean {
  const old = JSON.stringify(before.status?.operationState);
  const versions = [before.metadata.resourceVersion, accepted.metadata.resourceVersion];
  let started = false;
  return (application) => {
    const state = application.status?.operationState;
    if (application.operation !== undefined || state?.phase === 'Running') started = true;
    if (started || JSON.stringify(state) !== old) return true;
    const { resourceVersion } = application.metadata;
    return resourceVersion !== undefined && accepted.operation === undefined && !versions.includes(resourceVersion);
  };
}

function newResults(application: Application, printed: Map<string, string>): string[] {
  const state = application.status?.operationState;
  const lines: string[] = [];
  for (const result of state?.syncResult?.resources ?? []) {
    const key = `${result.group}/${result.kind}/${result.namespace}/${result.name}/${result.hookType ?? ''}`;
    const line = resultLine(result);
    if (printed.get(key) === line) continue;
    printed.set(key, line);
    lines.push(line);
  }
  return lines;
}

function resultLine({ group, kind, namespace, name, status, hookType, hookPhase, message }: ResourceResult): string {
  const what = `${group === '' ? '' : `${group}/`}${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
  // The phase is reported for every resource, the type only for hooks.
  const state = hookType === undefined ? (status ?? 'Pending') : `${hookType} ${hookPhase ?? ''}`;
  return `  ${state.padEnd(12)} ${what}${message ? `  ${message.replaceAll('\n', ' ')}` : ''}`;
}

/** As `argocd app sync`: exit 1 unless it succeeded, and when what Git no longer wants was left because of no --prune. */
export function syncResult(application: Application): Result {
  const state = application.status?.operationState;
  const succeeded = state?.phase === 'Succeeded';
  const unpruned = (application.status?.resources ?? []).filter(({ requiresPruning }) => requiresPruning);
  const partial = (state?.operation.sync?.resources?.length ?? 0) > 0 || state?.operation.sync?.dryRun === true;
  const left = succeeded && !partial && application.status?.sync?.status !== 'Synced' ? unpruned.length : 0;
  return {
    data: application,
    text: (wide) => {
      const { name } = application.metadata;
      const tookMs =
        state?.finishedAt === undefined ? undefined : Date.parse(state.finishedAt) - Date.parse(state.startedAt);
      const took = tookMs === undefined || tookMs < 1000 ? '' : ` in ${renderDuration(tookMs)}`;
      const verdict = succeeded
        ? `${name} synced${took}\n`
        : `${name}: the sync ended as ${state?.phase ?? 'unknown'}\n`;
      const pruning = left > 0 ? `${left} resource(s) require pruning: sync again with --prune\n` : '';
      return ['', operationBlock(state), resourceBlock(application, wide), `${verdict}${pruning}`].join('\n');
    },
    exit: succeeded && left === 0 ? 0 : 1,
  };
}
