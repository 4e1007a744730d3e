import { isObject, jsonEqual } from '#base/json.ts';
import type { ApiObject, FieldError } from '../../api/port.ts';
import { forbidden, invalid, invalidGo, required, tooLong } from './finding.ts';
import type { NameRule } from './names.ts';
import { labelValueErrors, nameErrors, qualifiedNameErrors } from './names.ts';

const annotationLimit = 256 * 1024;
/** Finalizers without a path that the server itself knows. */
const standardFinalizers = new Set(['orphan', 'foregroundDeletion', 'kubernetes']);

export function validateMetadata(object: ApiObject, old: ApiObject | undefined, rule: NameRule): FieldError[] {
  const { metadata } = object;
  const errors: FieldError[] = [];
  const { generateName, name } = metadata;
  if (generateName !== undefined && generateName !== '') {
    for (const why of nameErrors(generateName.replace(/-$/, 'a'), rule)) {
      errors.push(invalid('metadata.generateName', generateName, why));
    }
  }
  if ((name ?? '') === '') errors.push(required('metadata.name', 'name or generateName is required'));
  else for (const why of nameErrors(name, rule)) errors.push(invalid('metadata.name', name, why));
  errors.push(...validateLabels(metadata.labels, 'metadata.labels'));
  errors.push(...validateAnnotations(metadata.annotations, 'metadata.annotations'));
  errors.push(...validateOwners(metadata.ownerReferences));
  errors.push(...validateFinalizers(metadata.finalizers, old?.metadata.finalizers));
  return errors;
}

/** The rules of `validateMetadata` and, as built-in kinds have it and custom resources have not, no foreign finalizer without a path. */
export function validateBuiltinMetadata(object: ApiObject, old: ApiObject | undefined, rule: NameRule): FieldError[] {
  const errors = validateMetadata(object, old, rule);
  const { finalizers } = object.metadata;
  if (!Array.isArray(finalizers) || jsonEqual(finalizers, old?.metadata.finalizers)) return errors;
  const why = 'name is neither a standard finalizer name nor is it fully qualified';
  for (const [index, name] of finalizers.map(String).entries()) {
    if (qualifiedNameErrors(name).length > 0 || name.includes('/') || standardFinalizers.has(name)) continue;
    errors.push(invalid(`metadata.finalizers[${index}]`, name, why));
  }
  return errors;
}

export function validateLabels(labels: unknown, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of isObject(labels) ? Object.entries(labels) : []) {
    for (const why of qualifiedNameErrors(key)) errors.push(invalid(path, key, why));
    for (const why of labelValueErrors(String(value))) errors.push(invalid(path, value, why));
  }
  return errors;
}

export function validateAnnotations(annotations: unknown, path: string): FieldError[] {
  const errors: FieldError[] = [];
  let size = 0;
  for (const [key, value] of isObject(annotations) ? Object.entries(annotations) : []) {
    for (const why of qualifiedNameErrors(key.toLowerCase())) errors.push(invalid(path, key, why));
    size += Buffer.byteLength(key) + Buffer.byteLength(String(value));
  }
  return size > annotationLimit ? [...errors, tooLong(path, annotationLimit)] : errors;
}

function validateOwners(owners: unknown): FieldError[] {
  const path = 'metadata.ownerReferences';
  const errors: FieldError[] = [];
  let controller: string | undefined;
  for (const owner of Array.isArray(owners) ? owners.filter(isObject) : []) {
    const { apiVersion, kind, name, uid } = owner;
    if (
      String(apiVersion ?? '')
        .split('/')
        .pop() === ''
    ) {
      errors.push(invalid(`${path}.apiVersion`, apiVersion, 'version must not be empty'));
    }
    if ((kind ?? '') === '') errors.push(invalid(`${path}.kind`, '', 'kind must not be empty'));
    if ((name ?? '') === '') errors.push(invalid(`${path}.name`, '', 'name must not be empty'));
    if ((uid ?? '') === '') errors.push(invalid(`${path}.uid`, '', 'uid must not be empty'));
    if (owner['controller'] !== true) continue;
    const which = `${String(kind)}/${String(name)}`;
    if (controller === undefined) controller = which;
    else {
      const why = `Only one reference can have Controller set to true. Found "true" in references for ${controller} and ${which}`;
      errors.push(invalidGo(path, JSON.stringify(owners), why));
    }
  }
  return errors;
}

function validateFinalizers(finalizers: unknown, old: unknown): FieldError[] {
  if (!Array.isArray(finalizers) || jsonEqual(finalizers, old)) return [];
  const errors: FieldError[] = [];
  for (const name of finalizers) {
    const text = String(name);
    const problems = qualifiedNameErrors(text);
    for (const why of problems) errors.push(invalid('metadata.finalizers', text, why));
  }
  if (finalizers.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(forbidden('metadata.finalizers', 'finalizer orphan and foregroundDeletion cannot be both set'));
  }
  return errors;
}
