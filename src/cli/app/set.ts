import type { Command } from 'commander';
import { AppError } from '#base/errors.ts';
import type { Application, ApplicationSource, ApplicationSpec } from '#model/argocd/application.ts';
import { applicationPath } from '../client.ts';
import { readGiven } from '../documents.ts';
import { type OutputOption, type Session, withOutput } from '../session.ts';
import { getResult } from './get.ts';
import { changeSource, changeSpec } from './spec-change.ts';
import { collect, type SpecFlags, withSpecFlags } from './spec-flags.ts';

interface SetFlags extends SpecFlags, OutputOption {
  sourcePosition?: string;
  validate: boolean;
}

interface PositionFlags {
  sourcePosition?: string;
  sourceName?: string;
}

/** The index from 0 of the source that is meant; undefined when none is told. */
export function positionOf(spec: ApplicationSpec, flags: PositionFlags): number | undefined {
  const { sources = [] } = spec;
  if (flags.sourceName !== undefined) {
    const found = sources.findIndex(({ name }) => name === flags.sourceName);
    if (found >= 0) return found;
    throw new AppError('bad-input', `no source is named ${flags.sourceName}`);
  }
  if (flags.sourcePosition === undefined) return undefined;
  const position = Number(flags.sourcePosition);
  if (Number.isInteger(position) && position >= 1 && position <= sources.length) return position - 1;
  throw new AppError('bad-input', `--source-position ${flags.sourcePosition} is none of 1 to ${sources.length}`);
}

/** Writes a specification, as `argocd app set` does, and shows what is there then. */
export async function writeSpec(
  session: Session,
  name: string,
  spec: ApplicationSpec,
  flags: OutputOption & { validate?: boolean },
): Promise<Application> {
  await session.client.request('PUT', applicationPath(name, '/spec', { validate: flags.validate ?? true }), spec);
  const changed = await session.client.application(name);
  session.show(getResult(changed, false), flags);
  return changed;
}

export function registerAppSet(app: Command, session: Session): void {
  withSpecFlags(withOutput(app.command('set <name>')))
    .description('change what the flags speak of; everything else stays')
    .option('--source-position <number>', 'which of several sources, from 1')
    .option('--no-validate', 'do not look at repository and cluster first')
    .action(async (name: string, flags: SetFlags) => {
      const { spec } = await session.client.application(name);
      const position = positionOf(spec, flags);
      const literal =
        flags.valuesLiteralFile === undefined ? undefined : readGiven(session.deps.cwd, flags.valuesLiteralFile);
      const at = position === undefined ? {} : { position };
      await writeSpec(session, name, changeSpec(spec, flags, { literal, ...at }), flags);
    });
}

interface UnsetFlags extends OutputOption, PositionFlags {
  values?: string[];
  valuesLiteral?: boolean;
  parameter?: string[];
  kustomizeImage?: string[];
  kustomizeReplica?: string[];
  kustomizeNamespace?: boolean;
  nameprefix?: boolean;
  namesuffix?: boolean;
  kustomizeVersion?: boolean;
  ignoreMissingValueFiles?: boolean;
  passCredentials?: boolean;
  pluginEnv?: string[];
  ref?: boolean;
}

export function registerAppUnset(app: Command, session: Session): void {
  withOutput(app.command('unset <name>'))
    .description('take away what the flags name')
    .option('--values <file>', 'value file; may be repeated', collect)
    .option('--values-literal', 'values that are part of the application')
    .option('-p, --parameter <name>', 'parameter; may be repeated', collect)
    .option('--kustomize-image <name>', 'image; may be repeated', collect)
    .option('--kustomize-replica <name>', 'replica count; may be repeated', collect)
    .option('--kustomize-namespace', 'namespace that kustomize sets')
    .option('--nameprefix', 'prefix that kustomize sets')
    .option('--namesuffix', 'suffix that kustomize sets')
    .option('--kustomize-version', 'version of the program')
    .option('--ignore-missing-value-files', 'back to value files that must be there')
    .option('--pass-credentials', 'back to credentials for one host')
    .option('--plugin-env <name>', 'variable of a plugin; may be repeated', collect)
    .option('--ref', 'name by which other sources read files')
    .option('--source-position <number>', 'which of several sources, from 1')
    .option('--source-name <name>', 'which of several sources')
    .action(async (name: string, flags: UnsetFlags) => {
      const { spec } = await session.client.application(name);
      const position = positionOf(spec, flags);
      const { sources = [] } = spec;
      if (sources.length > 0 && position === undefined)
        throw new AppError('bad-input', `application ${name} has several sources`, {
          hint: 'add --source-position or --source-name',
        });
      const changed =
        sources.length > 0
          ? { ...spec, sources: sources.map((source, at) => (at === position ? reduceSource(source, flags) : source)) }
          : { ...spec, ...(spec.source ? { source: reduceSource(spec.source, flags) } : {}) };
      await writeSpec(session, name, changed, flags);
    });
}

