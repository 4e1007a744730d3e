import { setImmediate as nextTurn } from 'node:timers/promises';
import { AppError, throwIfAborted } from '#base/errors.ts';
import { isObject, type JsonObject } from '#base/json.ts';
import type { ApplicationSet } from '#model/argocd/application-set.ts';
import { ApplicationTemplate } from './application-template.ts';
import { generateClusterDecisions } from './generators/cluster-decision-resource.ts';
import { generateClusters } from './generators/clusters.ts';
import { combine, mergeByKeys } from './generators/combine.ts';
import { generateGit } from './generators/git.ts';
import { generateList } from './generators/list.ts';
import { generatePlugin } from './generators/plugin.ts';
import { generatePullRequests } from './generators/pull-request.ts';
import { generateScmProvider } from './generators/scm-provider.ts';
import { flattenParams, type Params } from './params.ts';
import { interpolateGenerator, type Placeholders, placeholders } from './placeholders.ts';
import type { GeneratorInput, GeneratorSources } from './port.ts';
import { RenderMemory } from './render-memory.ts';
import { parseSelector } from './selector.ts';

/** In the order in which one entry with several of them is read. */
export const generatorKinds = [
  'list',
  'clusters',
  'git',
  'scmProvider',
  'clusterDecisionResource',
  'pullRequest',
  'matrix',
  'merge',
  'plugin',
] as const;

export type GeneratorKind = (typeof generatorKinds)[number];

const maxParams = 20_000;
const rendersPerTurn = 50;
/** A matrix or merge may stand in a matrix or merge, and no deeper. */
const maxLevels = 2;

interface Context {
  set: ApplicationSet;
  sources: GeneratorSources;
  fill: Placeholders;
  signal: AbortSignal;
}

/** Which generators an entry holds. Throws AppError bad-input for one that is not known: it would generate nothing. */
export function kindsOf(entry: JsonObject, where: string): GeneratorKind[] {
  const known: readonly string[] = generatorKinds;
  const unknown = Object.keys(entry).filter((key) => !known.includes(key) && key !== 'selector');
  if (unknown.length > 0)
    throw new AppError('bad-input', `${where} contains unrecognized generators: ${unknown.sort().join(', ')}`);
  const kinds = generatorKinds.filter((kind) => entry[kind] !== undefined && entry[kind] !== null);
  if (kinds.length === 0) throw new AppError('bad-input', `${where} contains an entry without a generator`);
  return kinds;
}

/** The project of a set's Applications, by whose credentials it reads; empty when it is a template. */
export function projectOf(set: ApplicationSet): string {
  const spec = set.spec.template['spec'];
  const project = isObject(spec) ? String(spec['project'] ?? '') : '';
  return project.includes('{{') ? '' : project;
}

async function paramsOf(kind: GeneratorKind, spec: JsonObject, level: number, context: Context): Promise<Params[]> {
  const { set, sources, fill, signal } = context;
  const { name, namespace = '' } = set.metadata;
  const input: GeneratorInput = { spec, set: { name, namespace }, project: projectOf(set) };
  switch (kind) {
    case 'list':
      return generateList(input, fill.style.goTemplate);
    case 'clusters':
      return generateClusters(input, sources.clusters(), fill);
    case 'git':
      return await generateGit(input, sources, fill, signal);
    case 'scmProvider':
      return await generateScmProvider(input, sources, fill, signal);
    case 'clusterDecisionResource':
      return await generateClusterDecisions(input, sources, fill.style.goTemplate, signal);
    case 'pullRequest':
      return await generatePullRequests(input, sources, fill, signal);
    case 'plugin':
      return await generatePlugin(input, sources, fill, signal);
    case 'matrix':
      return await matrix(spec, level, context);
    case 'merge':
      return await merge(spec, level, context);
  }
}

export function childrenOf(spec: JsonObject): JsonObject[] {
  return Array.isArray(spec['generators']) ? spec['generators'].filter(isObject) : [];
}

