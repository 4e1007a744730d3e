import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256Hex } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import type { KubeObject } from '#kube/port.ts';
import type { HelmSource } from '#model/argocd/application.ts';
import { buildEnvironment, expandVariables } from './build-environment.ts';
import { scanChart } from './chart-scan.ts';
import { checkOut } from './checkout.ts';
import { manifestsOf } from './manifests.ts';
import type { RenderRequest } from './port.ts';
import { fileInRepository } from './repository-path.ts';
import type { ResolvedSource } from './source.ts';
import { runTool } from './tool.ts';
import type { SourceTree } from './tree.ts';
import { parseYamlDocuments } from './yaml.ts';

export interface HelmTool {
  path: string;
  version: string;
}

interface FoundFile {
  tree: SourceTree;
  path: string;
  oid: string;
}

/** What `helm template` is run with, all of it decided before the run. */
export interface HelmPlan {
  releaseName: string;
  namespace: string;
  values: FoundFile[];
  /** Value files that are not there, and need not be. */
  absent: string[];
  inlineValues: string | undefined;
  parameters: { flag: '--set' | '--set-string'; text: string }[];
  fileParameters: { name: string; file: FoundFile }[];
  flags: string[];
  /** Undefined when no template of the chart asks for them. */
  capabilities: { kubeVersion: string; apiVersions: string[] } | undefined;
  /** Stands for the chart's own files, but for value files that are not named. */
  chart: string;
  /** Value files at the chart's top that are not named are not read. */
  unreadValues: boolean;
}

const timeoutMs = 90_000;
const maxOutputBytes = 64 * 1024 * 1024;
const maxMessage = 2000;

function findPlace(
  request: RenderRequest,
  folder: string,
  name: string,
  what: string,
): { tree: SourceTree; path: string } {
  const match = /^\$([A-Za-z0-9_-]+)\/(.+)$/.exec(name);
  const ref = match?.[1] === undefined ? undefined : request.refs.get(match[1]);
  if (match && ref) return { tree: ref, path: fileInRepository('', match[2] ?? '', what) };
  if (match && /^\$[a-z]/.test(name) && request.refs.size > 0)
    throw new AppError(
      'bad-input',
      `${what} "${name}" names the ref ${match[1]}, which no source of the application has`,
    );
  return { tree: request.tree, path: fileInRepository(folder, name, what) };
}

