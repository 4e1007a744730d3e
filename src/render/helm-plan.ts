import { sha256Hex } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import { Lru } from '#git/lru.ts';
import type { HelmSource } from '#model/argocd/application.ts';
import { buildEnvironment, expandVariables } from './build-environment.ts';
import { type ChartScan, type Questions, questionsIn, scanChart } from './chart-scan.ts';
import { type PlannedDependency, planDependencies } from './charts/dependencies.ts';
import type { ChartLibrary } from './charts/port.ts';
import { type FoundFile, findFileParameters, findValueFiles } from './helm-files.ts';
import { followLinks } from './links.ts';
import type { RenderRequest } from './port.ts';
import type { ResolvedSource } from './source.ts';

export interface HelmTool {
  path: string;
  version: string;
}

/** What `helm template` is run with, all of it decided before the run. */
export interface HelmPlan {
  releaseName: string;
  namespace: string;
  values: FoundFile[];
  inlineValues: string | undefined;
  parameters: { flag: '--set' | '--set-string'; text: string }[];
  fileParameters: { name: string; file: FoundFile }[];
  flags: string[];
  /** Undefined when no template of the chart asks for them. */
  capabilities: { kubeVersion: string; apiVersions: string[] } | undefined;
  dependencies: PlannedDependency[];
  /** Stands for the chart's own files, but for value files that are not named. */
  chart: string;
  /** Value files at the chart's top that are not named are not read. */
  unreadValues: boolean;
  /** Paths outside the chart's folder, in its repository, that are read or would be if they were there. */
  watched: string[];
}

/** What value files ask for, by their ids. */
const asked = new Lru<Questions>(20_000, () => 1);

/** Commas that do not stand in `{a,b}` are part of the value. */
function escapeCommas(value: string): string {
  if (value.startsWith('{') && value.endsWith('}')) return value;
  return value.replace(/(?<!\\),/g, '\\,');
}

/** The numbers of a version, as helm wants them: `v1.30.2-eks-1` is 1.30.2. Throws AppError bad-input. */
export function plainKubeVersion(text: string): string {
  const numbers = /^\s*v?([0-9]+(?:\.[0-9]+)+)/.exec(text)?.[1];
  if (numbers === undefined)
    throw new AppError('bad-input', `"${text}" is no version of Kubernetes`, {
      hint: 'write spec.source.helm.kubeVersion as "1.30.0"',
    });
  return numbers
    .split('.')
    .map((number) => String(Number(number)))
    .join('.');
}

function parametersOf(helm: HelmSource, environment: Record<string, string>): HelmPlan['parameters'] {
  const last = new Map<string, HelmPlan['parameters'][number]>();
  for (const { name, value, forceString } of helm.parameters ?? []) {
    const flag = forceString ? '--set-string' : '--set';
    const key = `${flag} ${name}`;
    last.delete(key);
    last.set(key, { flag, text: `${name}=${escapeCommas(expandVariables(value ?? '', environment))}` });
  }
  return [...last.values()];
}

function refuseVersion({ version }: HelmSource): void {
  if (version === undefined || ['', 'v3', 'v4'].includes(version)) return;
  throw new AppError('unsupported', `spec.source.helm.version: helm version '${version}' is not supported`, {
    hint: 'remove the field, or write v3',
  });
}

async function questionsOf(file: FoundFile, signal: AbortSignal): Promise<Questions> {
  const known = asked.get(file.oid);
  if (known) return known;
  const questions = questionsIn(await file.read(signal));
  asked.set(file.oid, questions);
  return questions;
}

