import type { Command } from 'commander';
import { AppError } from '#base/errors.ts';
import { getArray, getString, parseJson } from '#base/json.ts';
import { applicationPath, type Query } from '../client.ts';
import { renderTable } from '../printer.ts';
import { type OutputOption, type Session, withOutput } from '../session.ts';
import { collect } from './spec-flags.ts';

/** One node of the tree of an application, as `GET .../resource-tree` has it. */
interface Node {
  group: string;
  version: string;
  kind: string;
  namespace: string;
  name: string;
  uid: string;
  orphaned: boolean;
  parents: string[];
  health: string;
}

interface ResourceFlags {
  kind?: string;
  group?: string;
  namespace?: string;
  resourceName?: string;
  all?: boolean;
}

function nodesOf(answer: unknown, list: 'nodes' | 'orphanedNodes'): Node[] {
  return getArray(answer, list).map((node) => {
    const text = (field: string) => getString(node, field) ?? '';
    const parents = getArray(node, 'parentRefs').map((parent) => getString(parent, 'uid') ?? '');
    const health = getString(node, 'health', 'status') ?? '';
    const [group, version, kind, namespace] = ['group', 'version', 'kind', 'namespace'].map(text) as [
      string,
      string,
      string,
      string,
    ];
    const orphaned = list === 'orphanedNodes';
    return { group, version, kind, namespace, name: text('name'), uid: text('uid'), orphaned, parents, health };
  });
}

export async function treeOf(session: Session, name: string): Promise<Node[]> {
  const answer = await session.client.request('GET', applicationPath(name, '/resource-tree'));
  return [...nodesOf(answer, 'nodes'), ...nodesOf(answer, 'orphanedNodes')];
}

/** The objects that flags select: one exactly, unless all are asked for. */
async function selected(session: Session, name: string, flags: ResourceFlags): Promise<Node[]> {
  const found = (await treeOf(session, name)).filter(
    (node) =>
      (flags.group === undefined || node.group === flags.group) &&
      (flags.kind === undefined || node.kind === flags.kind) &&
      (flags.namespace === undefined || node.namespace === flags.namespace) &&
      (flags.resourceName === undefined || node.name === flags.resourceName),
  );
  if (found.length === 0) throw new AppError('not-found', `application ${name} has no resource that fits`);
  if (found.length > 1 && !flags.all)
    throw new AppError('bad-input', `${found.length} resources of ${name} fit`, {
      hint: 'add --resource-name or --namespace, or --all for all of them',
    });
  return found;
}

export function resourceQuery({ group, version, kind, namespace, name }: Node): Query {
  return { group, version, kind, namespace, resourceName: name };
}

function withResourceFlags(command: Command): Command {
  return command
    .requiredOption('--kind <kind>', 'of the resource')
    .option('--group <group>', 'of the resource')
    .option('--namespace <name>', 'of the resource')
    .option('--resource-name <name>', 'of the resource')
    .option('--all', 'every one that fits');
}

