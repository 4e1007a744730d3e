import type { Command } from 'commander';
import { AppError } from '#base/errors.ts';
import { getArray, getString, type JsonObject } from '#base/json.ts';
import { collect } from '../app/spec-flags.ts';
import { queryText } from '../client.ts';
import { readObjects } from '../documents.ts';
import { renderFields, renderTable } from '../printer.ts';
import { type OutputOption, type Session, withOutput } from '../session.ts';
import { changeProject, projectPath, readProject } from './document.ts';
import { registerPermissions } from './permissions.ts';
import { registerRoles } from './roles.ts';
import { registerWindows } from './windows.ts';

function count(project: unknown, list: string): string {
  const entries = getArray(project, 'spec', list);
  if (entries.length === 0) return '<none>';
  if (entries.length > 1) return `${entries.length}`;
  const [entry] = entries;
  if (typeof entry === 'string') return entry;
  const at = (name: string) => getString(entry, name) ?? '';
  return list === 'destinations' ? `${at('server') || at('name')},${at('namespace')}` : `${at('group')}/${at('kind')}`;
}

const columns: [head: string, list: string][] = [
  ['DESTINATIONS', 'destinations'],
  ['SOURCES', 'sourceRepos'],
  ['CLUSTER-RESOURCE-WHITELIST', 'clusterResourceWhitelist'],
  ['NAMESPACE-RESOURCE-BLACKLIST', 'namespaceResourceBlacklist'],
];

function projectText(project: unknown): string {
  const of = (list: string) => getArray(project, 'spec', list);
  const text = (entry: unknown) => (typeof entry === 'string' ? entry : JSON.stringify(entry));
  const lists = [
    'destinations',
    'sourceRepos',
    'sourceNamespaces',
    'clusterResourceWhitelist',
    'clusterResourceBlacklist',
    'namespaceResourceWhitelist',
    'namespaceResourceBlacklist',
    'destinationServiceAccounts',
  ];
  return renderFields(
    [
      ['Name', getString(project, 'metadata', 'name')],
      ['Description', getString(project, 'spec', 'description')],
      ...lists.map((list): [string, string] => [list, of(list).map(text).join(' ') || '<none>']),
      [
        'roles',
        of('roles')
          .map((role) => getString(role, 'name'))
          .join(' ') || '<none>',
      ],
      ['syncWindows', String(of('syncWindows').length)],
    ],
    30,
  );
}

interface ProjectFlags {
  description?: string;
  src?: string[];
  dest?: string[];
  sourceNamespaces?: string[];
  allowClusterResource?: string[];
  denyClusterResource?: string[];
  allowNamespacedResource?: string[];
  denyNamespacedResource?: string[];
  orphanedResources?: boolean;
  orphanedResourcesWarn?: boolean;
}

function withProjectFlags(command: Command): Command {
  return command
    .option('--description <text>', 'what it is for')
    .option('-s, --src <url>', 'permitted repository; may be repeated', collect)
    .option('-d, --dest <cluster,namespace>', 'permitted destination; may be repeated', collect)
    .option('--source-namespaces <name>', 'where its Applications may be; may be repeated', collect)
    .option('--allow-cluster-resource <group/kind>', 'permitted; may be repeated', collect)
    .option('--deny-cluster-resource <group/kind>', 'not permitted; may be repeated', collect)
    .option('--allow-namespaced-resource <group/kind>', 'permitted; may be repeated', collect)
    .option('--deny-namespaced-resource <group/kind>', 'not permitted; may be repeated', collect)
    .option('--orphaned-resources', 'look for what no application tracks')
    .option('--orphaned-resources-warn', 'and warn of it');
}

export function parseDestination(text: string): JsonObject {
  const comma = text.lastIndexOf(',');
  if (comma <= 0) throw new AppError('bad-input', `--dest ${text} is not of the form CLUSTER,NAMESPACE`);
  const cluster = text.slice(0, comma);
  const namespace = text.slice(comma + 1);
  return /^https?:|^\*$|^!/.test(cluster) ? { server: cluster, namespace } : { name: cluster, namespace };
}

