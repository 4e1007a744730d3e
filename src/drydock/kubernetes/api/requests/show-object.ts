import type { ApiObject } from '../port.ts';
import type { Exchange } from '../protocol/exchange.ts';
import { chooseFace, type Face } from '../protocol/negotiation.ts';
import { badRequest } from '../protocol/status-error.ts';
import { objectKey, type ServedResource } from '../served.ts';
import { tablePieces } from '../table/table.ts';
import { fromStorage } from '../write/conversion.ts';
import type { WriteDeps } from '../write/write.ts';
import { objectJson, partialObject } from './present.ts';

/** The face that the client wants of this kind. Throws 406. */
export function faceOf(exchange: Exchange, resource: ServedResource): Face {
  return chooseFace(exchange.header('accept'), { custom: resource.custom !== undefined });
}

/** Answers with one object in the face the client asked for. */
export async function showObject(
  deps: WriteDeps,
  exchange: Exchange,
  { resource, object, code, face }: { resource: ServedResource; object: ApiObject; code: number; face: Face },
): Promise<void> {
  const { namespace, name } = object.metadata;
  const stored = deps.store.get(resource.storage, objectKey(resource, namespace, name));
  // The text of what was just written is there: it went to the disk.
  if (face === 'object' && stored?.object === object)
    return exchange.text(code, `${objectJson(resource, stored)}\n`, 'application/json');
  const shown = fromStorage(resource, object);
  switch (face) {
    case 'object':
      return exchange.json(code, shown);
    case 'partial':
      return exchange.json(code, partialObject(shown));
    case 'table': {
      const meta = { revision: Number(shown.metadata.resourceVersion ?? 0) };
      const pieces = tablePieces(resource, [shown], { meta, now: deps.clock.now(), include: includeOf(exchange) });
      return exchange.pieces(code, pieces);
    }
  }
}

/** What stands beside the cells of a row. Throws 400. */
export function includeOf(exchange: Exchange): 'None' | 'Metadata' | 'Object' {
  const include = exchange.query.get('includeObject') ?? '';
  if (include === '') return 'Metadata';
  if (include === 'None' || include === 'Object' || include === 'Metadata') return include;
  throw badRequest(
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(include)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}
