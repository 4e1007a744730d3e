import { ageOf } from './age.ts';
import { clusterColumns } from './columns-cluster.ts';
import { coreColumns } from './columns-core.ts';
import { networkColumns } from './columns-network.ts';
import { podColumns } from './columns-pod.ts';
import { workloadColumns } from './columns-workload.ts';
import { toStorage } from './conversion.ts';
import { readJsonPath } from './json-path.ts';
import type { ApiObject } from './port.ts';
import type { PrinterColumn, ServedResource } from './served.ts';

export type Cell = string | number | boolean | null;

export interface TableColumn {
  name: string;
  type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  format?: string;
  description?: string;
  /** 1 is shown only with `-o wide`. */
  priority?: number;
  cell: (object: ApiObject, now: number) => Cell;
}

const name: TableColumn = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name must be unique within a namespace.',
  cell: ({ metadata }) => metadata.name,
};

const age: TableColumn = {
  name: 'Age',
  type: 'string',
  cell: ({ metadata }, now) => ageOf(metadata.creationTimestamp, now),
};

const createdAt: TableColumn = {
  name: 'Created At',
  type: 'date',
  cell: ({ metadata }) => metadata.creationTimestamp ?? null,
};

/** Columns between name and age by kind; `age` stands for its place when it is not the last. */
const byKind: Record<string, (TableColumn | 'age')[]> = {
  ...coreColumns,
  ...podColumns,
  ...workloadColumns,
  ...networkColumns,
  ...clusterColumns,
};

/** The columns of a kind; name and creation time where it has none of its own. */
export function columnsOf(resource: ServedResource): TableColumn[] {
  if (resource.custom) return [name, ...resource.custom.printerColumns.map(customColumn)];
  if (resource.plural === 'events') return [...eventColumns(resource), { ...name, priority: 1 }];
  const own = byKind[resource.groupResource];
  if (!own) return [name, createdAt];
  const columns = [name, ...own.map((column) => (column === 'age' ? age : column))];
  return resource.conversion ? columns.map((column) => fromStored(resource, column)) : columns;
}

/** A column that is told from the stored form. */
function fromStored(resource: ServedResource, column: TableColumn): TableColumn {
  return { ...column, cell: (object, now) => column.cell(toStorage(resource, object), now) };
}

/** The same in both groups, told from the stored form. */
function eventColumns(resource: ServedResource): TableColumn[] {
  const columns = (byKind['events'] ?? []).filter((column) => column !== 'age');
  return columns.map((column) => fromStored(resource, column));
}

const columnTypes = {
  string: 'string',
  integer: 'integer',
  number: 'number',
  boolean: 'boolean',
  date: 'date',
} as const;

function customColumn(column: PrinterColumn): TableColumn {
  const type = isColumnType(column.type) ? columnTypes[column.type] : 'string';
  return {
    name: column.name,
    type,
    format: column.format,
    description: column.description,
    priority: column.priority,
    cell: (object, now) => customCell(readJsonPath(object, column.jsonPath), type, now),
  };
}

function isColumnType(type: string): type is keyof typeof columnTypes {
  return type in columnTypes;
}

function customCell(value: unknown, type: TableColumn['type'], now: number): Cell {
  if (value === undefined || value === null) return type === 'date' ? '<unknown>' : null;
  if (type === 'date') return ageOf(value, now);
  if (type === 'string') return typeof value === 'string' ? value : JSON.stringify(value);
  return typeof value === 'number' || typeof value === 'boolean' ? value : null;
}
