import { AppError } from '#base/errors.ts';
import { isObject, type JsonObject } from '#base/json.ts';
import type {
  ApplicationSource,
  ApplicationSpec,
  HelmSource,
  RetryStrategy,
  SyncPolicy,
} from '#model/argocd/application.ts';
import type { SpecFlags } from './spec-flags.ts';

type Assignment = [name: string, value: string];

function assignment(text: string, flag: string): Assignment {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new AppError('bad-input', `${flag} ${text} is not of the form NAME=VALUE`);
}

function assignments(texts: readonly string[] | undefined, flag: string): Assignment[] {
  return (texts ?? []).map((text) => assignment(text, flag));
}

function whole(text: string, flag: string): number {
  const number = Number(text);
  if (Number.isInteger(number)) return number;
  throw new AppError('bad-input', `${flag} ${text} is no whole number`);
}

/** A list of named entries with some replaced by name, others appended. */
function named<T extends { name: string }>(before: readonly T[] | undefined, changes: readonly T[]): T[] {
  const out = (before ?? []).filter(({ name }) => !changes.some((change) => change.name === name));
  return [...out, ...changes];
}

/** An object without the members that are undefined; undefined when nothing is left. */
function filled<T extends object>(block: T): T | undefined {
  const told = Object.entries(block).filter(([, value]) => value !== undefined);
  return told.length === 0 ? undefined : (Object.fromEntries(told) as T);
}

function helmOf(before: HelmSource | undefined, flags: SpecFlags, literal: string | undefined): HelmSource | undefined {
  const parameters = [
    ...assignments(flags.parameter, '--parameter').map(([name, value]) => ({ name, value })),
    ...assignments(flags.helmSet, '--helm-set').map(([name, value]) => ({ name, value })),
    ...assignments(flags.helmSetString, '--helm-set-string').map(([name, value]) => ({
      ...{ name, value },
      forceString: true,
    })),
  ];
  const files = assignments(flags.helmSetFile, '--helm-set-file').map(([name, path]) => ({ name, path }));
  return filled({
    ...before,
    ...(flags.values ? { valueFiles: flags.values } : {}),
    ...(literal === undefined ? {} : { values: literal }),
    ...(parameters.length > 0 ? { parameters: named(before?.parameters, parameters) } : {}),
    ...(files.length > 0 ? { fileParameters: named(before?.fileParameters, files) } : {}),
    ...set('releaseName', flags.releaseName),
    ...set('namespace', flags.helmNamespace),
    ...set('kubeVersion', flags.helmKubeVersion),
    ...set('apiVersions', flags.helmApiVersions),
    ...set('ignoreMissingValueFiles', flags.ignoreMissingValueFiles),
    ...set('passCredentials', flags.helmPassCredentials),
    ...set('skipCrds', flags.helmSkipCrds),
    ...set('skipTests', flags.helmSkipTests),
    ...set('skipSchemaValidation', flags.helmSkipSchemaValidation),
  });
}

function set<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}

/** Images are told apart by what stands before `=`, `:` or `@`. */
function mergeImages(before: unknown, images: readonly string[]): string[] {
  const id = (image: string) => image.split(/[=:@]/, 1)[0];
  const kept = (Array.isArray(before) ? before.map(String) : []).filter(
    (image) => !images.some((other) => id(other) === id(image)),
  );
  return [...kept, ...images];
}

