import { join } from 'node:path';
import { AppError } from '#base/errors.ts';
import { globMatch } from '#base/glob.ts';
import { getArray, isObject, parseJson } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import type { DirectorySource } from '#model/argocd/application.ts';
import { compareWalk } from './entry-order.ts';
import { evaluateJsonnetFiles, type JsonnetPlan, planJsonnet } from './jsonnet.ts';
import type { LinkedEntry } from './links.ts';
import { hasKind, manifestsOf } from './manifests.ts';
import type { LinkedRequest, ResolvedSource } from './source.ts';
import { decodeText } from './text.ts';
import { parseYamlDocuments } from './yaml.ts';

const skipMark = '+argocd:skip-file-rendering';

export interface DirectoryPlan {
  /** In the order in which they are read. */
  files: LinkedEntry[];
  jsonnet: JsonnetPlan | undefined;
}

function isWanted(entry: LinkedEntry, relative: string, source: DirectorySource): boolean {
  const { recurse = false, include = '', exclude = '', disableExtensionFilter = false } = source;
  // Folders behind links are not walked into, as Argo CD does not.
  if (entry.link === 'folder') return false;
  if (!recurse && relative.includes('/')) return false;
  if (!disableExtensionFilter && !/\.(?:yaml|yml|json|jsonnet)$/.test(relative)) return false;
  if (exclude !== '' && globMatch(exclude, relative)) return false;
  return include === '' || globMatch(include, relative);
}

const isJsonnet = (path: string) => path.endsWith('.jsonnet');

/** The files of a plain folder that are read, and what Jsonnet programs among them import. */
export async function planDirectory(
  request: LinkedRequest,
  resolved: ResolvedSource,
  signal: AbortSignal,
): Promise<DirectoryPlan> {
  const source = resolved.source.directory ?? {};
  const from = resolved.path === '' ? 0 : resolved.path.length + 1;
  const files: LinkedEntry[] = [];
  for (const entry of await request.tree.listFiles(resolved.path, signal)) {
    const relative = entry.path.slice(from);
    if (entry.type === 'commit' && source.recurse)
      throw new AppError(
        'unsupported',
        `${entry.path} in ${request.tree.place} is a submodule; submodules are not fetched`,
        {
          hint: 'exclude it with spec.source.directory.exclude, or use its own repository as a source',
        },
      );
    if (entry.type !== 'blob' || !isWanted(entry, relative, source)) continue;
    if (!request.settings.jsonnet.enabled && isJsonnet(relative)) continue;
    files.push(entry);
  }
  files.sort((a, b) => compareWalk(a.path, b.path));
  const programs = files.filter(({ path }) => isJsonnet(path));
  const jsonnet = programs.length > 0 ? await planJsonnet(request, { resolved, programs }, signal) : undefined;
  return { files, jsonnet };
}

/** What of a plan its result depends on. */
export function directoryKey(plan: DirectoryPlan): unknown {
  return { files: plan.files.map(({ path, oid }) => [path, oid]), jsonnet: plan.jsonnet?.key };
}

/** A file that is no manifest at all, e.g. a values file or a template, is passed over, as Argo CD does. */
function looksLikeManifest(text: string): boolean {
  return ['apiVersion:', 'kind:', 'metadata:'].every((part) => text.includes(part));
}

/** Whether the stream begins with a document that is an object of a kind: then the mistake is in a later one. */
function beginsWell(text: string, what: string): boolean {
  for (const part of text.split(/^---.*$/m)) {
    try {
      const [document] = parseYamlDocuments(part, what);
      if (document === undefined) continue;
      return hasKind(document);
    } catch {
      // Why it does not parse is what the caller reports.
      return false;
    }
  }
  return false;
}

function parseYamlFile(path: string, text: string): KubeObject[] {
  let fault: unknown;
  try {
    const documents = parseYamlDocuments(text, path);
    const wrong = documents.find((document) => !hasKind(document));
    if (wrong === undefined) return manifestsOf(documents, path);
    fault = new AppError('bad-input', `${path} holds a document without a kind`, {
      hint: 'every manifest needs apiVersion, kind and metadata.name',
    });
  } catch (error) {
    fault = error;
  }
  if (looksLikeManifest(text) || beginsWell(text, path)) throw fault;
  return [];
}

/** A manifest of a container image, which folders of charts and artifacts may hold. */
function isImageManifest(value: unknown): boolean {
  return (
    isObject(value) &&
    value['kind'] === undefined &&
    (isObject(value['config']) || getArray(value, 'layers').length > 0)
  );
}

function parseJsonFile(path: string, text: string): KubeObject[] {
  const value = parseJson(text, path);
  return isImageManifest(value) ? [] : manifestsOf([value], path);
}

/** Reads the manifests of a plain folder straight from Git, file by file as a walk meets them. */
export async function renderDirectory(
  job: {
    request: LinkedRequest;
    resolved: ResolvedSource;
    plan: DirectoryPlan;
    /** Runs in a new empty folder. */
    within: <T>(run: (folder: string) => Promise<T>) => Promise<T>;
    cacheDir: string;
  },
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const { request, plan } = job;
  const texts = await readTexts(request, job, signal);
  const programs = [...texts.keys()].filter(isJsonnet);
  const { jsonnet } = plan;
  const evaluated =
    jsonnet && programs.length > 0
      ? await job.within((folder) =>
          evaluateJsonnetFiles(
            jsonnet,
            { entries: programs, folder, compiled: join(job.cacheDir, 'compiled') },
            signal,
          ),
        )
      : new Map<string, unknown>();
  const out: KubeObject[] = [];
  for (const [path, text] of texts) {
    if (isJsonnet(path)) {
      const result = evaluated.get(path);
      // Nulls are what conditions leave out.
      const objects = (Array.isArray(result) ? result : [result]).filter((object) => object !== null);
      out.push(...manifestsOf(objects, path));
    } else if (path.endsWith('.json')) out.push(...parseJsonFile(path, text));
    else out.push(...parseYamlFile(path, text));
  }
  return out;
}

async function readTexts(
  request: LinkedRequest,
  job: { resolved: ResolvedSource; plan: DirectoryPlan },
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const { maxDirectoryBytes } = request.settings;
  const out = new Map<string, string>();
  let bytes = 0;
  for (const { path, oid } of job.plan.files) {
    const content = await request.tree.readBlob(oid, signal);
    const text = decodeText(content);
    if (text.includes(skipMark)) continue;
    if (!isJsonnet(path)) bytes += content.length;
    if (maxDirectoryBytes > 0 && bytes > maxDirectoryBytes)
      throw new AppError(
        'limit',
        `the manifests in ${job.resolved.path || 'the repository'} (${request.tree.place}) are larger than ${maxDirectoryBytes} bytes together, at ${path}`,
        { hint: 'split the application, exclude files, or raise reposerver.max.combined.directory.manifests.size' },
      );
    out.set(path, text);
  }
  return out;
}
