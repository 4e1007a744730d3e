import type { Command } from 'commander';
import { AppError } from '#base/errors.ts';
import type { Application } from '#model/argocd/application.ts';
import { type OutputOption, type Session, withOutput } from '../session.ts';
import { isOperationOver, parseTimeout, watchUntil } from '../watching.ts';
import { untilGone } from './delete.ts';
import { getResult } from './get.ts';
import { collect } from './spec-flags.ts';
import { parseResource } from './sync-flags.ts';

interface WaitOptions extends OutputOption, WaitFlags {
  delete?: boolean;
  selector?: string;
  timeout?: string;
}

interface WaitFlags {
  sync?: boolean;
  health?: boolean;
  operation?: boolean;
  suspended?: boolean;
  degraded?: boolean;
  resource?: string[];
}

export function registerAppWait(app: Command, session: Session): void {
  withOutput(app.command('wait [name...]'))
    .description('wait until applications are synced, healthy and without a running operation')
    .option('--sync', 'only wait for Synced')
    .option('--health', 'only wait for Healthy')
    .option('--operation', 'only wait for the running operation to end')
    .option('--suspended', 'only wait for Suspended (with --health: for either)')
    .option('--degraded', 'only wait for Degraded (with --health: for either)')
    .option('--delete', 'only wait until they are gone')
    .option('--resource <group:kind:name>', 'of these resources only; may be repeated', collect)
    .option('-l, --selector <selector>', 'all applications with these labels')
    .option('--timeout <seconds>', 'give up after that time')
    .action(async (names: string[], options: WaitOptions) => {
      const selected = options.selector ? await session.client.applications({ selector: options.selector }) : [];
      const all = [...names, ...selected.map(({ metadata }) => metadata.name)];
      if (all.length === 0) throw new AppError('bad-input', 'which application? give a name, or --selector');
      for (const name of all) {
        if (options.delete) {
          await untilGone(session, name, options.timeout);
          continue;
        }
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

/** What is waited for of the application or, with --resource, of each of those. */
interface Seen {
  sync: string | undefined;
  health: string | undefined;
}

function seenOf(application: Application, choices: readonly string[] | undefined): Seen[] {
  const { status = {} } = application;
  if (!choices) return [{ sync: status.sync?.status, health: status.health?.status }];
  return choices.map((text) => {
    const { group, kind, name, namespace } = parseResource(text);
    const found = status.resources?.find(
      (resource) =>
        (resource.group ?? '') === group &&
        resource.kind === kind &&
        resource.name === name &&
        (namespace === undefined || resource.namespace === namespace),
    );
    return { sync: found?.status, health: found?.health?.status };
  });
}

/** Without any choice: Synced, Healthy and no operation. */
export function waitCondition(options: WaitFlags): { what: string; test: (application: Application) => boolean } {
  const { sync, health, operation, suspended, degraded, resource } = options;
  const all = ![sync, health, operation, suspended, degraded].some(Boolean);
  const states = [
    ...(all || health ? ['Healthy'] : []),
    ...(suspended ? ['Suspended'] : []),
    ...(degraded ? ['Degraded'] : []),
  ];
  const every = (test: (seen: Seen) => boolean) => (application: Application) =>
    seenOf(application, resource).every(test);
  const tests: { what: string; test: (application: Application) => boolean }[] = [];
  if (all || sync) tests.push({ what: 'Synced', test: every((seen) => seen.sync === 'Synced') });
  // A resource without a check of its health is as well as it can be.
  if (states.length > 0)
    tests.push({
      what: states.join(' or '),
      test: every(({ health: is, sync: seen }) => states.includes(is ?? (resource && seen ? 'Healthy' : ''))),
    });
  if (all || operation) tests.push({ what: 'no running operation', test: isOperationOver });
  return {
    what: tests.map(({ what }) => what).join(', '),
    test: (application) => tests.every(({ test }) => test(application)),
  };
}
