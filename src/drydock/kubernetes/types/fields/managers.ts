import { isObject } from '#base/json.ts';
import type { ApiObject, ManagedFieldsEntry } from '../../api/port.ts';
import type { FieldSet } from './field-set.ts';
import { isEmptySet, setFromJson, setToJson, unite } from './field-set.ts';

export interface Manager {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  subresource: string | undefined;
  time: string | undefined;
  set: FieldSet;
}

const maxUpdateManagers = 10;
const ancient = 'ancient-changes';

/** One entry's identity: an applier is the same at every version. */
export function managerKey(entry: Pick<Manager, 'manager' | 'operation' | 'apiVersion' | 'subresource'>): string {
  const version = entry.operation === 'Apply' ? '' : entry.apiVersion;
  return JSON.stringify([entry.manager, entry.operation, version, entry.subresource ?? '']);
}

export type Managers = Map<string, Manager>;

export function managersOf(object: ApiObject | undefined): Managers {
  const managers: Managers = new Map();
  const entries: unknown[] = Array.isArray(object?.metadata.managedFields) ? object.metadata.managedFields : [];
  for (const entry of entries) {
    const manager = parseEntry(entry);
    if (manager !== undefined) managers.set(managerKey(manager), manager);
  }
  return managers;
}

const parsed = new WeakMap<object, Manager>();

/** Undefined for an entry that is none. Parsed sets are kept with their stored entry. */
function parseEntry(entry: unknown): Manager | undefined {
  if (!isObject(entry)) return undefined;
  const known = parsed.get(entry);
  if (known !== undefined) return known;
  const { manager, operation, apiVersion, subresource, time, fieldsV1 } = entry;
  if (operation !== 'Apply' && operation !== 'Update') return undefined;
  const made: Manager = {
    manager: typeof manager === 'string' ? manager : '',
    operation,
    apiVersion: typeof apiVersion === 'string' ? apiVersion : '',
    subresource: typeof subresource === 'string' && subresource !== '' ? subresource : undefined,
    time: typeof time === 'string' ? time : undefined,
    set: setFromJson(fieldsV1),
  };
  if (Object.isFrozen(entry)) parsed.set(entry, made);
  return made;
}

/** Appliers first, then by time, name, version and subresource. */
export function encodeManagers(managers: Managers): ManagedFieldsEntry[] {
  const kept = [...managers.values()].filter((manager) => !isEmptySet(manager.set));
  kept.sort((a, b) => order(a.operation, b.operation) || order(a.time ?? '', b.time ?? '') || orderNames(a, b));
  return kept.map((manager) => ({
    manager: manager.manager,
    operation: manager.operation,
    apiVersion: manager.apiVersion,
    ...(manager.time === undefined ? {} : { time: manager.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: setToJson(manager.set),
    ...(manager.subresource === undefined ? {} : { subresource: manager.subresource }),
  }));
}

function orderNames(a: Manager, b: Manager): number {
  return (
    order(a.manager, b.manager) || order(a.apiVersion, b.apiVersion) || order(a.subresource ?? '', b.subresource ?? '')
  );
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Keeps at most ten Update entries: the oldest of a version are merged into one. In place. */
export function capUpdaters(managers: Managers): void {
  const updaters = [...managers.entries()].filter(([, manager]) => manager.operation === 'Update');
  let count = updaters.length;
  if (count <= maxUpdateManagers) return;
  updaters.sort(([a, left], [b, right]) => order(left.time ?? '', right.time ?? '') || order(a, b));
  const first = new Map<string, string>();
  for (const [key, manager] of updaters) {
    if (count <= maxUpdateManagers) return;
    const oldest = first.get(manager.apiVersion);
    if (oldest === undefined) {
      first.set(manager.apiVersion, key);
      continue;
    }
    const bucket: Manager = { ...manager, manager: ancient, subresource: undefined };
    const bucketKey = managerKey(bucket);
    const base = managers.get(bucketKey) ?? managers.get(oldest);
    managers.delete(oldest);
    managers.delete(key);
    managers.set(bucketKey, { ...bucket, set: base === undefined ? manager.set : unite(base.set, manager.set) });
    count -= 1;
  }
}
