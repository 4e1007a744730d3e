import { type Command, Option } from 'commander';

/** The flags of `argocd app create` and `argocd app set` that speak of a specification; lists are repeated flags. */
export interface SpecFlags {
  project?: string;
  repo?: string;
  path?: string;
  helmChart?: string;
  revision?: string;
  ref?: string;
  sourceName?: string;
  destServer?: string;
  destName?: string;
  destNamespace?: string;
  revisionHistoryLimit?: string;
  syncPolicy?: string;
  autoPrune?: boolean;
  selfHeal?: boolean;
  allowEmpty?: boolean;
  syncOption?: string[];
  syncRetryLimit?: string;
  syncRetryBackoffDuration?: string;
  syncRetryBackoffMaxDuration?: string;
  syncRetryBackoffFactor?: string;
  syncRetryRefresh?: boolean;
  values?: string[];
  valuesLiteralFile?: string;
  ignoreMissingValueFiles?: boolean;
  parameter?: string[];
  helmSet?: string[];
  helmSetString?: string[];
  helmSetFile?: string[];
  releaseName?: string;
  helmNamespace?: string;
  helmKubeVersion?: string;
  helmApiVersions?: string[];
  helmPassCredentials?: boolean;
  helmSkipCrds?: boolean;
  helmSkipTests?: boolean;
  helmSkipSchemaValidation?: boolean;
  nameprefix?: string;
  namesuffix?: string;
  kustomizeImage?: string[];
  kustomizeReplica?: string[];
  kustomizeCommonLabel?: string[];
  kustomizeCommonAnnotation?: string[];
  kustomizeForceCommonLabel?: boolean;
  kustomizeForceCommonAnnotation?: boolean;
  kustomizeLabelWithoutSelector?: boolean;
  kustomizeLabelIncludeTemplates?: boolean;
  kustomizeNamespace?: string;
  kustomizeVersion?: string;
  kustomizeKubeVersion?: string;
  kustomizeApiVersions?: string[];
  ignoreMissingComponents?: boolean;
  directoryRecurse?: boolean;
  directoryInclude?: string;
  directoryExclude?: string;
  jsonnetTlaStr?: string[];
  jsonnetTlaCode?: string[];
  jsonnetExtVarStr?: string[];
  jsonnetExtVarCode?: string[];
  jsonnetLibs?: string[];
  configManagementPlugin?: string;
  pluginEnv?: string[];
}

export function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

const texts: [flag: string, what: string][] = [
  ['--project <name>', 'the AppProject'],
  ['--repo <url>', 'repository'],
  ['--path <path>', 'folder in the repository'],
  ['--helm-chart <name>', 'chart of a Helm repository or registry'],
  ['--revision <revision>', 'branch, tag, commit, or version of a chart'],
  ['--ref <name>', 'name by which other sources read files of this one'],
  ['--source-name <name>', 'name of the source, or which one is meant'],
  ['--dest-server <url>', 'cluster by its address'],
  ['--dest-name <name>', 'cluster by its name'],
  ['--dest-namespace <name>', 'namespace of what names none'],
  ['--revision-history-limit <number>', 'how many deployments are remembered'],
  ['--sync-policy <policy>', 'none (manual) or automated'],
  ['--sync-retry-limit <number>', 'tries after a sync that failed'],
  ['--sync-retry-backoff-duration <duration>', 'before the first of them, for example 5s'],
  ['--sync-retry-backoff-max-duration <duration>', 'between two of them at most, for example 3m'],
  ['--sync-retry-backoff-factor <number>', 'by which the time grows'],
  ['--values-literal-file <file>', 'file of values that become part of the application'],
  ['--release-name <name>', 'of the Helm release'],
  ['--helm-namespace <name>', 'that charts see as their namespace'],
  ['--helm-kube-version <version>', 'that charts see as the version of the cluster'],
  ['--nameprefix <text>', 'kustomize: before every name'],
  ['--namesuffix <text>', 'kustomize: after every name'],
  ['--kustomize-namespace <name>', 'kustomize: namespace of everything'],
  ['--kustomize-kube-version <version>', 'kustomize: version of the cluster that its charts see'],
  ['--kustomize-version <version>', 'kustomize: another version of the program'],
  ['--directory-include <glob>', 'only these files'],
  ['--directory-exclude <glob>', 'not these files'],
  ['--config-management-plugin <name>', 'plugin that renders'],
];

const switches: [flag: string, what: string][] = [
  ['--auto-prune', 'automated syncs delete what Git no longer wants'],
  ['--self-heal', 'automated syncs undo what was changed in the cluster'],
  ['--allow-empty', 'automated syncs may delete everything'],
  ['--sync-retry-refresh', 'tries after a failure take the newest commit'],
  ['--ignore-missing-value-files', 'value files need not be there'],
  ['--helm-pass-credentials', 'credentials go to all hosts of a chart'],
  ['--helm-skip-crds', "leave out a chart's CRDs"],
  ['--helm-skip-tests', "leave out a chart's tests"],
  ['--helm-skip-schema-validation', "do not hold values against the chart's schema"],
  ['--kustomize-force-common-label', 'kustomize: over labels that are there'],
  ['--kustomize-force-common-annotation', 'kustomize: over annotations that are there'],
  ['--kustomize-label-without-selector', 'kustomize: labels not in selectors'],
  ['--kustomize-label-include-templates', 'kustomize: labels in templates too'],
  ['--ignore-missing-components', 'kustomize: components need not be there'],
  ['--directory-recurse', 'read folders below too'],
];

const lists: [flag: string, what: string][] = [
  ['--sync-option <option>', 'KEY=VALUE; !KEY=VALUE takes it away'],
  ['--values <file>', 'value file of a chart'],
  ['-p, --parameter <assignment>', 'NAME=VALUE'],
  ['--helm-set <assignment>', 'NAME=VALUE for a chart'],
  ['--helm-set-string <assignment>', 'NAME=VALUE, as text'],
  ['--helm-set-file <assignment>', 'NAME=FILE of the repository'],
  ['--helm-api-versions <version>', 'that charts see as served'],
  ['--kustomize-api-versions <version>', 'kustomize: that its charts see as served'],
  ['--kustomize-image <image>', 'image as kustomize writes it'],
  ['--kustomize-replica <assignment>', 'NAME=COUNT'],
  ['--kustomize-common-label <assignment>', 'KEY=VALUE'],
  ['--kustomize-common-annotation <assignment>', 'KEY=VALUE'],
  ['--jsonnet-tla-str <assignment>', 'NAME=TEXT, top-level argument'],
  ['--jsonnet-tla-code <assignment>', 'NAME=CODE, top-level argument'],
  ['--jsonnet-ext-var-str <assignment>', 'NAME=TEXT, external variable'],
  ['--jsonnet-ext-var-code <assignment>', 'NAME=CODE, external variable'],
  ['--jsonnet-libs <folder>', 'where imports are looked for'],
  ['--plugin-env <assignment>', 'NAME=VALUE for a plugin'],
];

/** All of them on a command. */
export function withSpecFlags(command: Command): Command {
  for (const [flag, what] of texts) command.option(flag, what);
  for (const [flag, what] of switches)
    command.option(flag, what).addOption(new Option(flag.replace('--', '--no-')).hideHelp());
  for (const [flag, what] of lists) command.option(flag, `${what}; may be repeated`, collect);
  return command;
}
