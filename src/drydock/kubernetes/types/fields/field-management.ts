import type { JsonObject } from '#base/json.ts';
import { isObject, jsonEqual } from '#base/json.ts';
import type { ApiObject, FieldManagement, KindType } from '../../api/port.ts';
import { ApiError } from '../../api/port.ts';
import type { KindSchema } from '../kind-schema.ts';
import { schemaOf } from '../kind-schema.ts';
import type { Comparison } from './compare.ts';
import { compareTyped } from './compare.ts';
import type { FieldSet } from './field-set.ts';
import { emptySet, isEmptySet, sameSet, subtract, unite, withoutBranches } from './field-set.ts';
import { allowedByLastApplied, lastAppliedAnnotation, syncLastApplied } from './last-applied.ts';
import type { Manager, Managers } from './managers.ts';
import { capUpdaters, encodeManagers, managerKey, managersOf } from './managers.ts';
import { mergeTyped } from './merge.ts';
import {
  conflictError,
  conflictsOf,
  resetBranches,
  takeOwnership,
  withoutReset,
  withoutSystemFields,
} from './ownership.ts';
import { KeyError } from './path-element.ts';
import { pruneUnapplied } from './prune.ts';
import { checkTyped, fieldsOf } from './typed.ts';

const beforeFirstApply = 'before-first-apply';

/** Server-side apply and the ownership record of every other write. Pure: nothing is kept between calls. */
export const fieldManagement: FieldManagement = { apply, recordUpdate };

type ApplyInput = Parameters<FieldManagement['apply']>[0];
type UpdateInput = Parameters<FieldManagement['recordUpdate']>[0];

function apply(input: ApplyInput): ApiObject {
  const { type, applied, subresource, now } = input;
  const schema = schemaOf(type);
  refuseBadPatch(type, schema, applied);
  const live = withoutManagers(input.live ?? schema.empty());
  const managers = managersOf(input.live);
  const branches = resetBranches(schema, subresource);
  if (managers.size === 0 && input.live !== undefined) {
    const first: Owner = { manager: beforeFirstApply, type, subresource, now };
    recordChange(managers, compareAll(schema, schema.empty(), live, branches), first);
  }
  const self: Manager = {
    manager: managerName(input.manager),
    operation: 'Apply',
    apiVersion: versionOf(type),
    subresource,
    time: undefined,
    set: withoutBranches(fieldsOf(schema.node, applied), branches),
  };
  const key = managerKey(self);
  const previous = managers.get(key);
  managers.set(key, self);
  const merged = mergeTyped(schema.node, live, applied);
  const set = withoutSystemFields(self.set);
  const repeated = previous !== undefined && sameSet(previous.set, set);
  const sameVersion = previous?.apiVersion === self.apiVersion;
  if (input.live && repeated && sameVersion && jsonEqual(live, merged) && !keepsLastApplied(input)) return input.live;
  const wanted = pruneUnapplied(schema.node, merged, {
    last: previous?.set ?? emptySet(),
    owned: [...managers.values()].reduce((all, manager) => unite(all, manager.set), emptySet()),
  });
  const change = compareAll(schema, live, wanted, branches);
  refuseConflicts(input, { managers, key, change, live, schema });
  takeOwnership(managers, key, change);
  const unchanged = repeated && jsonEqual(live, wanted);
  managers.set(key, { ...self, set, time: unchanged ? previous.time : now });
  const raw = isObject(wanted) ? wanted : {};
  const object = schema.fromMerged?.(raw) ?? type.decode(raw).object;
  if (input.manager === 'kubectl') syncLastApplied(object, applied);
  return withManagers(object, managers);
}

/** kubectl's applies bring its annotation up to date, too. */
function keepsLastApplied({ manager, live }: ApplyInput): boolean {
  return manager === 'kubectl' && live?.metadata.annotations?.[lastAppliedAnnotation] !== undefined;
}

