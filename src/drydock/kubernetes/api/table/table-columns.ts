import { isObject } from '#base/json.ts';
import type { ApiObject } from '../port.ts';
import type { PrinterColumn, ServedResource } from '../served.ts';
import { toStorage } from '../write/conversion.ts';
import { ageOf } from './age.ts';
import { clusterColumns } from './columns-cluster.ts';
import { coreColumns } from './columns-core.ts';
import { networkColumns } from './columns-network.ts';
import { podColumns } from './columns-pod.ts';
import { workloadColumns } from './columns-workload.ts';
import { readJsonPath } from './json-path.ts';

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

const smallestInt = -(2 ** 63);

/** A value that is not of its column's type is not shown. */
function customCell(value: unknown, type: TableColumn['type'], now: number): Cell {
  switch (type) {
    case 'string':
      if (value === undefined) return null;
      if (value === null) return '<no value>';
      return typeof value === 'string' ? value : JSON.stringify(inOrder(value));
    case 'integer':
      if (typeof value !== 'number') return null;
      return Math.abs(value) >= 2 ** 63 ? smallestInt : Math.trunc(value);
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      if (typeof value !== 'string') return null;
      return /^\d{4}-\d{2}-\d{2}T/.test(value) && !Number.isNaN(Date.parse(value)) ? ageOf(value, now) : '<invalid>';
  }
}

/** Members as Go writes maps: by name. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((name) => [name, inOrder(value[name])]),
  );
}
