import type { Command } from 'commander';
import { isAppError } from '#base/errors.ts';
import { applicationPath } from '../client.ts';
import type { Session } from '../session.ts';
import { parseTimeout, watchUntil } from '../watching.ts';

interface DeleteFlags {
  cascade: string | boolean;
  propagationPolicy: string;
  selector?: string;
  wait?: boolean;
  yes?: boolean;
}

export function registerAppDelete(app: Command, session: Session): void {
  app
    .command('delete [name...]')
    .description('delete applications, and what they manage')
    .option('--cascade <bool>', 'false leaves what they manage', 'true')
    .option('-p, --propagation-policy <policy>', 'foreground or background', 'foreground')
    .option('-l, --selector <selector>', 'all with these labels')
    .option('--wait', 'until they are gone')
    .option('-y, --yes', 'accepted and without effect: nothing is asked')
    .action(async (names: string[], flags: DeleteFlags) => {
      const all = [...names];
      if (flags.selector !== undefined)
        for (const { metadata } of await session.client.applications({ selector: flags.selector }))
          all.push(metadata.name);
      for (const name of all) {
        const cascade = String(flags.cascade) !== 'false';
        const query = { cascade, ...(cascade ? { propagationPolicy: flags.propagationPolicy } : {}) };
        await session.client.request('DELETE', applicationPath(name, '', query));
        session.deps.out(`application '${name}' deleted\n`);
      }
      if (flags.wait) for (const name of all) await untilGone(session, name, undefined);
    });
  app
    .command('confirm-deletion <name>')
    .description('approve the deletion or pruning of what is marked Delete=confirm or Prune=confirm')
    .action(async (name: string) => {
      const now = new Date(session.deps.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
      const patch = { metadata: { annotations: { 'argocd.argoproj.io/deletion-approved': now } } };
      const body = { name, patch: JSON.stringify(patch), patchType: 'merge' };
      await session.client.request('PATCH', applicationPath(name), body);
      session.deps.out(`application '${name}' confirmed\n`);
    });
}

/** Resolves when the application is not there any more. */
export async function untilGone(session: Session, name: string, timeout: string | undefined): Promise<void> {
  try {
    await watchUntil(session, name, { timeoutMs: parseTimeout(timeout), what: 'its deletion', done: () => false });
  } catch (error) {
    if (!isAppError(error, 'not-found') && !isAppError(error, 'forbidden')) throw error;
  }
}
