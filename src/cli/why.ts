import type { Command } from 'commander';
import type { Reason } from '#apps/why/reason.ts';
import { type OutputOption, type Session, withOutput } from './session.ts';

export function registerWhy(program: Command, session: Session): void {
  withOutput(program.command('why <app>'))
    .description('what holds an application back, and the next step')
    .action(async (name: string, options: OutputOption) => {
      const reasons = await session.client.why(name);
      const text = reasons.length === 0 ? `${name} is synced and healthy: nothing holds it back.\n` : '';
      session.show({ data: reasons, text: () => text + reasons.map(reasonText).join('\n') }, options);
    });
}

function reasonText({ code, problem, next, detail, since }: Reason): string {
  const lines = [
    `${code}: ${problem}${since === undefined ? '' : ` (since ${since})`}`,
    ...(detail === undefined ? [] : detail.split('\n').map((line) => `  | ${line}`)),
    `  next: ${next}`,
  ];
  return `${lines.join('\n')}\n`;
}
