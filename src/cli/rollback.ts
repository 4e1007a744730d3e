import type { Command } from 'commander';
import { AppError } from '#base/errors.ts';
import type { Application } from '#model/argocd/application.ts';
import { getResult } from './app/get.ts';
import { syncToEnd } from './app/sync.ts';
import { type OutputOption, type Session, withOutput } from './session.ts';
import { isOperationOver, parseTimeout, watchUntil } from './watching.ts';

interface RollbackOptions extends OutputOption {
  to?: string;
  sync: boolean;
  timeout?: string;
}

export function registerRollback(program: Command, session: Session): void {
  withOutput(program.command('rollback <app>'))
    .description('undo the last change in Git by a revert commit, then sync')
    .option('--to <id>', 'back to that entry of "slipway app history"')
    .option('--no-sync', 'only write the revert')
    .option('--timeout <seconds>', 'give up waiting after that time')
    .action(async (name: string, options: RollbackOptions) => {
      const result = await session.client.rollback(name, parseId(options.to));
      const text = `${name}: ${result.message.split('\n', 1)[0]}\n  commit ${result.commit} undoes ${result.reverted}\n`;
      if (!options.sync) return session.show({ data: result, text: () => text }, options);
      session.note(text, options);
      const refreshed = await session.client.application(name, 'normal');
      const synced = isSyncedByItself(refreshed)
        ? getResult(await followAutomatic(session, name, { commit: result.commit, timeout: options.timeout }), true)
        : await syncToEnd(session, name, { ...options, request: {} });
      session.show({ ...synced, data: { ...result, application: synced.data } }, options);
    });
}

function parseId(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const id = Number(text);
  if (Number.isInteger(id) && id >= 0) return id;
  throw new AppError('bad-input', `--to ${text} is no id`, { hint: 'ids are listed by "slipway app history APP"' });
}

function isSyncedByItself({ spec }: Application): boolean {
  return spec.syncPolicy?.automated !== undefined && spec.syncPolicy.automated.enabled !== false;
}

function followAutomatic(
  session: Session,
  name: string,
  { commit, timeout }: { commit: string; timeout: string | undefined },
): Promise<Application> {
  return watchUntil(session, name, {
    timeoutMs: parseTimeout(timeout),
    what: `the automated sync to ${commit.slice(0, 7)}`,
    done: (application) => {
      const { sync, history } = application.status ?? {};
      return sync?.status === 'Synced' && history?.at(-1)?.revision === commit && isOperationOver(application);
    },
  });
}
