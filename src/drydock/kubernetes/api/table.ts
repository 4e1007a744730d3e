import type { ApiObject } from './port.ts';
import { type ListMeta, listMeta, partialObject } from './present.ts';
import type { ServedResource } from './served.ts';
import { columnsOf, type TableColumn } from './table-columns.ts';

export interface TableOptions {
  now: number;
  include: 'None' | 'Metadata' | 'Object';
}

/** A list, or one object, as the table that kubectl prints. */
export function tableJson(
  resource: ServedResource,
  objects: ApiObject[],
  { meta, ...options }: TableOptions & { meta: Partial<ListMeta> & { revision: number } },
): string {
  const columns = columnsOf(resource);
  const { revision, continueToken, remainingItemCount } = meta;
  return `${JSON.stringify({
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: listMeta({ revision, continueToken, remainingItemCount }),
    columnDefinitions: columns.map(definition),
    rows: objects.map((object) => row(columns, object, options)),
  })}\n`;
}

/** One event of a table watch; only the first carries the columns. */
export function tableRowJson(
  resource: ServedResource,
  object: ApiObject,
  { withColumns, ...options }: TableOptions & { withColumns: boolean },
): string {
  const columns = columnsOf(resource);
  return JSON.stringify({
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion: object.metadata.resourceVersion },
    columnDefinitions: withColumns ? columns.map(definition) : null,
    rows: [row(columns, object, options)],
  });
}

function definition({ name, type, format = '', description = '', priority = 0 }: TableColumn): Record<string, unknown> {
  return { name, type, format, description, priority };
}

function row(columns: TableColumn[], object: ApiObject, { now, include }: TableOptions): Record<string, unknown> {
  const cells = columns.map((column) => column.cell(object, now));
  switch (include) {
    case 'None':
      return { cells };
    case 'Metadata':
      return { cells, object: partialObject(object) };
    case 'Object':
      return { cells, object };
  }
}
