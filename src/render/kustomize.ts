import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { AppError } from '#base/errors.ts';
import type { JsonObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { buildEnvironment, expandVariables } from './build-environment.ts';
import { checkOut } from './checkout.ts';
import { expandBlock, parseKustomizeBlock, withBlock } from './kustomize-block.ts';
import { type Kustomization, type KustomizeReach, reach, readKustomization } from './kustomize-reach.ts';
import { buildFlags, helmFlags, kustomizeTool } from './kustomize-tool.ts';
import { manifestsOf } from './manifests.ts';
import { fileInRepository } from './repository-path.ts';
import type { LinkedRequest, ResolvedSource } from './source.ts';
import { runTool } from './tool.ts';
import { parseYamlDocuments } from './yaml.ts';

/** kubectl, for its `kustomize` command; or another program that does `build`. */
export interface KustomizeTool {
  path: string;
  version: string;
}

export interface KustomizeTools {
  kubectl: KustomizeTool | undefined;
  /** For kustomizations that inflate charts. */
  helm: KustomizeTool | undefined;
}

const timeoutMs = 90_000;
const maxOutputBytes = 64 * 1024 * 1024;
const maxMessage = 2000;

/** What a build is run with, all of it decided before the run. */
export interface KustomizePlan {
  program: string;
  args: string[];
  /** The kustomization with the application's block in it; undefined when the block changes nothing. */
  edited: { file: string; document: JsonObject } | undefined;
  reach: KustomizeReach;
  /** Files of the repository that the build reads, and those that would count if they were there. */
  paths: string[];
  key: unknown;
}

async function componentsThere(
  request: LinkedRequest,
  job: { folder: string; names: readonly string[]; ignoreMissing: boolean },
  signal: AbortSignal,
): Promise<{ there: string[]; absent: string[] }> {
  const there: string[] = [];
  const absent: string[] = [];
  for (const name of job.names) {
    const path = job.ignoreMissing ? fileInRepository(job.folder, name, 'spec.source.kustomize.components') : '';
    if (!job.ignoreMissing || (await request.tree.objectId(path, signal)) !== undefined) there.push(name);
    else absent.push(path);
  }
  return { there, absent };
}

/** Follows what the build reads and decides every flag. */
export async function planKustomize(
  tools: KustomizeTools,
  request: LinkedRequest,
  resolved: ResolvedSource,
  signal: AbortSignal,
): Promise<KustomizePlan> {
  const environment = buildEnvironment(request);
  const block = expandBlock(parseKustomizeBlock(resolved.source.kustomize), (text) =>
    expandVariables(text, environment),
  );
  const settings = request.settings.kustomize;
  const tool = kustomizeTool(tools, settings, block.version ?? '');
  const flags = buildFlags(tool.buildOptions);
  const folder = (await request.tree.realPath(resolved.path, signal)) ?? resolved.path;
  const own = await readKustomization(request.tree, folder, signal);
  if (!own)
    throw new AppError(
      'not-found',
      `${resolved.path || 'the repository'} in ${request.tree.place} has no kustomization.yaml`,
      {
        hint: 'correct spec.source.path, or remove the kustomize block',
      },
    );
  const components = await componentsThere(
    request,
    { folder, names: block.components ?? [], ignoreMissing: block.ignoreMissingComponents ?? false },
    signal,
  );
  const edited = editedKustomization(own, withBlock(own.document, block, components.there));
  const unrestricted = flags.includes('LoadRestrictionsNone');
  const found = await reach(request.tree, { folder, document: edited?.document, unrestricted }, signal);
  const charts = found.charts
    ? helmFlags(
        tools,
        { enabled: flags.includes('--enable-helm'), allowed: request.settings.helm.enabled, file: own.file },
        {
          kubeVersion: block.kubeVersion || request.cluster.kubeVersion,
          apiVersions: block.apiVersions?.length ? block.apiVersions : request.cluster.apiVersions,
        },
      )
    : { args: [], key: undefined };
  const files = [...found.files].sort();
  return {
    program: tool.path,
    args: [...tool.command, folder === '' ? '.' : folder, ...flags, ...charts.args],
    edited,
    reach: found,
    paths: [
      ...new Set([
        ...files.map(([path]) => path),
        ...found.folders.keys(),
        ...found.links.keys(),
        ...components.absent,
      ]),
    ],
    key: {
      tool: tool.version,
      flags,
      charts: charts.key,
      folder,
      edited: edited?.document,
      files,
      folders: [...found.folders].sort(),
      links: [...found.links].sort(),
    },
  };
}

function editedKustomization(own: Kustomization, document: JsonObject): KustomizePlan['edited'] {
  return JSON.stringify(document) === JSON.stringify(own.document) ? undefined : { file: own.file, document };
}

/** Writes what the build reads, and nothing else, below `to`; links stay links, since kustomize asks where files really are. */
async function writeReach(request: LinkedRequest, plan: KustomizePlan, to: string, signal: AbortSignal): Promise<void> {
  const { reach: found } = plan;
  for (const folder of found.folders.keys())
    await checkOut(request.tree, { from: folder, to, wholePath: true, submodules: 'leave-out' }, signal);
  for (const [path, oid] of found.files) {
    if (oid === undefined) continue;
    const target = join(to, path);
    await mkdir(dirname(target), { recursive: true });
    const content = await request.tree.readFile(path, signal);
    if (content) await writeFile(target, content);
  }
  for (const [path, real] of found.links) {
    const target = join(to, path);
    await mkdir(dirname(target), { recursive: true });
    await symlink(posix.relative(posix.dirname(path), real) || '.', target).catch((error: unknown) => {
      // Within a folder that was written whole, a copy of the target stands there already.
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    });
  }
  if (plan.edited) await writeFile(join(to, plan.edited.file), JSON.stringify(plan.edited.document));
}

/** Runs kustomize on the files that the build reads, written below `folder`. */
export async function renderKustomize(
  job: { request: LinkedRequest; resolved: ResolvedSource; plan: KustomizePlan; tools: KustomizeTools; folder: string },
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const { request, resolved, plan, folder } = job;
  const repository = join(folder, 'repository');
  await mkdir(repository, { recursive: true });
  await writeReach(request, plan, repository, signal);
  const { helm } = job.tools;
  const env = {
    HOME: folder,
    HELM_CONFIG_HOME: folder,
    HELM_CACHE_HOME: folder,
    HELM_DATA_HOME: folder,
    // No git, no helm but the one that is named: what is not in the repository is not fetched.
    PATH: folder,
  };
  const { program } = plan;
  const args =
    helm && plan.reach.charts ? [...plan.args, '--helm-command', await helmStandIn(helm.path, folder)] : plan.args;
  const result = await runTool({ path: program, args, cwd: repository, env, timeoutMs, maxOutputBytes }, signal);
  const name = resolved.path === '' ? '.' : resolved.path;
  if (result.code !== 0)
    throw new AppError(
      'tool-failed',
      `kustomize build ${name} (${request.tree.place}) failed: ${cleaned(result.stderr, repository)}`,
      { hint: 'correct the kustomization; "kubectl kustomize" shows the same on your machine' },
    );
  const what = `the output of kustomize build ${name}`;
  return manifestsOf(parseYamlDocuments(result.stdout, what), what);
}

/**
 * kustomize asks helm for its version in a way that only version 3 answers, and works with no other; what it runs then is
 * the same in version 4.
 */
async function helmStandIn(helm: string, folder: string): Promise<string> {
  const path = join(folder, 'helm');
  const quoted = `'${helm.replaceAll("'", `'\\''`)}'`;
  await writeFile(path, `#!/bin/sh\n[ "$1" = version ] && echo v3.99.0 && exit 0\nexec ${quoted} "$@"\n`, {
    mode: 0o755,
  });
  return path;
}

function cleaned(stderr: string, repository: string): string {
  return stderr
    .replaceAll(`/private${repository}`, repository)
    .replaceAll(`${repository}/`, '')
    .replaceAll(repository, '.')
    .replace(/^error: /, '')
    .trim()
    .slice(0, maxMessage);
}
