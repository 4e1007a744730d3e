import type { Command } from 'commander';
import { getArray, getString, isObject } from '#base/json.ts';
import { queryText } from './client.ts';
import { readObjects } from './documents.ts';
import { renderFields, renderTable } from './printer.ts';
import { type OutputOption, type Session, withOutput } from './session.ts';

const base = '/api/v1/applicationsets';

interface NamespaceFlag {
  appsetNamespace?: string;
}

function place(name: string, flags: NamespaceFlag): string {
  const [namespace, plain] = name.includes('/') ? name.split('/', 2) : [flags.appsetNamespace, name];
  return `${base}/${encodeURIComponent(plain ?? '')}${queryText({ appsetNamespace: namespace })}`;
}

function generators(set: unknown): string {
  return getArray(set, 'spec', 'generators')
    .flatMap((generator) => (isObject(generator) ? Object.keys(generator).slice(0, 1) : []))
    .join(',');
}

function row(set: unknown): string[] {
  const conditions = getArray(set, 'status', 'conditions')
    .filter((condition) => getString(condition, 'status') === 'True')
    .map((condition) => getString(condition, 'type') ?? '');
  const applications = getArray(set, 'status', 'resources').length;
  const health = getString(set, 'status', 'health', 'status') ?? '-';
  return [
    getString(set, 'metadata', 'name') ?? '',
    getString(set, 'metadata', 'namespace') ?? '',
    getString(set, 'spec', 'template', 'spec', 'project') ?? '',
    generators(set),
    String(applications),
    health,
    conditions.join(',') || '-',
  ];
}

const head = ['NAME', 'NAMESPACE', 'PROJECT', 'GENERATORS', 'APPLICATIONS', 'HEALTH', 'CONDITIONS'];

function setText(set: unknown): string {
  const fields = head.map((label, at): [string, string | undefined] => [label, row(set)[at]]);
  const conditions = getArray(set, 'status', 'conditions').map((condition) => [
    getString(condition, 'type') ?? '',
    getString(condition, 'status') ?? '',
    getString(condition, 'message') ?? '',
  ]);
  return `${renderFields(fields)}${conditions.length > 0 ? `\n${renderTable(['CONDITION', 'STATUS', 'MESSAGE'], conditions)}` : ''}`;
}

/** `slipway appset`: as `argocd appset`. */
export function registerAppset(program: Command, session: Session): void {
  const appset = program.command('appset').description('application sets: applications made by generators');
  withOutput(appset.command('list'))
    .description('list application sets')
    .option('-l, --selector <selector>', 'by labels')
    .option('-p, --project <project>', 'of one project')
    .option('-N, --appset-namespace <name>', 'of one namespace')
    .action(async (flags: OutputOption & NamespaceFlag & { selector?: string; project?: string }) => {
      const { selector, project: projects, appsetNamespace } = flags;
      const answer = await session.client.request(
        'GET',
        `${base}${queryText({ selector, projects, appsetNamespace })}`,
      );
      const items = getArray(answer, 'items');
      session.show({ data: items, text: () => renderTable(head, items.map(row)) }, flags);
    });
  withOutput(appset.command('get <name>'))
    .description('show one application set')
    .option('-N, --appset-namespace <name>', 'its namespace')
    .action(async (name: string, flags: OutputOption & NamespaceFlag) => {
      const set = await session.client.request('GET', place(name, flags));
      session.show({ data: set, text: () => setText(set) }, flags);
    });
  withOutput(appset.command('create <file...>'))
    .description('create application sets from files')
    .option('--upsert', 'change those that are there')
    .option('--dry-run', 'only tell what would be made')
    .action(async (files: string[], flags: OutputOption & { upsert?: boolean; dryRun?: boolean }) => {
      const { upsert, dryRun } = flags;
      for (const set of files.flatMap((file) => readObjects(session.deps.cwd, file, 'ApplicationSet'))) {
        const made = await session.client.request('POST', `${base}${queryText({ upsert, dryRun })}`, set);
        const verb = dryRun ? 'would be created' : 'created';
        session.note(`application set ${getString(made, 'metadata', 'name')} ${verb}\n\n`, flags);
        session.show({ data: made, text: () => setText(made) }, flags);
      }
    });
  withOutput(appset.command('generate <file>'))
    .description('the applications that an application set in a file makes; nothing is written')
    .action(async (file: string, flags: OutputOption) => {
      const made: unknown[] = [];
      for (const applicationSet of readObjects(session.deps.cwd, file, 'ApplicationSet')) {
        const answer = await session.client.request('POST', `${base}/generate`, { applicationSet });
        made.push(...getArray(answer, 'applications'));
      }
      const rows = made.map((application) => [
        getString(application, 'metadata', 'name') ?? '',
        getString(application, 'spec', 'project') ?? '',
        destinationOf(application),
        getString(application, 'spec', 'source', 'path') ?? getString(application, 'spec', 'source', 'chart') ?? '-',
      ]);
      session.show({ data: made, text: () => renderTable(['NAME', 'PROJECT', 'DESTINATION', 'PATH'], rows) }, flags);
    });
  appset
    .command('delete <name...>')
    .description('delete application sets')
    .option('-N, --appset-namespace <name>', 'their namespace')
    .option('-y, --yes', 'accepted and without effect: nothing is asked')
    .action(async (names: string[], flags: NamespaceFlag) => {
      for (const name of names) {
        await session.client.request('DELETE', place(name, flags));
        session.deps.out(`application set '${name}' deleted\n`);
      }
    });
}

function destinationOf(application: unknown): string {
  const at = (field: string) => getString(application, 'spec', 'destination', field) ?? '';
  return `${at('server') || at('name')}/${at('namespace')}`;
}
