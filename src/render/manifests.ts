import { AppError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';

const maxManifests = 10_000;

/** An object that says what it is. */
export function hasKind(document: unknown): boolean {
  return isObject(document) && typeof document['kind'] === 'string' && document['kind'] !== '';
}

/** Whatever holds an array of items is a list to Argo CD; one whose items are null holds nothing. */
function itemsOf(document: Record<string, unknown>): readonly unknown[] | undefined {
  if (Array.isArray(document['items'])) return document['items'];
  const empty = 'items' in document && document['items'] === null;
  return empty && !('spec' in document) && !('status' in document) ? [] : undefined;
}

function expand(document: unknown, what: string, out: KubeObject[]): void {
  if (!isObject(document)) throw new AppError('bad-input', `${what} holds a document that is not an object`);
  const items = itemsOf(document);
  if (items) {
    for (const item of items) expand(item, what, out);
    return;
  }
  const { apiVersion, kind, metadata } = document;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || apiVersion === '' || kind === '')
    throw new AppError('bad-input', `${what} holds an object without apiVersion or kind`, {
      hint: 'every manifest needs apiVersion, kind and metadata.name',
    });
  if (out.length >= maxManifests) throw new AppError('limit', `${what} gives more than ${maxManifests} objects`);
  const object = isObject(metadata) ? document : { ...document, metadata: {} };
  out.push(object as unknown as KubeObject);
}

/**
 * Objects of parsed documents, Lists expanded. Throws AppError bad-input naming `what`. Whether they have names is for
 * those to ask who need them, as in Argo CD: `requireName`.
 */
export function manifestsOf(documents: readonly unknown[], what: string): KubeObject[] {
  const out: KubeObject[] = [];
  for (const document of documents) expand(document, what, out);
  return out;
}

/** Throws AppError bad-input for an object that neither has a name nor asks for one. */
export function requireName(object: KubeObject): void {
  const { name, generateName } = object.metadata;
  if (typeof name === 'string' && name !== '') return;
  if (name === undefined && typeof generateName === 'string' && generateName !== '') return;
  const shown =
    name === undefined ? 'has no metadata.name' : `has a metadata.name that is no text: ${JSON.stringify(name)}`;
  throw new AppError('bad-input', `a ${object.kind} (${object.apiVersion}) of the manifests ${shown}`, {
    hint: 'a name that looks like a number or a boolean must be quoted',
  });
}
