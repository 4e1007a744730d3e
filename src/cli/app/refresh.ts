import type { Command } from 'commander';
import { type OutputOption, type Session, withOutput } from '../session.ts';
import { getResult } from './get.ts';

export function registerAppRefresh(app: Command, session: Session): void {
  withOutput(app.command('refresh <name>'))
    .description('look at Git and the cluster now')
    .option('--hard', 'render anew, whatever is cached')
    .action(async (name: string, options: OutputOption & { hard?: boolean }) => {
      const application = await session.client.application(name, options.hard ? 'hard' : 'normal');
      session.show(getResult(application, false), options);
    });
}