const idOf = (image: string) => image.split(/[=:@]/, 1)[0];

/** A source without what the flags name. */
export function reduceSource(source: ApplicationSource, flags: UnsetFlags): ApplicationSource {
  const { helm, kustomize, plugin, ref, ...rest } = source;
  const without = <T extends { name: string }>(list: readonly T[] | undefined, names: readonly string[] = []) =>
    list?.filter((entry) => !names.includes(entry.name));
  const chart = helm && {
    ...helm,
    ...(helm.valueFiles ? { valueFiles: helm.valueFiles.filter((file) => !flags.values?.includes(file)) } : {}),
    ...(helm.parameters ? { parameters: without(helm.parameters, flags.parameter) ?? [] } : {}),
  };
  if (chart && flags.valuesLiteral) {
    delete chart.values;
    delete chart.valuesObject;
  }
  if (chart && flags.ignoreMissingValueFiles) delete chart.ignoreMissingValueFiles;
  if (chart && flags.passCredentials) delete chart.passCredentials;
  const overlay = kustomize && { ...kustomize };
  if (overlay) {
    const images = Array.isArray(overlay['images']) ? overlay['images'].map(String) : [];
    const replicas = Array.isArray(overlay['replicas']) ? (overlay['replicas'] as { name: string }[]) : [];
    if (flags.kustomizeImage)
      overlay['images'] = images.filter((image) => !flags.kustomizeImage?.includes(idOf(image) ?? ''));
    if (flags.kustomizeReplica) overlay['replicas'] = without(replicas, flags.kustomizeReplica);
    if (flags.kustomizeNamespace) delete overlay['namespace'];
    if (flags.nameprefix) delete overlay['namePrefix'];
    if (flags.namesuffix) delete overlay['nameSuffix'];
    if (flags.kustomizeVersion) delete overlay['version'];
  }
  const env = Array.isArray(plugin?.['env']) ? (plugin['env'] as { name: string }[]) : undefined;
  return {
    ...rest,
    ...(ref !== undefined && !flags.ref ? { ref } : {}),
    ...(chart ? { helm: chart } : {}),
    ...(overlay ? { kustomize: overlay } : {}),
    ...(plugin ? { plugin: { ...plugin, ...(env ? { env: without(env, flags.pluginEnv) } : {}) } } : {}),
  };
}

interface SourceFlags extends SpecFlags, OutputOption {
  sourcePosition?: string;
}

export function registerAppSources(app: Command, session: Session): void {
  withSpecFlags(withOutput(app.command('add-source <name>')))
    .description('add one more source')
    .action(async (name: string, flags: SourceFlags) => {
      const { spec } = await session.client.application(name);
      if (!flags.repo) throw new AppError('bad-input', 'a source needs --repo');
      const { source, sources = source ? [source] : [], ...rest } = spec;
      const added = changeSource({ repoURL: flags.repo }, flags, undefined);
      await writeSpec(session, name, { ...rest, sources: [...sources, added] }, flags);
    });
  withOutput(app.command('remove-source <name>'))
    .description('take one of several sources away')
    .option('--source-position <number>', 'which one, from 1')
    .option('--source-name <name>', 'which one')
    .action(async (name: string, flags: OutputOption & PositionFlags) => {
      const { spec } = await session.client.application(name);
      const position = positionOf(spec, flags);
      if (position === undefined)
        throw new AppError('bad-input', 'which source? add --source-position or --source-name');
      const sources = (spec.sources ?? []).filter((_, at) => at !== position);
      if (sources.length === 0)
        throw new AppError('bad-input', 'the last source stays: an application without one is none');
      await writeSpec(session, name, { ...spec, sources }, flags);
    });
}
