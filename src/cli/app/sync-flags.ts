import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { AppError } from '#base/errors.ts';
import { globMatch } from '#base/glob.ts';
import { getString } from '#base/json.ts';
import { parseApiVersion } from '#kube/port.ts';
import type { Application, ResourceStatus } from '#model/argocd/application.ts';
import { parseGiven, readGiven } from '../documents.ts';
import { collect } from './spec-flags.ts';

/** The flags of `argocd app sync` that make up its request. */
export interface SyncFlags {
  revision?: string;
  revisions?: string[];
  sourcePositions?: string[];
  sourceNames?: string[];
  prune?: boolean;
  dryRun?: boolean;
  resource?: string[];
  label?: string[];
  force?: boolean;
  replace?: boolean;
  serverSide?: boolean;
  applyOutOfSyncOnly?: boolean;
  strategy?: string;
  info?: string[];
  local?: string;
  retryLimit?: string;
  retryBackoffDuration?: string;
  retryBackoffMaxDuration?: string;
  retryBackoffFactor?: string;
  retryRefresh?: boolean;
}

export function withSyncFlags(command: Command): Command {
  return command
    .option('--revision <revision>', 'another revision than the one Git points to')
    .option('--revisions <revision>', 'revision of one of several sources; may be repeated', collect)
    .option('--source-positions <number>', 'which source each of --revisions is for, from 1', collect)
    .option('--source-names <name>', 'which source each of --revisions is for', collect)
    .option('--prune', 'delete what Git no longer wants')
    .option('--dry-run', 'only ask the cluster whether it would accept')
    .option(
      '--resource <group:kind:name>',
      'only this resource, [group]:kind:[namespace/]name, * for any; !... for all but it; may be repeated',
      collect,
    )
    .option('--label <assignment>', 'only resources that Git gives this label, KEY=VALUE; may be repeated', collect)
    .option('--force', 'delete and make anew what cannot be changed')
    .option('--replace', 'replace instead of apply')
    .option('--server-side', 'apply on the server (always so here)')
    .option('--apply-out-of-sync-only', 'leave what does not differ alone')
    .option('--strategy <strategy>', 'apply (without hooks) or hook')
    .option('--info <assignment>', 'KEY=VALUE that is noted with the operation; may be repeated', collect)
    .option('--local <folder>', 'manifests of this folder instead of those in Git')
    .option('--retry-limit <number>', 'tries after a failure')
    .option('--retry-backoff-duration <duration>', 'before the first of them', '5s')
    .option('--retry-backoff-max-duration <duration>', 'between two of them at most', '3m')
    .option('--retry-backoff-factor <number>', 'by which the time grows', '2')
    .option('--retry-refresh', 'tries after a failure take the newest commit');
}

interface ResourceChoice {
  exclude: boolean;
  group: string;
  kind: string;
  name: string;
  namespace: string | undefined;
}

export function parseResource(text: string): ResourceChoice {
  const exclude = text.startsWith('!');
  const [group, kind, named, ...rest] = (exclude ? text.slice(1) : text).split(':');
  if (group === undefined || !kind || !named || rest.length > 0)
    throw new AppError('bad-input', `--resource ${text} is not of the form [group]:kind:[namespace/]name`, {
      hint: 'for example apps:Deployment:shop',
    });
  const slash = named.indexOf('/');
  const name = named.slice(slash + 1);
  return { exclude, group, kind, name, namespace: slash < 0 ? undefined : named.slice(0, slash) };
}

function fits(choice: ResourceChoice, resource: ResourceStatus): boolean {
  return (
    globMatch(choice.group, resource.group ?? '') &&
    globMatch(choice.kind, resource.kind) &&
    globMatch(choice.name, resource.name) &&
    (choice.namespace === undefined || globMatch(choice.namespace, resource.namespace ?? ''))
  );
}

