import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '#base/errors.ts';
import { getArray, isObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { checkOut } from './checkout.ts';
import { manifestsOf } from './manifests.ts';
import type { RenderRequest } from './port.ts';
import { fileInRepository, joinPath } from './repository-path.ts';
import { kustomizationFiles, type ResolvedSource } from './source.ts';
import { runTool } from './tool.ts';
import { parseYamlDocuments } from './yaml.ts';

/** kubectl, for its `kustomize` command. */
export interface KustomizeTool {
  path: string;
  version: string;
}

const timeoutMs = 60_000;
const maxOutputBytes = 64 * 1024 * 1024;
const maxFolders = 200;
const remote = /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/)/;

/** Fields of the kustomize block that are written into the kustomization before the build. */
const handled = [
  'namePrefix',
  'nameSuffix',
  'images',
  'commonLabels',
  'commonAnnotations',
  'namespace',
  'replicas',
  'patches',
  'components',
];
const withoutEffect = ['version', 'kubeVersion', 'apiVersions'];

async function readKustomization(
  request: RenderRequest,
  folder: string,
  signal: AbortSignal,
): Promise<{ name: string; document: Record<string, unknown> } | undefined> {
  for (const name of kustomizationFiles) {
    const file = joinPath(folder, name);
    const content = await request.tree.readFile(file, signal);
    if (!content) continue;
    const [document] = parseYamlDocuments(content.toString('utf8'), file);
    return { name, document: isObject(document) ? document : {} };
  }
  return undefined;
}

/** Folders that a kustomization names, as paths in the repository. */
function referencesOf(folder: string, document: Record<string, unknown>): string[] {
  const names = [
    'resources',
    'bases',
    'components',
    'patchesStrategicMerge',
    'configurations',
    'crds',
    'generators',
    'transformers',
  ].flatMap((field) => getArray(document, field));
  const patches = ['patches', 'patchesJson6902', 'replacements']
    .flatMap((field) => getArray(document, field))
    .map((patch) => (isObject(patch) ? patch['path'] : undefined));
  const out: string[] = [];
  for (const name of [...names, ...patches]) {
    if (typeof name !== 'string' || name.includes('\n')) continue;
    if (remote.test(name))
      throw new AppError(
        'unsupported',
        `${joinPath(folder, 'kustomization.yaml')} reads ${name} from another place, which is not allowed`,
        { hint: 'copy the base into the repository' },
      );
    out.push(fileInRepository(folder, name, `reference in ${joinPath(folder, 'kustomization.yaml')}`));
  }
  return out;
}

/** The folders and files outside each other that a build reads: its own folder and, transitively, those it names. */
async function reach(request: RenderRequest, resolved: ResolvedSource, signal: AbortSignal): Promise<string[]> {
  const seen = new Set<string>();
  const open = [resolved.path];
  for (let folder = open.shift(); folder !== undefined; folder = open.shift()) {
    if (seen.has(folder)) continue;
    seen.add(folder);
    if (seen.size > maxFolders)
      throw new AppError('limit', `the kustomization in ${resolved.path} names more than ${maxFolders} folders`);
    const kustomization = await readKustomization(request, folder, signal);
    if (kustomization) open.push(...referencesOf(folder, kustomization.document));
  }
  const paths = [...seen].sort();
  return paths.filter(
    (path) => !paths.some((other) => other !== path && (other === '' || path.startsWith(`${other}/`))),
  );
}

export async function kustomizeInputs(
  tool: KustomizeTool | undefined,
  request: RenderRequest,
  resolved: ResolvedSource,
  signal: AbortSignal,
): Promise<{ key: unknown; paths: string[] }> {
  if (!tool)
    throw new AppError('missing-tool', 'kubectl is not installed, and this application is a kustomization', {
      hint: 'run "npm run setup", or install kubectl and start again',
    });
  const block = resolved.source.kustomize ?? {};
  const unknown = Object.keys(block).filter((field) => !handled.includes(field) && !withoutEffect.includes(field));
  if (unknown.length > 0)
    throw new AppError(
      'unsupported',
      `spec.source.kustomize uses ${unknown.join(', ')}, which this version does not apply`,
      { hint: 'set it in the kustomization.yaml itself' },
    );
  const paths = await reach(request, resolved, signal);
  const trees = await Promise.all(paths.map(async (path) => [path, await request.tree.objectId(path, signal)]));
  return { key: { tool: tool.version, path: resolved.path, block, trees }, paths };
}

function mergeImages(own: unknown[], added: unknown[]): unknown[] {
  const out = own.slice();
  for (const text of added) {
    const match = /^(?:([^=]+)=)?([^:@]+(?::\d+\/[^:@]+)?)(?::([^@]+))?(?:@(.+))?$/.exec(String(text));
    if (!match) throw new AppError('bad-input', `spec.source.kustomize.images holds "${text}", which is no image`);
    const [, old, name, newTag, digest] = match;
    const entry: Record<string, unknown> = { name: old ?? name };
    if (old !== undefined) entry['newName'] = name;
    if (newTag !== undefined) entry['newTag'] = newTag;
    if (digest !== undefined) entry['digest'] = digest;
    const at = out.findIndex((image) => isObject(image) && image['name'] === entry['name']);
    if (at >= 0) out[at] = entry;
    else out.push(entry);
  }
  return out;
}

/** The kustomization with the application's block written into it. */
export function withBlock(document: Record<string, unknown>, block: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = { ...document };
  for (const field of ['namePrefix', 'nameSuffix', 'namespace']) if (block[field]) out[field] = block[field];
  for (const field of ['commonLabels', 'commonAnnotations'])
    if (isObject(block[field])) out[field] = { ...(isObject(out[field]) ? out[field] : {}), ...block[field] };
  for (const field of ['patches', 'components', 'replicas'])
    if (Array.isArray(block[field])) out[field] = [...getArray(out, field), ...block[field]];
  if (Array.isArray(block['images'])) out['images'] = mergeImages(getArray(out, 'images'), block['images']);
  return out;
}

/** Runs `kubectl kustomize` on the folders that the build reads, written below `folder`. */
export async function renderKustomize(
  tool: KustomizeTool | undefined,
  job: { request: RenderRequest; resolved: ResolvedSource; paths: string[]; folder: string },
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const { request, resolved, folder } = job;
  if (!tool) throw new AppError('missing-tool', 'kubectl is not installed');
  const repository = join(folder, 'repository');
  for (const from of job.paths) await checkOut(request.tree, { from, to: repository, wholePath: true }, signal);
  const target = join(repository, resolved.path);
  const block = resolved.source.kustomize;
  const kustomization = await readKustomization(request, resolved.path, signal);
  if (block && kustomization)
    await writeFile(join(target, kustomization.name), JSON.stringify(withBlock(kustomization.document, block)));
  const env = { HOME: folder, PATH: dirname(tool.path) };
  const result = await runTool(
    { path: tool.path, args: ['kustomize', target], cwd: folder, env, timeoutMs, maxOutputBytes },
    signal,
  );
  const name = resolved.path === '' ? '.' : resolved.path;
  if (result.code !== 0)
    throw new AppError(
      'tool-failed',
      `kubectl kustomize ${name} (${request.tree.place}) failed: ${result.stderr.replaceAll(repository, '').trim().slice(0, 2000)}`,
      {
        hint: 'correct the kustomization; "kubectl kustomize" shows the same on your machine',
      },
    );
  const what = `the output of kubectl kustomize ${name}`;
  return manifestsOf(parseYamlDocuments(result.stdout, what), what);
}
