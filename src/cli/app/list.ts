import type { Command } from 'commander';
import type { Application } from '#model/argocd/application.ts';
import { versionOf } from '#trace/image-name.ts';
import { type Result, renderTable } from '../printer.ts';
import { type OutputOption, type Session, withOutput } from '../session.ts';

interface ListOptions extends OutputOption {
  selector?: string;
  project?: string;
  repo?: string;
}

export function registerAppList(app: Command, session: Session): void {
  withOutput(app.command('list'))
    .description('list applications')
    .option('-l, --selector <selector>', 'by labels, for example team=shop')
    .option('-p, --project <project>', 'of one project')
    .option('-r, --repo <url>', 'that read one repository')
    .action(async (options: ListOptions) => {
      const { selector, project, repo } = options;
      session.show(listResult(await session.client.applications({ selector, project, repo })), options);
    });
}

export function listResult(applications: Application[]): Result {
  const sorted = applications.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  return {
    data: sorted,
    text: (wide) => {
      if (sorted.length === 0) return 'There are no applications.\n';
      const head = ['NAME', 'SYNC', 'HEALTH', 'POLICY', 'VERSION', 'NAMESPACE', 'CONDITIONS'];
      const more = wide ? ['PROJECT', 'REPO', 'PATH', 'TARGET', 'REVISION'] : [];
      return renderTable(
        [...head, ...more],
        sorted.map((application) => [...row(application), ...(wide ? wideRow(application) : [])]),
      );
    },
  };
}

function row({ metadata, spec, status }: Application): string[] {
  const conditions = (status?.conditions ?? []).map(({ type }) => type);
  return [
    metadata.name,
    status?.sync?.status ?? 'Unknown',
    status?.health?.status ?? 'Unknown',
    policyName(spec.syncPolicy?.automated),
    (status?.summary?.images ?? []).map((image) => versionOf(image) ?? image).join(',') || '-',
    spec.destination.namespace ?? '-',
    conditions.join(',') || '<none>',
  ];
}

function wideRow({ spec, status }: Application): string[] {
  const source = spec.sources?.[0] ?? spec.source;
  return [
    spec.project,
    source?.repoURL ?? '-',
    source?.path ?? source?.chart ?? '-',
    source?.targetRevision || 'HEAD',
    status?.sync?.revision?.slice(0, 7) ?? '-',
  ];
}

export function policyName(automated: { enabled?: boolean; prune?: boolean; selfHeal?: boolean } | undefined): string {
  if (!automated || automated.enabled === false) return 'Manual';
  return `Auto${automated.prune ? '-Prune' : ''}${automated.selfHeal ? '-Heal' : ''}`;
}