/** What a sync is limited to; patterns and exclusions are resolved to what the application has. */
function resourcesOf(application: Application | undefined, flags: SyncFlags) {
  if (!flags.resource) return undefined;
  const choices = flags.resource.map(parseResource);
  if (!application) return choices.map(({ exclude: _never, ...choice }) => choice);
  const wanted = choices.filter(({ exclude }) => !exclude);
  const unwanted = choices.filter(({ exclude }) => exclude);
  const found = (application.status?.resources ?? []).filter(
    (resource) =>
      (wanted.length === 0 || wanted.some((choice) => fits(choice, resource))) &&
      !unwanted.some((choice) => fits(choice, resource)),
  );
  if (found.length === 0)
    throw new AppError(
      'not-found',
      `${application.metadata.name} has no resource that fits ${flags.resource.join(', ')}`,
    );
  return found.map(({ group = '', kind, namespace, name }) => ({ group, kind, name, namespace }));
}

function positionsOf(application: Application | undefined, flags: SyncFlags): number[] | undefined {
  if (flags.sourcePositions) return flags.sourcePositions.map(Number);
  return flags.sourceNames?.map((name) => {
    const found = (application?.spec.sources ?? []).findIndex((source) => source.name === name);
    if (found >= 0) return found + 1;
    throw new AppError('bad-input', `no source is named ${name}`);
  });
}

const manifestFile = /\.(?:ya?ml|json)$/;

function localManifests(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return files
    .filter((file) => manifestFile.test(file) && statSync(join(folder, file)).isFile())
    .flatMap((file) => parseGiven(readGiven(folder, file), file))
    .filter((object) => typeof object['kind'] === 'string' && typeof object['apiVersion'] === 'string')
    .map((object) => JSON.stringify(object));
}

/** The resources among manifests that carry all labels of `--label`. */
export function labelled(manifests: readonly unknown[], labels: readonly string[]) {
  const found = manifests.filter((manifest) =>
    labels.every((text) => {
      const at = text.indexOf('=');
      return getString(manifest, 'metadata', 'labels', text.slice(0, at)) === text.slice(at + 1);
    }),
  );
  if (found.length === 0) throw new AppError('not-found', `no resource in Git has the labels ${labels.join(', ')}`);
  return found.map((manifest) => {
    const { group } = parseApiVersion(getString(manifest, 'apiVersion') ?? '');
    const text = (field: string) => getString(manifest, 'metadata', field);
    return { group, kind: getString(manifest, 'kind') ?? '', name: text('name') ?? '', namespace: text('namespace') };
  });
}

/** The body of `POST .../sync`. The application is needed for names of sources and patterns, manifests for labels. */
export function syncRequest(
  given: { application: Application | undefined; manifests: readonly unknown[] | undefined },
  flags: SyncFlags,
  cwd: string,
): object {
  const { application, manifests } = given;
  const options = [
    ...(flags.replace ? ['Replace=true'] : []),
    ...(flags.serverSide ? ['ServerSideApply=true'] : []),
    ...(flags.applyOutOfSyncOnly ? ['ApplyOutOfSyncOnly=true'] : []),
  ];
  if (flags.strategy !== undefined && flags.strategy !== 'apply' && flags.strategy !== 'hook')
    throw new AppError('bad-input', `--strategy ${flags.strategy} is neither apply nor hook`);
  const strategy = flags.strategy ?? (flags.force ? 'hook' : undefined);
  const retry = flags.retryLimit === undefined ? undefined : Number(flags.retryLimit);
  const infos = (flags.info ?? []).map((text) => {
    const [name = '', ...value] = text.split('=');
    return { name, value: value.join('=') };
  });
  return {
    revision: flags.revision,
    revisions: flags.revisions,
    sourcePositions: positionsOf(application, flags),
    prune: flags.prune,
    dryRun: flags.dryRun,
    resources: flags.label && manifests ? labelled(manifests, flags.label) : resourcesOf(application, flags),
    ...(strategy ? { strategy: { [strategy]: { force: flags.force ?? false } } } : {}),
    ...(infos.length > 0 ? { infos } : {}),
    ...(flags.local === undefined ? {} : { manifests: localManifests(resolve(cwd, flags.local)) }),
    ...(options.length > 0 ? { syncOptions: { items: options } } : {}),
    ...(retry === undefined
      ? {}
      : {
          retryStrategy: {
            limit: retry,
            backoff: {
              duration: flags.retryBackoffDuration,
              maxDuration: flags.retryBackoffMaxDuration,
              factor: Number(flags.retryBackoffFactor),
            },
            ...(flags.retryRefresh ? { refresh: true } : {}),
          },
        }),
  };
}