function kustomizeOf(before: JsonObject | undefined, flags: SpecFlags): JsonObject | undefined {
  const over = (key: string, texts: readonly string[] | undefined, flag: string) => {
    const entries = assignments(texts, flag);
    const old = before?.[key];
    return entries.length > 0 ? { [key]: { ...(isObject(old) ? old : {}), ...Object.fromEntries(entries) } } : {};
  };
  const replicas = assignments(flags.kustomizeReplica, '--kustomize-replica').map(([name, count]) => ({
    name,
    count: whole(count, '--kustomize-replica'),
  }));
  const oldReplicas = Array.isArray(before?.['replicas']) ? (before['replicas'] as { name: string }[]) : [];
  return filled({
    ...before,
    ...set('namePrefix', flags.nameprefix),
    ...set('nameSuffix', flags.namesuffix),
    ...set('namespace', flags.kustomizeNamespace),
    ...set('version', flags.kustomizeVersion),
    ...set('kubeVersion', flags.kustomizeKubeVersion),
    ...set('apiVersions', flags.kustomizeApiVersions),
    ...(flags.kustomizeImage ? { images: mergeImages(before?.['images'], flags.kustomizeImage) } : {}),
    ...(replicas.length > 0 ? { replicas: named(oldReplicas, replicas) } : {}),
    ...over('commonLabels', flags.kustomizeCommonLabel, '--kustomize-common-label'),
    ...over('commonAnnotations', flags.kustomizeCommonAnnotation, '--kustomize-common-annotation'),
    ...set('forceCommonLabels', flags.kustomizeForceCommonLabel),
    ...set('forceCommonAnnotations', flags.kustomizeForceCommonAnnotation),
    ...set('labelWithoutSelector', flags.kustomizeLabelWithoutSelector),
    ...set('labelIncludeTemplates', flags.kustomizeLabelIncludeTemplates),
    ...set('ignoreMissingComponents', flags.ignoreMissingComponents),
  });
}

function directoryOf(before: ApplicationSource['directory'], flags: SpecFlags): ApplicationSource['directory'] {
  const variables = (texts: string[] | undefined, flag: string, code: boolean) =>
    assignments(texts, flag).map(([name, value]) => ({ name, value, ...(code ? { code } : {}) }));
  const tlas = [
    ...variables(flags.jsonnetTlaStr, '--jsonnet-tla-str', false),
    ...variables(flags.jsonnetTlaCode, '--jsonnet-tla-code', true),
  ];
  const extVars = [
    ...variables(flags.jsonnetExtVarStr, '--jsonnet-ext-var-str', false),
    ...variables(flags.jsonnetExtVarCode, '--jsonnet-ext-var-code', true),
  ];
  const jsonnet = filled({
    ...before?.jsonnet,
    ...(tlas.length > 0 ? { tlas } : {}),
    ...(extVars.length > 0 ? { extVars } : {}),
    ...set('libs', flags.jsonnetLibs),
  });
  return filled({
    ...before,
    ...set('recurse', flags.directoryRecurse),
    ...set('include', flags.directoryInclude),
    ...set('exclude', flags.directoryExclude),
    ...set('jsonnet', jsonnet),
  });
}

function pluginOf(before: JsonObject | undefined, flags: SpecFlags): JsonObject | undefined {
  const env = assignments(flags.pluginEnv, '--plugin-env').map(([name, value]) => ({ name, value }));
  const old = Array.isArray(before?.['env']) ? (before['env'] as { name: string }[]) : [];
  return filled({
    ...before,
    ...set('name', flags.configManagementPlugin),
    ...(env.length > 0 ? { env: named(old, env) } : {}),
  });
}

/** A source with what the flags say; what they do not speak of stays. `literal` is the text of --values-literal-file. */
export function changeSource(
  before: ApplicationSource,
  flags: SpecFlags,
  literal: string | undefined,
): ApplicationSource {
  const { helm, kustomize, directory, plugin, ...rest } = before;
  return {
    ...rest,
    ...set('repoURL', flags.repo),
    ...set('path', flags.path),
    ...set('chart', flags.helmChart),
    ...set('targetRevision', flags.revision),
    ...set('ref', flags.ref),
    ...set('name', flags.sourceName),
    ...set('helm', helmOf(helm, flags, literal)),
    ...set('kustomize', kustomizeOf(kustomize, flags)),
    ...set('directory', directoryOf(directory, flags)),
    ...set('plugin', pluginOf(plugin, flags)),
  };
}

function retryOf(before: RetryStrategy | undefined, flags: SpecFlags): RetryStrategy | undefined {
  const backoff = filled({
    ...before?.backoff,
    ...set('duration', flags.syncRetryBackoffDuration),
    ...set('maxDuration', flags.syncRetryBackoffMaxDuration),
    ...(flags.syncRetryBackoffFactor === undefined
      ? {}
      : { factor: whole(flags.syncRetryBackoffFactor, '--sync-retry-backoff-factor') }),
  });
  return filled({
    ...before,
    ...(flags.syncRetryLimit === undefined ? {} : { limit: whole(flags.syncRetryLimit, '--sync-retry-limit') }),
    ...set('refresh', flags.syncRetryRefresh),
    ...set('backoff', backoff),
  });
}

