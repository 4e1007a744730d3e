import { getArray, isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from './port.ts';

export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

/** Fills the names and the conversion of a new definition, and an empty status, as the real server answers at once. */
export function acceptDefinition(definition: ApiObject): void {
  fillNames(definition);
  definition['status'] = {
    conditions: null,
    acceptedNames: { plural: '', kind: '' },
    storedVersions: storage(definition),
  };
}

/** Names and conversion of a changed definition; the status stays for `crd.ts` to renew. */
export function keepDefinitionStatus(definition: ApiObject): void {
  fillNames(definition);
}

function fillNames(definition: ApiObject): void {
  if (!isObject(definition['spec'])) return;
  const spec = definition['spec'];
  const names: JsonObject = isObject(spec['names']) ? spec['names'] : {};
  if (!names['singular'] && typeof names['kind'] === 'string') names['singular'] = names['kind'].toLowerCase();
  if (!names['listKind'] && typeof names['kind'] === 'string') names['listKind'] = `${names['kind']}List`;
  spec['names'] = names;
  spec['conversion'] ??= { strategy: 'None' };
}

function storage(definition: ApiObject): string[] {
  return getArray(definition, 'spec', 'versions')
    .filter((version) => isObject(version) && version['storage'] === true)
    .map((version) => (isObject(version) ? String(version['name']) : ''));
}
