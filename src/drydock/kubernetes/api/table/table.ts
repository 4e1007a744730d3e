import type { ApiObject } from '../port.ts';
import { type ListMeta, listMeta, partialObject } from '../requests/present.ts';
import type { ServedResource } from '../served.ts';
import { columnsOf, type TableColumn } from './table-columns.ts';

export interface TableOptions {
  now: number;
  include: 'None' | 'Metadata' | 'Object';
}

/** A list, or one object, as the table that kubectl prints, piece by piece. */
export function* tablePieces(
  resource: ServedResource,
  objects: Iterable<ApiObject>,
  { meta, ...options }: TableOptions & { meta: Partial<ListMeta> & { revision: number } },
): Generator<string> {
  const columns = columnsOf(resource);
  const { revision, continueToken, remainingItemCount } = meta;
  const metadata = JSON.stringify(listMeta({ revision, continueToken, remainingItemCount }));
  yield `{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":${metadata},"columnDefinitions":${columnsJson(resource)},"rows":[`;
  let comma = '';
  for (const object of objects) {
    yield comma + JSON.stringify(row(columns, object, options));
    comma = ',';
  }
  yield ']}\n';
}

/** One event of a table watch, without the columns that the first one carries. */
export function tableRowJson(resource: ServedResource, object: ApiObject, options: TableOptions): string {
  return JSON.stringify({
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: object.metadata.resourceVersion },
    columnDefinitions: null,
    rows: [row(columnsOf(resource), object, options)],
  });
}

export function columnsJson(resource: ServedResource): string {
  return JSON.stringify(columnsOf(resource).map(definition));
}

function definition({ name, type, format = '', description = '', priority = 0 }: TableColumn): Record<string, unknown> {
  return { name, type, format, description, priority };
}

function row(columns: TableColumn[], object: ApiObject, { now, include }: TableOptions): Record<string, unknown> {
  const cells = columns.map((column) => column.cell(object, now));
  switch (include) {
    case 'None':
      return { cells, object: null };
    case 'Metadata':
      return { cells, object: partialObject(object) };
    case 'Object':
      return { cells, object };
  }
}