const described = ({ group, kind, namespace, name }: Node) =>
  `${group === '' ? '' : `${group}/`}${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;

export function registerAppResources(app: Command, session: Session): void {
  withOutput(app.command('resources <name>'))
    .description('what an application consists of, and what is orphaned')
    .option('--orphaned', 'only what no application tracks')
    .action(async (name: string, flags: OutputOption & { orphaned?: boolean }) => {
      const nodes = (await treeOf(session, name)).filter((node) => !flags.orphaned || node.orphaned);
      const rows = nodes
        .filter((node) => node.orphaned || node.parents.length === 0)
        .map(({ group, kind, namespace, name: own, orphaned }) => [
          group,
          kind,
          namespace,
          own,
          orphaned ? 'Yes' : 'No',
        ]);
      const head = ['GROUP', 'KIND', 'NAMESPACE', 'NAME', 'ORPHANED'];
      session.show({ data: nodes, text: () => renderTable(head, rows) }, flags);
    });

  withOutput(withResourceFlags(app.command('get-resource <name>')))
    .description('one resource as it is in the cluster')
    .option('--filter-fields <path>', 'only these members, for example status.replicas; may be repeated', collect)
    .action(async (name: string, flags: OutputOption & ResourceFlags & { filterFields?: string[] }) => {
      const objects: unknown[] = [];
      for (const node of await selected(session, name, flags)) {
        const answer = await session.client.request('GET', applicationPath(name, '/resource', resourceQuery(node)));
        const object = parseJson(getString(answer, 'manifest') ?? 'null', described(node));
        objects.push(flags.filterFields ? pick(object, flags.filterFields) : object);
      }
      const output = flags.output === undefined || flags.output === 'table' ? 'yaml' : flags.output;
      session.show({ data: objects.length === 1 ? objects[0] : objects, text: () => '' }, { output });
    });

  withResourceFlags(app.command('patch-resource <name>'))
    .description('change resources in the cluster; Git is not touched')
    .requiredOption('--patch <json>', 'the patch')
    .option('--patch-type <type>', 'a media type of Kubernetes', 'application/merge-patch+json')
    .action(async (name: string, flags: ResourceFlags & { patch: string; patchType: string }) => {
      for (const node of await selected(session, name, flags)) {
        const query = { ...resourceQuery(node), patchType: flags.patchType };
        await session.client.request('POST', applicationPath(name, '/resource', query), flags.patch);
        session.deps.out(`resource ${described(node)} patched\n`);
      }
    });

  withResourceFlags(app.command('delete-resource <name>'))
    .description('delete resources from the cluster; Git is not touched')
    .option('--force', 'at once, without grace')
    .option('--orphan', 'leave what it owns')
    .action(async (name: string, flags: ResourceFlags & { force?: boolean; orphan?: boolean }) => {
      for (const node of await selected(session, name, flags)) {
        const query = { ...resourceQuery(node), force: flags.force, orphan: flags.orphan };
        await session.client.request('DELETE', applicationPath(name, '/resource', query));
        session.deps.out(`resource ${described(node)} deleted\n`);
      }
    });

  registerActions(app, session);
}

/** An object with the members of these dotted paths only. */
export function pick(object: unknown, paths: readonly string[]): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const path of paths) {
    let at: unknown = object;
    for (const step of path.split('.')) at = typeof at === 'object' && at !== null ? Reflect.get(at, step) : undefined;
    if (at !== undefined) out[path] = at;
  }
  return out;
}

function registerActions(app: Command, session: Session): void {
  const actions = app.command('actions').description('what can be done with a resource: restart, scale, pause, ...');
  withOutput(withResourceFlags(actions.command('list <name>')))
    .description('what can be done with resources')
    .action(async (name: string, flags: OutputOption & ResourceFlags) => {
      const found: { resource: string; action: string; disabled: boolean }[] = [];
      for (const node of await selected(session, name, { ...flags, all: true })) {
        const path = applicationPath(name, '/resource/actions', resourceQuery(node));
        for (const action of getArray(await session.client.request('GET', path), 'actions'))
          found.push({
            resource: described(node),
            action: getString(action, 'name') ?? '',
            disabled: JSON.stringify(action).includes('"disabled":true'),
          });
      }
      const rows = found.map(({ resource, action, disabled }) => [resource, action, String(disabled)]);
      session.show({ data: found, text: () => renderTable(['RESOURCE', 'ACTION', 'DISABLED'], rows) }, flags);
    });
  withResourceFlags(actions.command('run <name> <action>'))
    .description('run an action on a resource')
    .option('-p, --param <assignment>', 'NAME=VALUE; may be repeated', collect)
    .action(async (name: string, action: string, flags: ResourceFlags & { param?: string[] }) => {
      for (const node of await selected(session, name, flags)) {
        const resourceActionParameters = (flags.param ?? []).map((text) => {
          const at = text.indexOf('=');
          return { name: text.slice(0, at), value: text.slice(at + 1) };
        });
        const body = { ...resourceQuery(node), action, resourceActionParameters };
        await session.client.request('POST', applicationPath(name, '/resource/actions/v2'), body);
        session.deps.out(`${action}: ${described(node)}\n`);
      }
    });
}
