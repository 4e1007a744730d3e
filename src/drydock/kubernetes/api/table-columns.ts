import type { ApiObject } from './port.ts';
import type { ServedResource } from './served.ts';

export interface TableColumn {
  name: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  format?: string;
  description?: string;
  /** 1 is shown only with `-o wide`. */
  priority?: number;
  cell: (object: ApiObject, now: number) => string | number | boolean | null;
}

const name: TableColumn = { name: 'Name', type: 'string', format: 'name', cell: ({ metadata }) => metadata.name };

export function columnsOf(_resource: ServedResource): TableColumn[] {
  return [name];
}
