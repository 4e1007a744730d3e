import type { Command } from 'commander';
import { timestamp } from '#base/clock.ts';
import type { AuditEvent } from '#trace/event.ts';
import { type Result, renderDuration, renderTable } from './printer.ts';
import { type OutputOption, type Session, withOutput } from './session.ts';

interface EventOptions extends OutputOption {
  app?: string;
  kind?: string;
  after?: string;
  limit: string;
}

export function registerEvents(program: Command, session: Session): void {
  withOutput(program.command('events'))
    .description('what happened, newest last')
    .option('-a, --app <app>', 'of one application')
    .option('--kind <kind>', 'of one kind, for example sync-succeeded')
    .option('--after <id>', 'only those after this id')
    .option('--limit <count>', 'at most so many', '50')
    .action(async ({ app, kind, after, limit, ...options }: EventOptions) => {
      const events = await session.client.events({ application: app, kind, after, limit });
      session.show(eventsResult(events), options);
    });
}

export function eventsResult(events: AuditEvent[]): Result {
  const ordered = events.toSorted((a, b) => a.id - b.id);
  return {
    data: ordered,
    text: (wide) => {
      if (ordered.length === 0) return 'Nothing happened yet.\n';
      const rows = ordered.map((event) => {
        const took = event.durationMs === undefined ? '' : ` (${renderDuration(event.durationMs)})`;
        const shown = [
          timestamp(event.at),
          event.kind,
          event.application ?? event.repository ?? '-',
          event.actor.name,
          `${event.message}${took}`,
        ];
        return wide ? [String(event.id), ...shown, event.cause, event.commit?.slice(0, 7) ?? '-'] : shown;
      });
      const head = ['TIME', 'KIND', 'SUBJECT', 'ACTOR', 'MESSAGE'];
      return renderTable(wide ? ['ID', ...head, 'CAUSE', 'COMMIT'] : head, rows);
    },
  };
}
