import type { Command } from 'commander';
import type { Session } from '../session.ts';

export function registerAppTerminate(app: Command, session: Session): void {
  app
    .command('terminate-op <name>')
    .description('end the running operation')
    .action(async (name: string) => {
      await session.client.terminate(name);
      session.show({ data: { name, terminating: true }, text: () => `${name}: the operation is being ended\n` }, {});
    });
}
