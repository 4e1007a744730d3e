import type { Command } from 'commander';
import { AppError } from '#base/errors.ts';
import type { Application, ApplicationSource, OperationState } from '#model/argocd/application.ts';
import { type Result, renderDuration, renderFields, renderTable } from '../printer.ts';
import { type OutputOption, type Session, withOutput } from '../session.ts';
import { policyName } from './list.ts';

interface GetOptions extends OutputOption {
  refresh?: boolean;
  hardRefresh?: boolean;
  showOperation?: boolean;
}

export function registerAppGet(app: Command, session: Session): void {
  withOutput(app.command('get <name>'))
    .description('show one application')
    .option('--refresh', 'compare with Git first')
    .option('--hard-refresh', 'compare with Git first and render anew')
    .option('--show-operation', 'show the last operation')
    .action(async (name: string, options: GetOptions) => {
      if (options.refresh && options.hardRefresh)
        throw new AppError('bad-input', '--refresh and --hard-refresh exclude each other');
      const level = options.hardRefresh ? 'hard' : options.refresh ? 'normal' : undefined;
      const application = await session.client.application(name, level);
      session.show(getResult(application, options.showOperation ?? false), options);
    });
}

/** Laid out as `argocd app get` does. */
export function getResult(application: Application, showOperation: boolean): Result {
  return {
    data: application,
    text: (wide) =>
      [
        renderFields(summaryFields(application)),
        showOperation ? operationBlock(application.status?.operationState) : '',
        conditionBlock(application),
        resourceBlock(application, wide),
      ]
        .filter((block) => block !== '')
        .join('\n'),
  };
}

function summaryFields(application: Application): [string, string | undefined][] {
  const { metadata, spec, status } = application;
  const sources = spec.sources ?? (spec.source ? [spec.source] : []);
  const revision = status?.sync?.revision ?? status?.sync?.revisions?.map((text) => text.slice(0, 7)).join(', ');
  const target = sources[0]?.targetRevision || 'HEAD';
  const syncStatus = status?.sync?.status ?? 'Unknown';
  const preposition = syncStatus === 'OutOfSync' ? 'from' : 'to';
  const at = revision === undefined ? '' : ` ${preposition} ${target} (${revision.slice(0, 7)})`;
  return [
    ['Name', metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`],
    ['Project', spec.project],
    ['Server', spec.destination.server ?? spec.destination.name],
    ['Namespace', spec.destination.namespace],
    ...sources.flatMap(sourceFields),
    ['Sync Policy', policyName(spec.syncPolicy?.automated)],
    ['Sync Status', `${syncStatus}${at}`],
    [
      'Health Status',
      `${status?.health?.status ?? 'Unknown'}${status?.health?.message ? ` (${status.health.message})` : ''}`,
    ],
    ['Images', status?.summary?.images?.join(', ')],
  ];
}

function sourceFields(source: ApplicationSource): [string, string | undefined][] {
  return [
    ['Repo', source.repoURL],
    ['Target', source.targetRevision || 'HEAD'],
    ['Path', source.path],
    ['Chart', source.chart],
    ['Helm Values', source.helm?.valueFiles?.join(',')],
  ];
}

export function operationBlock(state: OperationState | undefined): string {
  if (!state) return '';
  const by = state.operation.initiatedBy;
  // The times have whole seconds: less than one is not known.
  const tookMs = Date.parse(state.finishedAt ?? '') - Date.parse(state.startedAt);
  return renderFields([
    ['Operation', 'Sync'],
    ['Sync Revision', state.syncResult?.revision],
    ['Phase', state.phase],
    ['Started by', by?.username ?? (by?.automated ? 'automated sync' : undefined)],
    ['Start', state.startedAt],
    ['Finished', state.finishedAt],
    ['Duration', tookMs > 0 ? renderDuration(tookMs) : undefined],
    ['Retries', state.retryCount ? String(state.retryCount) : undefined],
    ['Message', state.message],
  ]);
}

function conditionBlock({ status }: Application): string {
  const rows = (status?.conditions ?? []).map(({ type, message, lastTransitionTime }) => [
    type,
    message.replaceAll('\n', ' '),
    lastTransitionTime ?? '',
  ]);
  return rows.length === 0 ? '' : renderTable(['CONDITION', 'MESSAGE', 'LAST TRANSITION'], rows);
}

export function resourceBlock({ status }: Application, wide: boolean): string {
  const results = new Map(
    (status?.operationState?.syncResult?.resources ?? []).map((result) => [
      `${result.group}/${result.kind}/${result.namespace}/${result.name}`,
      result,
    ]),
  );
  const rows = (status?.resources ?? []).map((resource) => {
    const { group = '', version, kind, namespace = '', name } = resource;
    const result = results.get(`${group}/${kind}/${namespace}/${name}`);
    const health = resource.health?.status ?? '';
    const message = resource.health?.message && health !== 'Healthy' ? resource.health.message : result?.message;
    const hook = result?.hookType ?? (resource.hook ? 'Hook' : '');
    const shown = [group, kind, namespace, name, resource.status ?? '', health, hook, message ?? ''];
    return wide ? [...shown, version, String(resource.syncWave ?? 0)] : shown;
  });
  if (rows.length === 0) return '';
  const head = ['GROUP', 'KIND', 'NAMESPACE', 'NAME', 'STATUS', 'HEALTH', 'HOOK', 'MESSAGE'];
  return renderTable(wide ? [...head, 'VERSION', 'WAVE'] : head, rows);
}