function automatedOf(before: SyncPolicy['automated'], flags: SpecFlags): SyncPolicy['automated'] | null {
  const more = {
    ...set('prune', flags.autoPrune),
    ...set('selfHeal', flags.selfHeal),
    ...set('allowEmpty', flags.allowEmpty),
  };
  switch (flags.syncPolicy) {
    case 'none':
      return null;
    case 'auto':
    case 'automated':
    case 'automatic':
      return { ...before, ...more };
    case undefined:
      if (Object.keys(more).length === 0) return before;
      if (before) return { ...before, ...more };
      throw new AppError('bad-input', '--auto-prune, --self-heal and --allow-empty are of automated syncs', {
        hint: 'add --sync-policy automated',
      });
    default:
      throw new AppError('bad-input', `--sync-policy ${flags.syncPolicy} is no policy`, { hint: 'none or automated' });
  }
}

function optionsOf(before: readonly string[] | undefined, changes: readonly string[]): string[] {
  let options = before?.slice() ?? [];
  for (const change of changes) {
    const option = change.startsWith('!') ? change.slice(1) : change;
    const [key] = option.split('=', 1);
    options = options.filter((other) => other !== option && (change.startsWith('!') || !other.startsWith(`${key}=`)));
    if (!change.startsWith('!')) options.push(option);
  }
  return options;
}

/** A specification with what the flags say; of several sources, that at `position` (from 0). */
export function changeSpec(
  before: ApplicationSpec,
  flags: SpecFlags,
  options: { position?: number; literal?: string | undefined } = {},
): ApplicationSpec {
  const { syncPolicy: policy, destination, ...rest } = before;
  const automated = automatedOf(policy?.automated, flags);
  const { automated: _old, ...restPolicy } = policy ?? {};
  const syncPolicy = filled({
    ...restPolicy,
    ...(automated ? { automated } : {}),
    ...(flags.syncOption ? { syncOptions: optionsOf(policy?.syncOptions, flags.syncOption) } : {}),
    ...set('retry', retryOf(policy?.retry, flags)),
  });
  const { server, name, namespace } = destination;
  const place = {
    ...(flags.destName === undefined ? set('server', flags.destServer ?? server) : {}),
    ...(flags.destServer === undefined ? set('name', flags.destName ?? name) : {}),
    ...set('namespace', flags.destNamespace ?? namespace),
  };
  return {
    ...rest,
    ...set('project', flags.project),
    destination: place,
    ...(syncPolicy ? { syncPolicy } : {}),
    ...(flags.revisionHistoryLimit === undefined
      ? {}
      : { revisionHistoryLimit: whole(flags.revisionHistoryLimit, '--revision-history-limit') }),
    ...sourcesOf(before, flags, options),
  };
}

function sourcesOf(
  before: ApplicationSpec,
  flags: SpecFlags,
  { position, literal }: { position?: number; literal?: string | undefined },
): Pick<ApplicationSpec, 'source' | 'sources'> {
  const { sources } = before;
  if (!sources || sources.length === 0)
    return { source: changeSource(before.source ?? { repoURL: '' }, flags, literal) };
  const { sourceName: _which, ...about } = flags;
  const touched = changeSource({ repoURL: '' }, about, literal);
  if (position === undefined && jsonIsEmpty(touched)) return { sources };
  if (position === undefined || !sources[position])
    throw new AppError(
      'bad-input',
      `the application has ${sources.length} sources, and it is not told which is meant`,
      {
        hint: `add --source-position 1 to ${sources.length}, or --source-name`,
      },
    );
  return { sources: sources.map((source, at) => (at === position ? changeSource(source, about, literal) : source)) };
}

function jsonIsEmpty(source: ApplicationSource): boolean {
  return Object.entries(source).every(([key, value]) => (key === 'repoURL' ? value === '' : value === undefined));
}
