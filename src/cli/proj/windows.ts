import type { Command } from 'commander';
import { AppError } from '#base/errors.ts';
import { getArray, isObject, type JsonObject } from '#base/json.ts';
import { renderTable } from '../printer.ts';
import { type OutputOption, type Session, withOutput } from '../session.ts';
import { changeProject, field, readProject } from './document.ts';

interface WindowFlags {
  kind?: string;
  schedule?: string;
  duration?: string;
  applications?: string;
  namespaces?: string;
  clusters?: string;
  manualSync?: boolean;
  timeZone?: string;
  useAndOperator?: boolean;
  description?: string;
  syncOverrun?: boolean;
}

function withWindowFlags(command: Command): Command {
  return command
    .option('--schedule <cron>', 'when it opens, five fields of cron')
    .option('--duration <duration>', 'how long it stays open, for example 1h')
    .option('--applications <globs>', 'for which applications, separated by commas')
    .option('--namespaces <globs>', 'for which destination namespaces')
    .option('--clusters <globs>', 'for which clusters')
    .option('--manual-sync', 'syncs by hand are not held')
    .option('--time-zone <zone>', 'of the schedule, for example Europe/Berlin')
    .option('--use-and-operator', 'all of the three lists have to match')
    .option('--sync-overrun', 'a sync that began when it was allowed goes on')
    .option('--description <text>', 'what it is for');
}

function windowOf(flags: WindowFlags): JsonObject {
  const list = (text: string | undefined) =>
    text === undefined ? undefined : text.split(',').filter((part) => part !== '');
  const members: [string, unknown][] = [
    ['kind', flags.kind],
    ['schedule', flags.schedule],
    ['duration', flags.duration],
    ['applications', list(flags.applications)],
    ['namespaces', list(flags.namespaces)],
    ['clusters', list(flags.clusters)],
    ['manualSync', flags.manualSync],
    ['timeZone', flags.timeZone],
    ['andOperator', flags.useAndOperator],
    ['syncOverrun', flags.syncOverrun],
    ['description', flags.description],
  ];
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

function at(spec: JsonObject, id: string): { windows: JsonObject[]; index: number } {
  const windows = getArray(spec, 'syncWindows').filter(isObject);
  const index = Number(id);
  if (Number.isInteger(index) && index >= 0 && index < windows.length) return { windows, index };
  throw new AppError('not-found', `there is no window ${id}: the ids are 0 to ${windows.length - 1}`);
}

export function registerWindows(proj: Command, session: Session): void {
  const windows = proj.command('windows').description('when syncs may run, and when not');
  withOutput(windows.command('list <project>'))
    .description('the windows of a project')
    .action(async (name: string, flags: OutputOption) => {
      const all = getArray((await readProject(session, name)).spec, 'syncWindows');
      const joined = (window: unknown, list: string) => getArray(window, list).join(',') || '-';
      const rows = all.map((window, id) => [
        String(id),
        field(window, 'kind'),
        field(window, 'schedule'),
        field(window, 'duration'),
        joined(window, 'applications'),
        joined(window, 'namespaces'),
        joined(window, 'clusters'),
        isObject(window) && window['manualSync'] === true ? 'Enabled' : 'Disabled',
        field(window, 'timeZone') || 'UTC',
      ]);
      const head = [
        'ID',
        'KIND',
        'SCHEDULE',
        'DURATION',
        'APPLICATIONS',
        'NAMESPACES',
        'CLUSTERS',
        'MANUALSYNC',
        'TIMEZONE',
      ];
      session.show({ data: all, text: () => renderTable(head, rows) }, flags);
    });
  const change = async (name: string, edit: (spec: JsonObject) => JsonObject) => {
    await changeProject(session, name, edit);
    session.deps.out(`project '${name}' changed\n`);
  };
  withWindowFlags(windows.command('add <project>').requiredOption('-k, --kind <kind>', 'allow or deny'))
    .description('add a window')
    .action(async (name: string, flags: WindowFlags) => {
      await change(name, (spec) => ({ ...spec, syncWindows: [...getArray(spec, 'syncWindows'), windowOf(flags)] }));
    });
  withWindowFlags(windows.command('update <project> <id>'))
    .description('change what the flags speak of')
    .action(async (name: string, id: string, flags: WindowFlags) => {
      await change(name, (spec) => {
        const { windows: all, index } = at(spec, id);
        return { ...spec, syncWindows: all.with(index, { ...all[index], ...windowOf(flags) }) };
      });
    });
  windows
    .command('delete <project> <id>')
    .description('delete a window')
    .action(async (name: string, id: string) => {
      await change(name, (spec) => {
        const { windows: all, index } = at(spec, id);
        return { ...spec, syncWindows: all.toSpliced(index, 1) };
      });
    });
  for (const [verb, manualSync] of [
    ['enable-manual-sync', true],
    ['disable-manual-sync', false],
  ] as const)
    windows
      .command(`${verb} <project> <id>`)
      .description(`${manualSync ? 'let' : 'hold'} syncs by hand while the window would hold them`)
      .action(async (name: string, id: string) => {
        await change(name, (spec) => {
          const { windows: all, index } = at(spec, id);
          return { ...spec, syncWindows: all.with(index, { ...all[index], manualSync }) };
        });
      });
}
