import type { Command } from 'commander';
import { AppError } from '#base/errors.ts';
import type { Application } from '#model/argocd/application.ts';
import { parseApplication } from '../answers.ts';
import { applicationPath } from '../client.ts';
import { type OutputOption, type Session, withOutput } from '../session.ts';
import { isOperationOver, parseTimeout, watchUntil } from '../watching.ts';
import { getResult } from './get.ts';
import { operationDetector, syncResult } from './sync.ts';

export function registerAppPatch(app: Command, session: Session): void {
  withOutput(app.command('patch <name>'))
    .description('change an Application by a patch')
    .requiredOption('--patch <json>', 'the patch')
    .option('--type <type>', 'json or merge', 'json')
    .action(async (name: string, flags: OutputOption & { patch: string; type: string }) => {
      const body = { name, patch: flags.patch, patchType: flags.type };
      const answer = await session.client.request('PATCH', applicationPath(name), body);
      session.show(getResult(parseApplication(answer), false), flags);
    });
}

interface RollbackFlags extends OutputOption {
  prune?: boolean;
  timeout?: string;
}

/** The entry of the history to go back to: that of the id, else the one before the newest. */
export function historyEntry({ metadata, status }: Application, id: string | undefined): number {
  const history = status?.history ?? [];
  if (id === undefined) {
    const previous = history.at(-2);
    if (previous) return previous.id;
    throw new AppError('bad-input', `application ${metadata.name} has nothing to go back to`);
  }
  const entry = history.find((candidate) => String(candidate.id) === id);
  if (entry) return entry.id;
  throw new AppError('not-found', `application ${metadata.name} has no deployment ${id} in its history`, {
    hint: `there are: ${history.map((candidate) => candidate.id).join(', ')}`,
  });
}

export function registerAppRollback(app: Command, session: Session): void {
  withOutput(app.command('rollback <name> [id]'))
    .description('deploy what was deployed before; Git is not touched ("slipway rollback" writes a revert there)')
    .option('--prune', 'delete what the earlier state did not have')
    .option('--timeout <seconds>', 'give up waiting after that time')
    .action(async (name: string, id: string | undefined, flags: RollbackFlags) => {
      const before = await session.client.application(name);
      const body = { id: historyEntry(before, id), prune: flags.prune ?? false };
      const answer = await session.client.request('POST', applicationPath(name, '/rollback'), body);
      const isOurs = operationDetector(before, parseApplication(answer));
      const timeoutMs = parseTimeout(flags.timeout);
      const done = (application: Application) => isOurs(application) && isOperationOver(application);
      const after = await watchUntil(session, name, { timeoutMs, what: 'the end of the rollback', done });
      const { exit, ...result } = syncResult(after);
      session.show({ ...result, exit: after.status?.operationState?.phase === 'Succeeded' ? 0 : (exit ?? 1) }, flags);
    });
}
