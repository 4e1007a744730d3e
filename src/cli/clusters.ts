import type { Command } from 'commander';
import { AppError } from '#base/errors.ts';
import { getArray, getString, isObject, type JsonObject } from '#base/json.ts';
import { collect } from './app/spec-flags.ts';
import { queryText } from './client.ts';
import { renderFields, renderTable } from './printer.ts';
import { type OutputOption, type Session, withOutput } from './session.ts';

const base = '/api/v1/clusters';

/** A cluster is named by its address, or by its name. */
function place(cluster: string): string {
  const byName = !/^https?:\/\//.test(cluster);
  return `${base}/${encodeURIComponent(cluster)}${queryText(byName ? { 'id.type': 'name' } : {})}`;
}

function row(cluster: unknown): string[] {
  return [
    getString(cluster, 'server') ?? '',
    getString(cluster, 'name') ?? '',
    getString(cluster, 'serverVersion') ?? getString(cluster, 'info', 'serverVersion') ?? '',
    getString(cluster, 'connectionState', 'status') ?? getString(cluster, 'info', 'connectionState', 'status') ?? '',
    getString(cluster, 'connectionState', 'message') ?? '',
    getString(cluster, 'project') ?? '',
  ];
}

const head = ['SERVER', 'NAME', 'VERSION', 'STATUS', 'MESSAGE', 'PROJECT'];

interface AddFlags extends OutputOption {
  kubeconfig?: string;
  name?: string;
  namespace?: string[];
  clusterResources?: boolean;
  project?: string;
  label?: string[];
  annotation?: string[];
  serviceAccount?: string;
  systemNamespace: string;
  ownCredentials?: boolean;
  upsert?: boolean;
}

interface SetFlags extends OutputOption {
  name?: string;
  namespace?: string[];
  label?: string[];
  annotation?: string[];
}

function pairs(texts: readonly string[] | undefined): Record<string, string> | undefined {
  return (
    texts &&
    Object.fromEntries(
      texts.map((text) => {
        const at = text.indexOf('=');
        if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
        throw new AppError('bad-input', `"${text}" is not of the form KEY=VALUE`);
      }),
    )
  );
}

/** Below `slipway cluster`, what `argocd cluster` does: the clusters that applications go to. */
export function registerClusters(cluster: Command, session: Session): void {
  withOutput(cluster.command('list'))
    .description('the clusters that applications may go to')
    .action(async (flags: OutputOption) => {
      const items = getArray(await session.client.request('GET', base), 'items');
      session.show({ data: items, text: () => renderTable(head, items.map(row)) }, flags);
    });
  withOutput(cluster.command('get <cluster>'))
    .description('show one, by its address or name')
    .action(async (name: string, flags: OutputOption) => {
      const found = await session.client.request('GET', place(name));
      const text = () => renderFields(head.map((label, at): [string, string | undefined] => [label, row(found)[at]]));
      session.show({ data: found, text }, flags);
    });
  withOutput(cluster.command('add <context>'))
    .description('let applications go to the cluster of a context of your kubeconfig')
    .option('--kubeconfig <file>', 'where the context is (default: as kubectl finds it)')
    .option('--name <name>', 'its name for applications (default: that of the context)')
    .option('--namespace <name>', 'only that namespace is managed; may be repeated', collect)
    .option('--cluster-resources', 'with --namespace: what has no namespace is managed too')
    .option('--project <name>', 'only for that project')
    .option('--label <assignment>', 'KEY=VALUE for generators; may be repeated', collect)
    .option('--annotation <assignment>', 'KEY=VALUE; may be repeated', collect)
    .option('--service-account <name>', 'an account that is there, instead of a new one')
    .option('--system-namespace <name>', 'where the account is', 'kube-system')
    .option('--own-credentials', 'the credentials of the context themselves, and no account')
    .option('--upsert', 'change the one that is there')
    .action(async (context: string, flags: AddFlags) => {
      const { kubeconfig, name = context, namespace: namespaces = [], clusterResources, project, upsert } = flags;
      const { serviceAccount, systemNamespace, ownCredentials = false } = flags;
      const access = await session.deps.clusterAccess(
        { kubeconfig, context, serviceAccount, systemNamespace, ownCredentials, namespaces },
        session.signal,
      );
      const body = {
        ...access,
        name,
        namespaces,
        clusterResources: clusterResources ?? false,
        project,
        labels: pairs(flags.label),
        annotations: pairs(flags.annotation),
      };
      const added = await session.client.request('POST', `${base}${queryText({ upsert })}`, body);
      session.note(`Cluster '${access.server}' added\n\n`, flags);
      session.show({ data: added, text: () => renderTable(head, [row(added)]) }, flags);
    });
  withOutput(cluster.command('set <cluster>'))
    .description('change how applications know it')
    .option('--name <name>', 'its name')
    .option('--namespace <name>', 'namespaces that are managed, * for all; may be repeated', collect)
    .option('--label <assignment>', 'KEY=VALUE; may be repeated', collect)
    .option('--annotation <assignment>', 'KEY=VALUE; may be repeated', collect)
    .action(async (name: string, flags: SetFlags) => {
      const before = await session.client.request('GET', place(name));
      const merged = (field: string, texts: string[] | undefined): JsonObject | undefined => {
        const own = isObject(before) && isObject(before[field]) ? before[field] : {};
        return texts ? { ...own, ...pairs(texts) } : undefined;
      };
      const namespaces = flags.namespace?.includes('*') ? [] : flags.namespace;
      const changes: [string, unknown][] = [
        ['name', flags.name],
        ['namespaces', namespaces],
        ['labels', merged('labels', flags.label)],
        ['annotations', merged('annotations', flags.annotation)],
      ];
      const told = changes.filter(([, value]) => value !== undefined);
      const target = place(name);
      const updatedFields = told.map(([field]) => field);
      const query = queryText({ updatedFields }).replace('?', target.includes('?') ? '&' : '?');
      const body = { ...(isObject(before) ? before : {}), ...Object.fromEntries(told) };
      const changed = await session.client.request('PUT', `${target}${query}`, body);
      session.show({ data: changed, text: () => renderTable(head, [row(changed)]) }, flags);
    });
  cluster
    .command('rm <cluster...>')
    .description('applications cannot go there any more; the cluster itself is left alone')
    .option('-y, --yes', 'accepted and without effect: nothing is asked')
    .action(async (names: string[]) => {
      for (const name of names) {
        await session.client.request('DELETE', place(name));
        session.deps.out(`Cluster '${name}' removed\n`);
      }
    });
}
