import { isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../port.ts';
import { storedVersions } from './crd-status.ts';

export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

/** The status a new definition is answered with, before its names are accepted. */
export function newDefinitionStatus(definition: ApiObject): JsonObject {
  return {
    conditions: null,
    acceptedNames: { plural: '', kind: '' },
    storedVersions: storedVersions({ ...definition, status: {} }),
  };
}

/** Fills the names and the conversion that follow from the others. */
export function completeDefinition(definition: ApiObject): void {
  if (!isObject(definition['spec'])) return;
  const spec = definition['spec'];
  const names: JsonObject = isObject(spec['names']) ? spec['names'] : {};
  if (!names['singular'] && typeof names['kind'] === 'string') names['singular'] = names['kind'].toLowerCase();
  if (!names['listKind'] && typeof names['kind'] === 'string' && names['kind'] !== '')
    names['listKind'] = `${names['kind']}List`;
  spec['names'] = names;
  spec['conversion'] ??= { strategy: 'None' };
}

/** A new stored version counts from the write that makes it one. */
export function keepStoredVersions(definition: ApiObject): void {
  if (isObject(definition['status'])) definition['status']['storedVersions'] = storedVersions(definition);
}
