import type { Command } from 'commander';
import { getObject, type JsonObject } from '#base/json.ts';
import type { Session } from '../session.ts';
import { changeProject, field, withEntry, withoutEntry } from './document.ts';

interface Pair {
  verb: [add: string, remove: string];
  args: string;
  about: string;
  list: string;
  entry: (args: string[]) => JsonObject | string;
}

const groupKind = ([group = '', kind = '']: string[]) => ({ group, kind });

/** Lists of a project that grow and shrink by an entry. */
const pairs: readonly Pair[] = [
  {
    verb: ['add-source', 'remove-source'],
    args: '<url>',
    about: 'a permitted repository',
    list: 'sourceRepos',
    entry: ([url = '']) => url,
  },
  {
    verb: ['add-source-namespace', 'remove-source-namespace'],
    args: '<namespace>',
    about: 'a namespace in which Applications of the project may be',
    list: 'sourceNamespaces',
    entry: ([namespace = '']) => namespace,
  },
  {
    verb: ['allow-cluster-resource', 'remove-allowed-cluster-resource'],
    args: '<group> <kind>',
    about: 'a permitted kind without a namespace',
    list: 'clusterResourceWhitelist',
    entry: groupKind,
  },
  {
    verb: ['deny-cluster-resource', 'remove-denied-cluster-resource'],
    args: '<group> <kind>',
    about: 'a kind without a namespace that is not permitted',
    list: 'clusterResourceBlacklist',
    entry: groupKind,
  },
  {
    verb: ['allow-namespace-resource', 'remove-allowed-namespace-resource'],
    args: '<group> <kind>',
    about: 'a permitted kind in namespaces',
    list: 'namespaceResourceWhitelist',
    entry: groupKind,
  },
  {
    verb: ['deny-namespace-resource', 'remove-denied-namespace-resource'],
    args: '<group> <kind>',
    about: 'a kind in namespaces that is not permitted',
    list: 'namespaceResourceBlacklist',
    entry: groupKind,
  },
];

function same(a: JsonObject | string, b: unknown): boolean {
  if (typeof a === 'string') return a === b;
  return ['group', 'kind', 'name'].every((name) => field(a, name) === field(b, name));
}

export function registerPermissions(proj: Command, session: Session): void {
  for (const { verb, args, about, list, entry } of pairs) {
    const [add, remove] = verb;
    const run =
      (change: (spec: JsonObject, entry: JsonObject | string, what: string) => JsonObject) =>
      async (...given: unknown[]) => {
        const [name = '', ...rest] = given.filter((value): value is string => typeof value === 'string');
        const what = rest.join(' ');
        await changeProject(session, name, (spec) => change(spec, entry(rest), `${what} of project ${name}`));
        session.deps.out(`project '${name}' changed\n`);
      };
    proj
      .command(`${add} <project> ${args}`)
      .description(`add ${about}`)
      .action(run((spec, value, what) => withEntry(spec, list, value, what)));
    proj
      .command(`${remove} <project> ${args}`)
      .description(`take away ${about}`)
      .action(run((spec, value, what) => withoutEntry(spec, list, (other) => same(value, other), what)));
  }
  registerDestinations(proj, session);
  registerOrphans(proj, session);
}

function registerDestinations(proj: Command, session: Session): void {
  const destination = (server: string, namespace: string, byName: boolean | undefined) =>
    byName ? { name: server, namespace } : { server, namespace };
  const isIt = (server: string, namespace: string, byName: boolean | undefined) => (entry: unknown) =>
    field(entry, byName ? 'name' : 'server') === server && field(entry, 'namespace') === namespace;
  proj
    .command('add-destination <project> <cluster> <namespace>')
    .description('add a permitted destination')
    .option('--name', 'the cluster is told by its name')
    .action(async (name: string, cluster: string, namespace: string, flags: { name?: boolean }) => {
      const entry = destination(cluster, namespace, flags.name);
      await changeProject(session, name, (spec) => withEntry(spec, 'destinations', entry, `${cluster} ${namespace}`));
      session.deps.out(`project '${name}' changed\n`);
    });
  proj
    .command('remove-destination <project> <cluster> <namespace>')
    .description('take away a permitted destination')
    .option('--name', 'the cluster is told by its name')
    .action(async (name: string, cluster: string, namespace: string, flags: { name?: boolean }) => {
      const matches = isIt(cluster, namespace, flags.name);
      await changeProject(session, name, (spec) =>
        withoutEntry(spec, 'destinations', matches, `${cluster} ${namespace}`),
      );
      session.deps.out(`project '${name}' changed\n`);
    });
  proj
    .command('add-destination-service-account <project> <server> <namespace> <account>')
    .description('the account whose rights syncs to that destination have')
    .action(async (name: string, server: string, namespace: string, defaultServiceAccount: string) => {
      const entry = { server, namespace, defaultServiceAccount };
      await changeProject(session, name, (spec) =>
        withEntry(spec, 'destinationServiceAccounts', entry, `${server} ${namespace}`),
      );
      session.deps.out(`project '${name}' changed\n`);
    });
  proj
    .command('remove-destination-service-account <project> <server> <namespace> <account>')
    .description('take that away')
    .action(async (name: string, server: string, namespace: string, account: string) => {
      const matches = (entry: unknown) =>
        isIt(server, namespace, false)(entry) && field(entry, 'defaultServiceAccount') === account;
      await changeProject(session, name, (spec) =>
        withoutEntry(spec, 'destinationServiceAccounts', matches, `${server} ${namespace}`),
      );
      session.deps.out(`project '${name}' changed\n`);
    });
}

function registerOrphans(proj: Command, session: Session): void {
  const change = (name: string, edit: (orphaned: JsonObject) => JsonObject) =>
    changeProject(session, name, (spec) => ({
      ...spec,
      orphanedResources: edit(getObject(spec, 'orphanedResources')),
    }));
  const entryOf = (group: string, kind: string, name: string | undefined) => ({
    group,
    kind,
    ...(name ? { name } : {}),
  });
  proj
    .command('add-orphaned-ignore <project> <group> <kind>')
    .description('what is not told as orphaned')
    .option('--name <name>', 'only objects of that name')
    .action(async (project: string, group: string, kind: string, flags: { name?: string }) => {
      const entry = entryOf(group, kind, flags.name);
      await change(project, (orphaned) => withEntry(orphaned, 'ignore', entry, `${group}/${kind}`));
      session.deps.out(`project '${project}' changed\n`);
    });
  proj
    .command('remove-orphaned-ignore <project> <group> <kind>')
    .description('take that away')
    .option('--name <name>', 'only objects of that name')
    .action(async (project: string, group: string, kind: string, flags: { name?: string }) => {
      const entry = entryOf(group, kind, flags.name);
      await change(project, (orphaned) =>
        withoutEntry(orphaned, 'ignore', (other) => same(entry, other), `${group}/${kind}`),
      );
      session.deps.out(`project '${project}' changed\n`);
    });
}
