import type { Command } from 'commander';
import type { Application } from '#model/argocd/application.ts';
import { versionOf } from '#trace/image-name.ts';
import { type Result, renderTable } from '../printer.ts';
import type { OutputOption, Session } from '../session.ts';

interface ListOptions extends OutputOption {
  selector?: string;
  project?: string;
  repo?: string;
  cluster?: string;
  path?: string;
  appNamespace?: string;
}

export function registerAppList(app: Command, session: Session): void {
  app
    .command('list')
    .option('-o, --output <format>', 'table, wide, name, json or yaml', 'table')
    .description('list applications')
    .option('-l, --selector <selector>', 'by labels, for example team=shop')
    .option('-p, --project <project>', 'of one project')
    .option('-r, --repo <url>', 'that read one repository')
    .option('-c, --cluster <cluster>', 'that go to one cluster, by name or address')
    .option('-P, --path <path>', 'that read one folder')
    .option('-N, --app-namespace <name>', 'whose objects are in one namespace')
    .action(async (options: ListOptions) => {
      const { selector, project, repo, appNamespace, cluster, path } = options;
      const all = await session.client.applications({ selector, project, repo, appNamespace });
      const shown = all.filter(
        ({ spec }) =>
          (cluster === undefined || spec.destination.server === cluster || spec.destination.name === cluster) &&
          (path === undefined || [spec.source, ...(spec.sources ?? [])].some((source) => source?.path === path)),
      );
      if (options.output !== 'name') return session.show(listResult(shown), options);
      for (const { metadata } of shown) session.deps.out(`${metadata.namespace ?? ''}/${metadata.name}\n`);
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
