import { cloneJson } from '#base/json.ts';
import type { ApiObject } from '../port.ts';
import type { Face } from '../protocol/negotiation.ts';
import { apiVersionOf, type ServedResource } from '../served.ts';
import { bodyOf, type StoredObject } from '../store/stored.ts';
import { fromStorage } from '../write/conversion.ts';

/** The JSON of one stored object, at the version asked for. */
export function objectJson(resource: ServedResource, stored: StoredObject): string {
  if (resource.conversion) return JSON.stringify(fromStorage(resource, stored.object));
  return `{"kind":${JSON.stringify(resource.kind)},"apiVersion":${JSON.stringify(apiVersionOf(resource))},${bodyOf(stored).slice(1)}`;
}

/** As it stands in a list: items of built-in kinds leave out kind and apiVersion. */
function itemJson(resource: ServedResource, stored: StoredObject): string {
  return resource.custom || resource.conversion ? objectJson(resource, stored) : bodyOf(stored);
}

export interface ListMeta {
  revision: number;
  continueToken: string | undefined;
  remainingItemCount: number | undefined;
}

export function listMeta({ revision, continueToken, remainingItemCount }: ListMeta): Record<string, unknown> {
  return {
    resourceVersion: String(revision),
    ...(continueToken === undefined ? {} : { continue: continueToken }),
    ...(remainingItemCount === undefined ? {} : { remainingItemCount }),
  };
}

/** A list, piece by piece: the text of a long one is never in one place. */
export function* listPieces(resource: ServedResource, items: StoredObject[], meta: ListMeta): Generator<string> {
  const head = `{"kind":${JSON.stringify(resource.listKind)},"apiVersion":${JSON.stringify(apiVersionOf(resource))}`;
  // Lists of custom resources name their continuation even when there is none.
  const shown = { ...(resource.custom ? { continue: '' } : {}), ...listMeta(meta) };
  yield `${head},"metadata":${JSON.stringify(shown)},"items":[`;
  let comma = '';
  for (const stored of items) {
    yield comma + itemJson(resource, stored);
    comma = ',';
  }
  yield ']}\n';
}

export function partialObject(object: ApiObject): Record<string, unknown> {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

export function* partialListPieces(items: StoredObject[], meta: ListMeta): Generator<string> {
  const head = '{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1"';
  yield `${head},"metadata":${JSON.stringify(listMeta(meta))},"items":[`;
  let comma = '';
  for (const { object } of items) {
    yield comma + JSON.stringify(partialObject(object));
    comma = ',';
  }
  yield ']}\n';
}

/** The bookmark of a watch in a face: nothing but kind and version. */
export function bookmarkObject(
  resource: ServedResource,
  face: Face,
  { revision, initialEventsEnd }: { revision: number; initialEventsEnd: boolean },
): Record<string, unknown> {
  const metadata = {
    resourceVersion: String(revision),
    creationTimestamp: null,
    ...(initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
  };
  switch (face) {
    case 'object':
      return { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata };
    case 'partial':
      return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
    case 'table':
      return {
        kind: 'Table',
        apiVersion: 'meta.k8s.io/v1',
        metadata: { resourceVersion: String(revision) },
        columnDefinitions: null,
        rows: [
          {
            cells: [],
            object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: cloneJson(metadata) },
          },
        ],
      };
  }
}
