import type { Command } from 'commander';
import { explainWhy } from '#trace/why.ts';
import { type OutputOption, type Session, withOutput } from './session.ts';

export function registerWhy(program: Command, session: Session): void {
  withOutput(program.command('why <app>'))
    .description('what holds an application back, and the next step')
    .action(async (name: string, options: OutputOption) => {
      const findings = explainWhy(await session.client.application(name));
      const text =
        findings.length === 0
          ? `${name} is synced and healthy: nothing holds it back.\n`
          : findings
              .map(({ problem, next }) => `${name}: ${problem}\n  next: ${next.replaceAll('APP', name)}\n`)
              .join('');
      session.show({ data: findings, text: () => text }, options);
    });
}
