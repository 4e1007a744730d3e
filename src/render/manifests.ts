import { AppError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';

const maxManifests = 10_000;

function expand(document: unknown, what: string, out: KubeObject[]): void {
  if (!isObject(document)) throw new AppError('bad-input', `${what} holds a document that is not an object`);
  const { apiVersion, kind, metadata, items } = document;
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)) {
    for (const item of items) expand(item, what, out);
    return;
  }
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || apiVersion === '' || kind === '')
    throw new AppError('bad-input', `${what} holds an object without apiVersion or kind`, {
      hint: 'every manifest needs apiVersion, kind and metadata.name',
    });
  const name = isObject(metadata) ? metadata['name'] : undefined;
  const generateName = isObject(metadata) ? metadata['generateName'] : undefined;
  if (typeof name !== 'string' && typeof generateName !== 'string')
    throw new AppError('bad-input', `${what} holds a ${kind} without metadata.name`, {
      hint: 'a name that looks like a number or a boolean must be quoted',
    });
  if (out.length >= maxManifests) throw new AppError('limit', `${what} gives more than ${maxManifests} objects`);
  out.push(document as unknown as KubeObject);
}

/** Objects of parsed documents, Lists expanded. Throws AppError bad-input naming `what`. */
export function manifestsOf(documents: readonly unknown[], what: string): KubeObject[] {
  const out: KubeObject[] = [];
  for (const document of documents) expand(document, what, out);
  return out;
}
