import type { Command } from 'commander';
import type { Application } from '#model/argocd/application.ts';
import { type OutputOption, type Session, withOutput } from '../session.ts';
import { isOperationOver, parseTimeout, watchUntil } from '../watching.ts';
import { getResult } from './get.ts';

interface WaitOptions extends OutputOption {
  sync?: boolean;
  health?: boolean;
  operation?: boolean;
  timeout?: string;
}

export function registerAppWait(app: Command, session: Session): void {
  withOutput(app.command('wait <name...>'))
    .description('wait until applications are synced, healthy and without a running operation')
    .option('--sync', 'only wait for Synced')
    .option('--health', 'only wait for Healthy')
    .option('--operation', 'only wait for the running operation to end')
    .option('--timeout <seconds>', 'give up after that time')
    .action(async (names: string[], options: WaitOptions) => {
      for (const name of names) {
        const reached = waitCondition(options);
        const application = await watchUntil(session, name, {
          timeoutMs: parseTimeout(options.timeout),
          what: reached.what,
          done: reached.test,
        });
        session.show(getResult(application, false), options);
      }
    });
}

/** Without any choice, all three. */
export function waitCondition(options: { sync?: boolean; health?: boolean; operation?: boolean }): {
  what: string;
  test: (application: Application) => boolean;
} {
  const all = !options.sync && !options.health && !options.operation;
  const tests: { what: string; test: (application: Application) => boolean }[] = [];
  if (all || options.sync) tests.push({ what: 'Synced', test: ({ status }) => status?.sync?.status === 'Synced' });
  if (all || options.health)
    tests.push({ what: 'Healthy', test: ({ status }) => status?.health?.status === 'Healthy' });
  if (all || options.operation) tests.push({ what: 'no running operation', test: isOperationOver });
  return {
    what: tests.map(({ what }) => what).join(', '),
    test: (application) => tests.every(({ test }) => test(application)),
  };
}