export function parseGroupKind(text: string): JsonObject {
  const [group = '', kind = '', name] = text.split('/');
  if (kind === '')
    throw new AppError('bad-input', `${text} is not of the form GROUP/KIND`, {
      hint: 'the core group is empty: /ConfigMap',
    });
  return name === undefined ? { group, kind } : { group, kind, name };
}

function specOf(flags: ProjectFlags, before: JsonObject): JsonObject {
  const list = (key: string, values: unknown[] | undefined) => (values ? { [key]: values } : {});
  const orphaned = flags.orphanedResources || flags.orphanedResourcesWarn;
  return {
    ...before,
    ...(flags.description === undefined ? {} : { description: flags.description }),
    ...list('sourceRepos', flags.src),
    ...list('destinations', flags.dest?.map(parseDestination)),
    ...list('sourceNamespaces', flags.sourceNamespaces),
    ...list('clusterResourceWhitelist', flags.allowClusterResource?.map(parseGroupKind)),
    ...list('clusterResourceBlacklist', flags.denyClusterResource?.map(parseGroupKind)),
    ...list('namespaceResourceWhitelist', flags.allowNamespacedResource?.map(parseGroupKind)),
    ...list('namespaceResourceBlacklist', flags.denyNamespacedResource?.map(parseGroupKind)),
    ...(orphaned ? { orphanedResources: { warn: flags.orphanedResourcesWarn ?? false } } : {}),
  };
}

/** `slipway proj`: as `argocd proj`. */
export function registerProj(program: Command, session: Session): void {
  const proj = program.command('proj').description('projects: what teams may deploy, from where, to where');
  withOutput(proj.command('list'))
    .description('list projects')
    .action(async (flags: OutputOption) => {
      const items = getArray(await session.client.request('GET', '/api/v1/projects'), 'items');
      const rows = items.map((project) => [
        getString(project, 'metadata', 'name') ?? '',
        getString(project, 'spec', 'description') ?? '',
        ...columns.map(([, list]) => count(project, list)),
      ]);
      const head = ['NAME', 'DESCRIPTION', ...columns.map(([name]) => name)];
      session.show({ data: items, text: () => renderTable(head, rows) }, flags);
    });
  withOutput(proj.command('get <name>'))
    .description('show one project')
    .action(async (name: string, flags: OutputOption) => {
      const project = await readProject(session, name);
      session.show({ data: project, text: () => projectText(project) }, flags);
    });
  withProjectFlags(withOutput(proj.command('create [name]')))
    .description('create a project, from flags or from a file')
    .option('-f, --file <file>', 'AppProject manifest, - for standard input')
    .option('--upsert', 'change the one that is there')
    .action(
      async (name: string | undefined, flags: OutputOption & ProjectFlags & { file?: string; upsert?: boolean }) => {
        if (name === undefined && flags.file === undefined)
          throw new AppError('bad-input', 'a project needs a name, or a file with --file');
        const apiVersion = 'argoproj.io/v1alpha1';
        const documents =
          flags.file === undefined
            ? [{ apiVersion, kind: 'AppProject', metadata: { name }, spec: specOf(flags, {}) }]
            : readObjects(session.deps.cwd, flags.file, 'AppProject');
        for (const project of documents) {
          const made = await session.client.request('POST', '/api/v1/projects', {
            project,
            upsert: flags.upsert ?? false,
          });
          session.show({ data: made, text: () => projectText(made) }, flags);
        }
      },
    );
  withProjectFlags(proj.command('set <name>'))
    .description('set what the flags speak of; lists are replaced')
    .action(async (name: string, flags: ProjectFlags) => {
      await changeProject(session, name, (spec) => specOf(flags, spec));
      session.deps.out(`project '${name}' changed\n`);
    });
  proj
    .command('delete <name...>')
    .description('delete projects; those with applications stay')
    .action(async (names: string[]) => {
      for (const name of names) {
        await session.client.request('DELETE', `${projectPath(name)}${queryText({})}`);
        session.deps.out(`project '${name}' deleted\n`);
      }
    });
  registerPermissions(proj, session);
  registerWindows(proj, session);
  registerRoles(proj, session);
}
