import type { Command } from 'commander';
import type { Application } from '#model/argocd/application.ts';
import { type Result, renderTable } from '../printer.ts';
import { type OutputOption, type Session, withOutput } from '../session.ts';

export function registerAppHistory(app: Command, session: Session): void {
  withOutput(app.command('history <name>'))
    .description('what was deployed, when and by whom')
    .action(async (name: string, options: OutputOption) => {
      session.show(historyResult(await session.client.application(name)), options);
    });
}

export function historyResult({ metadata, status }: Application): Result {
  const history = status?.history ?? [];
  return {
    data: history,
    text: (wide) => {
      if (history.length === 0) return `${metadata.name} was never synced.\n`;
      const rows = history.map((entry) => {
        const revision = entry.revision ?? entry.revisions?.join(',') ?? '-';
        const source = entry.sources?.[0] ?? entry.source;
        const by = entry.initiatedBy?.username ?? (entry.initiatedBy?.automated ? 'automated' : '-');
        const shown = [
          String(entry.id),
          entry.deployedAt,
          `${source?.targetRevision || 'HEAD'} (${wide ? revision : revision.slice(0, 7)})`,
          by,
        ];
        return wide ? [...shown, source?.repoURL ?? '-', source?.path ?? '-'] : shown;
      });
      const head = ['ID', 'DATE', 'REVISION', 'BY'];
      return renderTable(wide ? [...head, 'REPO', 'PATH'] : head, rows);
    },
  };
}