async function findFile(
  request: RenderRequest,
  folder: string,
  name: string,
  what: string,
  signal: AbortSignal,
): Promise<FoundFile | string> {
  if (/^[a-z][a-z0-9+.-]*:\/\//.test(name))
    throw new AppError('unsupported', `${what} "${name}" is a URL, which this version does not read`, {
      hint: 'keep the file in Git',
    });
  const place = findPlace(request, folder, name, what);
  const oid = await place.tree.objectId(place.path, signal);
  if (oid === undefined) return `${what} "${name}" does not exist: ${place.path} in ${place.tree.place}`;
  return { ...place, oid };
}

async function findValueFiles(
  request: RenderRequest,
  resolved: ResolvedSource,
  helm: HelmSource,
  signal: AbortSignal,
): Promise<{ files: FoundFile[]; absent: string[] }> {
  const environment = buildEnvironment(request);
  const files: FoundFile[] = [];
  const absent: string[] = [];
  for (const written of helm.valueFiles ?? []) {
    const name =
      /^\$[A-Za-z0-9_-]+\//.test(written) && !written.startsWith('$ARGOCD_')
        ? written
        : expandVariables(written, environment);
    if (/[*?[]/.test(name))
      throw new AppError(
        'unsupported',
        `helm.valueFiles "${written}" is a pattern, which this version does not expand`,
        { hint: 'list the files one by one' },
      );
    const found = await findFile(request, resolved.path, name, 'helm.valueFiles', signal);
    if (typeof found !== 'string') files.push(found);
    else if (!helm.ignoreMissingValueFiles)
      throw new AppError('not-found', found, {
        hint: 'correct the path, which is relative to the chart, or set ignoreMissingValueFiles',
      });
    else if (!name.startsWith('$')) absent.push(fileInRepository(resolved.path, name, 'helm.valueFiles'));
  }
  return { files, absent };
}

/** Commas that do not stand in `{a,b}` are part of the value. */
function escapeCommas(value: string): string {
  if (value.startsWith('{') && value.endsWith('}')) return value;
  return value.replace(/(?<!\\),/g, '\\,');
}

/** Finds every file and decides every flag. */
export async function planHelm(
  request: RenderRequest,
  resolved: ResolvedSource,
  signal: AbortSignal,
): Promise<HelmPlan> {
  const helm: HelmSource = resolved.source.helm ?? {};
  const environment = buildEnvironment(request);
  const fileParameters: HelmPlan['fileParameters'] = [];
  for (const parameter of helm.fileParameters ?? []) {
    const found = await findFile(
      request,
      resolved.path,
      expandVariables(parameter.path, environment),
      'helm.fileParameters',
      signal,
    );
    if (typeof found === 'string') throw new AppError('not-found', found);
    fileParameters.push({ name: parameter.name, file: found });
  }
  const flags: string[] = [];
  if (!helm.skipCrds) flags.push('--include-crds');
  if (helm.skipTests) flags.push('--skip-tests');
  if (helm.skipSchemaValidation) flags.push('--skip-schema-validation');
  const scan = await scanChart(request.tree, resolved, signal);
  const { files, absent } = await findValueFiles(request, resolved, helm, signal);
  return {
    releaseName: helm.releaseName || request.application.name,
    namespace: helm.namespace || request.application.destinationNamespace,
    values: files,
    absent,
    inlineValues: helm.valuesObject !== undefined ? JSON.stringify(helm.valuesObject) : helm.values || undefined,
    parameters: (helm.parameters ?? []).map((parameter) => ({
      flag: parameter.forceString ? '--set-string' : '--set',
      text: `${parameter.name}=${escapeCommas(expandVariables(parameter.value, environment))}`,
    })),
    fileParameters,
    flags,
    chart: scan.files ? resolved.tree : scan.rest,
    unreadValues: !scan.files,
    capabilities: scan.capabilities
      ? {
          kubeVersion: helm.kubeVersion || request.cluster.kubeVersion,
          apiVersions:
            helm.apiVersions && helm.apiVersions.length > 0 ? helm.apiVersions : [...request.cluster.apiVersions],
        }
      : undefined,
  };
}

/** What of a plan its result depends on. */
export function helmKey(plan: HelmPlan, tool: HelmTool): unknown {
  const capabilities = plan.capabilities && {
    ...plan.capabilities,
    apiVersions: sha256Hex(plan.capabilities.apiVersions.join('\n')),
  };
  const values = plan.values.map((file) => file.oid);
  const fileParameters = plan.fileParameters.map(({ name, file }) => [name, file.oid]);
  return { ...plan, values, fileParameters, capabilities, tool: tool.version };
}

async function writeFound(file: FoundFile, target: string, signal: AbortSignal): Promise<string> {
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, await file.tree.readBlob(file.oid, signal));
  return target;
}

async function helmArguments(plan: HelmPlan, chart: string, folder: string, signal: AbortSignal): Promise<string[]> {
  const args = ['template', chart, '--name-template', plan.releaseName, '--namespace', plan.namespace, ...plan.flags];
  if (plan.capabilities) {
    args.push('--kube-version', plan.capabilities.kubeVersion);
    for (const version of plan.capabilities.apiVersions) args.push('--api-versions', version);
  }
  for (const parameter of plan.parameters) args.push(parameter.flag, parameter.text);
  for (const [index, { name, file }] of plan.fileParameters.entries())
    args.push('--set-file', `${name}=${await writeFound(file, join(folder, 'files', String(index)), signal)}`);
  for (const [index, file] of plan.values.entries())
    args.push(
      '--values',
      await writeFound(file, join(folder, 'values', `${index}-${file.path.replaceAll('/', '_')}`), signal),
    );
  if (plan.inlineValues !== undefined) {
    const inline = join(folder, 'inline-values.yaml');
    await writeFile(inline, plan.inlineValues);
    args.push('--values', inline);
  }
  return args;
}

function failure(request: RenderRequest, path: string, stderr: string, folder: string): AppError {
  const own = stderr
    .replaceAll(`${folder}/chart`, path)
    .replaceAll(/\S*\/values\/\d+-/g, '')
    .replaceAll(folder, '')
    .replace(/\n*Use --debug flag.*$/s, '')
    .trim()
    .slice(0, maxMessage);
  const missing = /missing in charts\/ directory/.test(own);
  return new AppError('tool-failed', `helm template ${path} (${request.tree.place}) failed: ${own}`, {
    hint: missing
      ? 'commit the dependencies: run "helm dependency update" and add charts/ to Git'
      : 'correct the chart or its values; "helm template" shows the same on your machine',
  });
}

/** Runs `helm template` in `folder`, a temporary directory of its own. */
export async function renderHelm(
  tool: HelmTool,
  job: { request: RenderRequest; resolved: ResolvedSource; plan: HelmPlan; folder: string },
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const { request, resolved, plan, folder } = job;
  const chart = join(folder, 'chart');
  await checkOut(request.tree, { from: resolved.path, to: chart }, signal);
  const home = join(folder, 'home');
  const env = {
    HOME: home,
    HELM_CACHE_HOME: home,
    HELM_CONFIG_HOME: home,
    HELM_DATA_HOME: home,
    PATH: dirname(tool.path),
  };
  const args = await helmArguments(plan, chart, folder, signal);
  const result = await runTool({ path: tool.path, args, cwd: folder, env, timeoutMs, maxOutputBytes }, signal);
  const path = resolved.path === '' ? '.' : resolved.path;
  if (result.code !== 0) throw failure(request, path, result.stderr, folder);
  const what = `the output of helm template ${path}`;
  return manifestsOf(parseYamlDocuments(result.stdout, what), what);
}