function refuseBadPatch(type: KindType, schema: KindSchema, applied: JsonObject): void {
  const metadata = isObject(applied['metadata']) ? applied['metadata'] : {};
  const version = versionOf(type);
  if (applied['apiVersion'] !== undefined && applied['apiVersion'] !== version) {
    throw new ApiError(
      400,
      'BadRequest',
      `Incorrect version specified in apply patch. Specified patch version: ${String(applied['apiVersion'])}, expected: ${version}`,
    );
  }
  if (metadata['managedFields'] !== undefined && metadata['managedFields'] !== null) {
    throw new ApiError(400, 'BadRequest', 'metadata.managedFields must be nil');
  }
  const errors = checkTyped(schema.node, applied);
  if (errors.length === 0) return;
  const { group, kind } = type.gvk;
  const name = `${text(metadata['namespace'])}/${text(metadata['name'])}`;
  const what = `${name}; ${group}/${type.gvk.version}, Kind=${kind}`;
  const why = errors.length === 1 ? errors[0] : ['errors:', ...errors.map((error) => `  ${error}`)].join('\n');
  throw new ApiError(500, '', `failed to create typed patch object (${what}): ${why}`);
}

interface Attempt {
  managers: Managers;
  key: string;
  change: Comparison;
  live: ApiObject;
  schema: KindSchema;
}

function refuseConflicts(input: ApplyInput, { managers, key, change, live, schema }: Attempt): void {
  if (input.force) return;
  const conflicts = conflictsOf(managers, key, change);
  if (input.manager === 'kubectl' && conflicts.size > 0) {
    const allowed = allowedByLastApplied(schema.node, live);
    for (const [other, set] of conflicts) {
      const rest = subtract(set, allowed);
      if (isEmptySet(rest)) conflicts.delete(other);
      else conflicts.set(other, rest);
    }
  }
  if (conflicts.size > 0) throw conflictError(managers, conflicts);
}

/** An object that its schema cannot make sense of is owned by nobody: the validation says what is wrong with it. */
function recordUpdate(input: UpdateInput): ApiObject {
  try {
    return recordTyped(input);
  } catch (error) {
    if (error instanceof KeyError) return withoutManagers(input.updated);
    throw error;
  }
}

function recordTyped({ type, old, updated, manager, subresource, now }: UpdateInput): ApiObject {
  const schema = schemaOf(type);
  const given: unknown = updated.metadata.managedFields;
  if (subresource === undefined && isReset(given)) return withoutManagers(updated);
  let managers = subresource === undefined ? managersOf(updated) : managersOf(old);
  if (managers.size === 0) managers = managersOf(old);
  if (managers.size === 0 && old !== undefined) return withoutManagers(updated);
  const branches = resetBranches(schema, subresource);
  const before = old === undefined ? schema.empty() : withoutManagers(old);
  const change = compareAll(schema, before, withoutManagers(updated), branches);
  recordChange(managers, change, { manager: managerName(manager), type, subresource, now });
  return withManagers(updated, managers);
}

interface Owner {
  manager: string;
  type: KindType;
  subresource: string | undefined;
  now: string;
}

function recordChange(managers: Managers, change: Comparison, owner: Owner): void {
  takeOwnership(managers, undefined, change);
  const set = withoutSystemFields(unite(change.modified, change.added));
  if (!isEmptySet(set)) {
    const entry: Manager = {
      manager: owner.manager,
      operation: 'Update',
      apiVersion: versionOf(owner.type),
      subresource: owner.subresource,
      time: owner.now,
      set,
    };
    const key = managerKey(entry);
    const previous: FieldSet | undefined = managers.get(key)?.set;
    managers.set(key, previous === undefined ? entry : { ...entry, set: unite(previous, set) });
  }
  capUpdaters(managers);
}

function compareAll(
  schema: KindSchema,
  left: ApiObject,
  right: unknown,
  branches: readonly (readonly string[])[],
): Comparison {
  return withoutReset(compareTyped(schema.node, left, right), branches);
}

/** An empty list, or one empty entry, asks to forget all owners. */
function isReset(given: unknown): boolean {
  if (!Array.isArray(given)) return false;
  return given.length === 0 || (given.length === 1 && jsonEqual(given[0], {}));
}

function withoutManagers(object: ApiObject): ApiObject {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function withManagers(object: ApiObject, managers: Managers): ApiObject {
  const entries = encodeManagers(managers);
  if (entries.length === 0) return withoutManagers(object);
  return { ...object, metadata: { ...object.metadata, managedFields: entries } };
}

function managerName(name: string): string {
  return name === '' ? 'unknown' : name;
}

function versionOf({ gvk }: KindType): string {
  return gvk.group === '' ? gvk.version : `${gvk.group}/${gvk.version}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