/** The parameters of one child of a matrix or merge. */
async function child(entry: JsonObject, level: number, outer: Params, context: Context): Promise<Params[]> {
  const where = `ApplicationSet ${context.set.metadata.name}`;
  const kinds = kindsOf(entry, where);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1)
    throw new AppError('bad-input', 'found more than one generator in matrix.Generators');
  if (level > maxLevels && (kind === 'matrix' || kind === 'merge'))
    throw new AppError('bad-input', `${kind} generators can be nested only once`);
  return await filtered(entry, kind, level, outer, context);
}

async function matrix(spec: JsonObject, level: number, context: Context): Promise<Params[]> {
  const [first, second, third] = childrenOf(spec);
  if (!first || !second) throw new AppError('bad-input', 'found less than two generators, Matrix support only two');
  if (third) throw new AppError('bad-input', 'found more than two generators, Matrix support only two');
  const out: Params[] = [];
  for (const one of await child(first, level + 1, {}, context)) {
    for (const two of await child(second, level + 1, one, context)) {
      out.push(combine(one, two, context.fill.style.goTemplate));
      limit(out.length);
    }
  }
  return out;
}

async function merge(spec: JsonObject, level: number, context: Context): Promise<Params[]> {
  const children = childrenOf(spec);
  if (children.length < 2)
    throw new AppError('bad-input', 'found less than two generators, Merge requires two or more');
  const keys = Array.isArray(spec['mergeKeys']) ? spec['mergeKeys'].map(String) : [];
  const sets: Params[][] = [];
  for (const entry of children) sets.push(await child(entry, level + 1, {}, context));
  return mergeByKeys(keys, sets, context.fill.style.goTemplate);
}

function limit(count: number): void {
  if (count > maxParams) throw new AppError('limit', `the generators give more than ${maxParams} sets of parameters`);
}

/** One generator's parameters, without those that its selector does not choose. */
async function filtered(
  entry: JsonObject,
  kind: GeneratorKind,
  level: number,
  outer: Params,
  context: Context,
): Promise<Params[]> {
  const selects =
    entry['selector'] === undefined || entry['selector'] === null ? undefined : parseSelector(entry['selector']);
  const whole = interpolateGenerator({ [kind]: entry[kind] }, outer, context.fill, context.sources);
  const spec = whole[kind];
  const params = await paramsOf(kind, isObject(spec) ? spec : {}, level, context);
  limit(params.length);
  return selects ? params.filter((one) => selects(flattenParams(one))) : params;
}

export interface Generated {
  applications: JsonObject[];
  /** Set when something failed; then nothing may be created, changed or deleted. */
  error?: { reason: 'ApplicationGenerationFromParamsError' | 'RenderTemplateParamsError'; cause: unknown };
}

/** The Applications of a set, in the order of its generators. Anything that fails fails the whole. */
export async function generateApplications(
  set: ApplicationSet,
  sources: GeneratorSources,
  signal: AbortSignal,
  memory: RenderMemory = new RenderMemory(),
): Promise<Generated> {
  const applications: JsonObject[] = [];
  let reason: NonNullable<Generated['error']>['reason'] = 'ApplicationGenerationFromParamsError';
  try {
    const fill = placeholders(set.spec, sources);
    const context = { set, sources, fill, signal };
    const where = `ApplicationSet ${set.metadata.name}`;
    const entries = set.spec.generators.flatMap((entry) => kindsOf(entry, where).map((kind) => ({ entry, kind })));
    for (const { entry, kind } of entries) {
      reason = 'ApplicationGenerationFromParamsError';
      const params = await filtered(entry, kind, 1, {}, context);
      limit(applications.length + params.length);
      reason = 'RenderTemplateParamsError';
      const spec = entry[kind];
      const template = new ApplicationTemplate(set, isObject(spec) ? spec['template'] : undefined, fill);
      for (const one of params) {
        applications.push(memory.render(template, one));
        if (applications.length % rendersPerTurn !== 0) continue;
        // Large sets leave room for others.
        await nextTurn();
        throwIfAborted(signal);
      }
    }
    return { applications };
  } catch (cause) {
    if (signal.aborted) throw cause;
    if (!(cause instanceof AppError)) throw cause;
    return { applications: [], error: { reason, cause } };
  } finally {
    memory.endRound();
    sources.listings.endRound();
  }
}