/** Whether the result depends on the cluster's versions and on every file, the values' own questions included. */
async function askedFor(
  scans: readonly ChartScan[],
  given: { values: readonly FoundFile[]; texts: readonly string[] },
  signal: AbortSignal,
): Promise<{ capabilities: boolean; files: boolean }> {
  let capabilities = scans.some((scan) => scan.capabilities);
  let files = scans.some((scan) => scan.files);
  if (!scans.some((scan) => scan.evaluatesValues)) return { capabilities, files };
  const inFiles: Questions[] = [];
  for (const file of given.values) inFiles.push(await questionsOf(file, signal));
  for (const questions of [...scans.map(({ byValues }) => byValues), ...given.texts.map(questionsIn), ...inFiles]) {
    capabilities ||= questions.capabilities;
    files ||= questions.files;
  }
  return { capabilities, files };
}

/** Finds every file and decides every flag. */
export async function planHelm(
  job: { request: RenderRequest; resolved: ResolvedSource; charts: ChartLibrary | undefined },
  signal: AbortSignal,
): Promise<HelmPlan> {
  const { request, resolved, charts } = job;
  const { tree, cluster } = request;
  const helm: HelmSource = resolved.source.helm ?? {};
  refuseVersion(helm);
  const kubeVersion = plainKubeVersion(helm.kubeVersion || cluster.kubeVersion);
  const environment = buildEnvironment(request);
  const [found, fileParameters, own] = await Promise.all([
    findValueFiles(job, helm, signal),
    findFileParameters(job, helm, signal),
    scanChart(tree, resolved.path, signal),
  ]);
  const { project } = request.application;
  const passCredentials = helm.passCredentials ?? false;
  const needs = { tree, folder: resolved.path, project, passCredentials, charts };
  const dependencies = own.dependencies ? await planDependencies(needs, signal) : [];
  const others = await Promise.all(
    dependencies.map((one) => scanChart(one.tree, one.kind === 'folder' ? one.path : '', signal)),
  );
  const inlineValues = helm.valuesObject !== undefined ? JSON.stringify(helm.valuesObject) : helm.values || undefined;
  const parameters = parametersOf(helm, environment);
  const texts = [inlineValues ?? '', ...parameters.map(({ text }) => text)];
  const questions = await askedFor([own, ...others], { values: found.files, texts }, signal);
  const flags: string[] = [];
  if (!helm.skipCrds) flags.push('--include-crds');
  if (helm.skipTests) flags.push('--skip-tests');
  if (helm.skipSchemaValidation) flags.push('--skip-schema-validation');
  const apiVersions = helm.apiVersions && helm.apiVersions.length > 0 ? helm.apiVersions : [...cluster.apiVersions];
  const files = fileParameters.flatMap(({ file }) =>
    file.tree?.url === tree.url ? [file.name, ...(file.real === undefined ? [] : [file.real])] : [],
  );
  const folders = dependencies.flatMap((one) => (one.kind === 'folder' ? [one.path] : []));
  const linkedTo = await followLinks(tree).outside(resolved.path, signal);
  return {
    releaseName: helm.releaseName || request.application.name,
    namespace: helm.namespace || request.application.destinationNamespace,
    values: found.files,
    inlineValues,
    parameters,
    fileParameters,
    flags,
    dependencies,
    chart: questions.files ? `all ${await followLinks(tree).objectId(resolved.path, signal)}` : own.rest,
    unreadValues: !questions.files,
    capabilities: questions.capabilities ? { kubeVersion, apiVersions } : undefined,
    watched: [...new Set([...found.watched, ...files, ...folders, ...linkedTo])],
  };
}

/** What of a plan its result depends on. */
export function helmKey(plan: HelmPlan, tool: HelmTool): unknown {
  const { watched: _watched, unreadValues: _unread, capabilities, ...rest } = plan;
  return {
    ...rest,
    values: plan.values.map((file) => file.oid),
    fileParameters: plan.fileParameters.map(({ name, file }) => [name, file.oid]),
    dependencies: plan.dependencies.map(({ id }) => id),
    capabilities: capabilities && { ...capabilities, apiVersions: sha256Hex(capabilities.apiVersions.join('\n')) },
    tool: tool.version,
  };
}
