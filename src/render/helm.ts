import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '#base/errors.ts';
import type { KubeObject } from '#kube/port.ts';
import { checkOut } from './checkout.ts';
import type { FoundFile } from './helm-files.ts';
import type { HelmPlan, HelmTool } from './helm-plan.ts';
import { manifestsOf } from './manifests.ts';
import type { RenderRequest } from './port.ts';
import type { ResolvedSource } from './source.ts';
import { runTool } from './tool.ts';
import { parseYamlDocuments } from './yaml.ts';

export interface HelmJob {
  request: RenderRequest;
  resolved: ResolvedSource;
  plan: HelmPlan;
  /** A temporary directory of its own. */
  folder: string;
}

const timeoutMs = 90_000;
const maxOutputBytes = 64 * 1024 * 1024;
const maxMessage = 2000;

/** What stands in the work folder, and what a reader knows it by. */
type Names = Map<string, string>;

async function writeFound(
  file: FoundFile,
  target: { path: string; names: Names },
  signal: AbortSignal,
): Promise<string> {
  await mkdir(dirname(target.path), { recursive: true });
  await writeFile(target.path, await file.read(signal));
  target.names.set(target.path, file.name);
  return target.path;
}

async function helmArguments(plan: HelmPlan, at: { folder: string; names: Names }, signal: AbortSignal) {
  const { folder, names } = at;
  const args = ['template', join(folder, 'chart'), '--name-template', plan.releaseName];
  if (plan.namespace !== '') args.push('--namespace', plan.namespace);
  args.push(...plan.flags);
  if (plan.capabilities) {
    args.push('--kube-version', plan.capabilities.kubeVersion);
    for (const version of plan.capabilities.apiVersions) args.push('--api-versions', version);
  }
  for (const parameter of plan.parameters) args.push(parameter.flag, parameter.text);
  for (const [index, { name, file }] of plan.fileParameters.entries()) {
    const path = await writeFound(file, { path: join(folder, 'files', String(index)), names }, signal);
    args.push('--set-file', `${name}=${path.replaceAll(',', '\\,')}`);
  }
  for (const [index, file] of plan.values.entries())
    args.push('--values', await writeFound(file, { path: join(folder, 'values', `${index}.yaml`), names }, signal));
  if (plan.inlineValues !== undefined) {
    const inline = join(folder, 'values', 'inline.yaml');
    await mkdir(dirname(inline), { recursive: true });
    await writeFile(inline, plan.inlineValues);
    names.set(inline, 'spec.source.helm.values');
    args.push('--values', inline);
  }
  return args;
}

/** helm's own words, with the paths of the repository in place of those of the work folder. */
function inWords(stderr: string, { folder, names, chart }: { folder: string; names: Names; chart: string }): string {
  let text = stderr;
  const byLength = [...names].sort(([a], [b]) => b.length - a.length);
  for (const [path, name] of byLength) text = text.replaceAll(path, name);
  return text
    .replaceAll(`${folder}/chart/`, chart === '.' ? '' : `${chart}/`)
    .replaceAll(`${folder}/chart`, chart)
    .replaceAll(folder, '')
    .replace(/\n*Use --debug flag.*$/s, '')
    .replace(/^(?:level=WARN|WARNING:|walk\.go:).*\n?/gm, '')
    .replace(/^Error: /m, '')
    .trim()
    .slice(0, maxMessage);
}

function nameOf({ source, tree }: RenderRequest, path: string): string {
  if (source.chart) return `${source.chart} (${tree.place})`;
  return `${path} (${tree.place})`;
}

async function putDependencies(tool: HelmTool, job: HelmJob, signal: AbortSignal): Promise<void> {
  const { plan, folder } = job;
  const charts = join(folder, 'chart', 'charts');
  await mkdir(charts, { recursive: true });
  const fresh = new Set(plan.dependencies.flatMap((one) => (one.kind === 'archive' ? [one.file] : [])));
  // As "helm dependency build" leaves it: only the archives that were brought.
  for (const name of await readdir(charts))
    if (/\.(?:tgz|tar\.gz)$/.test(name) && !fresh.has(name)) await rm(join(charts, name));
  for (const [index, one] of plan.dependencies.entries()) {
    if (one.kind === 'archive') {
      await writeFile(join(charts, one.file), await one.tree.archive(signal));
      continue;
    }
    const source = join(folder, 'dependencies', String(index));
    await checkOut(one.tree, { from: one.path, to: source }, signal);
    const result = await runHelm(tool, { folder, args: ['package', source, '--destination', charts] }, signal);
    if (result.code !== 0)
      throw new AppError(
        'tool-failed',
        `helm package ${one.path} (${one.tree.place}), a dependency, failed: ${inWords(result.stderr, { folder, names: new Map([[source, one.path]]), chart: one.path })}`,
        { hint: 'correct the chart; "helm package" shows the same on your machine' },
      );
  }
}

async function runHelm(tool: HelmTool, run: { folder: string; args: string[] }, signal: AbortSignal) {
  const home = join(run.folder, 'home');
  const env = {
    HOME: home,
    HELM_CACHE_HOME: home,
    HELM_CONFIG_HOME: home,
    HELM_DATA_HOME: home,
    PATH: dirname(tool.path),
  };
  return await runTool({ path: tool.path, args: run.args, cwd: run.folder, env, timeoutMs, maxOutputBytes }, signal);
}

/** Runs `helm template` on the chart and its dependencies, written into the job's folder. */
export async function renderHelm(tool: HelmTool, job: HelmJob, signal: AbortSignal): Promise<KubeObject[]> {
  const { request, resolved, plan, folder } = job;
  await checkOut(request.tree, { from: resolved.path, to: join(folder, 'chart'), submodules: 'leave-out' }, signal);
  if (plan.dependencies.length > 0) await putDependencies(tool, job, signal);
  const names: Names = new Map();
  const args = await helmArguments(plan, { folder, names }, signal);
  const result = await runHelm(tool, { folder, args }, signal);
  const path = resolved.path === '' ? '.' : resolved.path;
  const name = nameOf(request, path);
  if (result.code !== 0)
    throw new AppError(
      'tool-failed',
      `helm template ${name} failed: ${inWords(result.stderr, { folder, names, chart: path })}`,
      { hint: 'correct the chart or its values; "helm template" shows the same on your machine' },
    );
  const what = `the output of helm template ${name}`;
  return manifestsOf(parseYamlDocuments(result.stdout, what), what);
}
