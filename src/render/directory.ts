import { AppError } from '#base/errors.ts';
import { globMatch } from '#base/glob.ts';
import { parseJson } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { manifestsOf } from './manifests.ts';
import type { RenderRequest } from './port.ts';
import type { ResolvedSource } from './source.ts';
import { parseYamlDocuments } from './yaml.ts';

const maxBytes = 10 * 1024 * 1024;
const skipMark = '+argocd:skip-file-rendering';

function isWanted(relative: string, resolved: ResolvedSource): boolean {
  const { recurse = false, include, exclude } = resolved.source.directory ?? {};
  if (!recurse && relative.includes('/')) return false;
  if (!/\.(?:ya?ml|json|jsonnet)$/i.test(relative)) return false;
  if (exclude !== undefined && exclude !== '' && globMatch(exclude, relative)) return false;
  return include === undefined || include === '' || globMatch(include, relative);
}

/** A file that is no manifest at all, e.g. a values file or a template, is passed over, as Argo CD does. */
function looksLikeManifest(text: string): boolean {
  return ['apiVersion:', 'kind:', 'metadata:'].every((part) => text.includes(part));
}

function parseFile(path: string, text: string): KubeObject[] {
  if (text.includes(skipMark)) return [];
  if (/\.jsonnet$/i.test(path))
    throw new AppError('unsupported', `${path} is Jsonnet, which this version does not evaluate`, {
      hint: 'exclude it with spec.source.directory.exclude, or commit its result',
    });
  if (/\.json$/i.test(path)) return manifestsOf([parseJson(text, path)], path);
  let documents: unknown[];
  try {
    documents = parseYamlDocuments(text, path);
  } catch (error) {
    if (looksLikeManifest(text)) throw error;
    return [];
  }
  return manifestsOf(documents, path);
}

/** Reads the manifests of a plain folder straight from Git, in the order of their paths. */
export async function renderDirectory(
  request: RenderRequest,
  resolved: ResolvedSource,
  signal: AbortSignal,
): Promise<KubeObject[]> {
  const out: KubeObject[] = [];
  let bytes = 0;
  for (const entry of await request.tree.listFiles(resolved.path, signal)) {
    const relative = resolved.path === '' ? entry.path : entry.path.slice(resolved.path.length + 1);
    if (entry.type !== 'blob' || entry.mode === '120000' || !isWanted(relative, resolved)) continue;
    const content = await request.tree.readBlob(entry.oid, signal);
    bytes += content.length;
    if (bytes > maxBytes)
      throw new AppError(
        'limit',
        `the manifests in ${resolved.path || 'the repository'} are larger than ${maxBytes} bytes together`,
      );
    out.push(...parseFile(entry.path, content.toString('utf8')));
  }
  return out;
}
