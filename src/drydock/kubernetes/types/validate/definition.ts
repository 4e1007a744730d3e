import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { ApiObject, FieldError } from '../../api/port.ts';
import { checkSchemaDefinition } from '../custom/schema-definition.ts';
import { child, children } from '../defaults/fill.ts';
import { invalid, notSupported, oneOf, required } from './finding.ts';
import { nameErrors } from './names.ts';
import { specOf } from './workload.ts';

/** A CustomResourceDefinition. Schemas that need what this server cannot do are refused, never half obeyed. */
export function validateDefinition(object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const spec = specOf(object);
  const names = child(spec, 'names') ?? {};
  const errors: FieldError[] = [];
  const group = String(spec['group'] ?? '');
  const expected = `${String(names['plural'] ?? '')}.${group}`;
  if (object.metadata.name !== expected) {
    errors.push(invalid('metadata.name', object.metadata.name, 'must be spec.names.plural+"."+spec.group'));
  }
  if (group === '') errors.push(required('spec.group'));
  else if (!group.includes('.')) errors.push(invalid('spec.group', group, 'should be a domain with at least one dot'));
  for (const why of group === '' ? [] : nameErrors(group, 'subdomain')) errors.push(invalid('spec.group', group, why));
  if ((spec['scope'] ?? '') === '') errors.push(required('spec.scope'));
  errors.push(...oneOf('spec.scope', spec['scope'], ['Cluster', 'Namespaced']));
  errors.push(...validateVersions(spec));
  for (const name of ['plural', 'singular', 'kind', 'listKind']) {
    const value = String(names[name] ?? '');
    if (value === '') errors.push(required(`spec.names.${name}`));
    else
      for (const why of nameErrors(value.toLowerCase(), 'label1035'))
        errors.push(invalid(`spec.names.${name}`, value, why));
  }
  const strategy = child(spec, 'conversion')?.['strategy'];
  if (strategy === 'Webhook') {
    errors.push(notSupported('spec.conversion.strategy', strategy, ['None']));
  }
  return old === undefined ? errors : [...errors, ...definitionChanges(spec, specOf(old))];
}

function definitionChanges(spec: JsonObject, old: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  for (const name of ['group', 'scope']) {
    if (spec[name] !== old[name]) errors.push(invalid(`spec.${name}`, spec[name], 'field is immutable'));
  }
  for (const name of ['plural', 'kind']) {
    const now = child(spec, 'names')?.[name];
    if (now !== child(old, 'names')?.[name]) errors.push(invalid(`spec.names.${name}`, now, 'field is immutable'));
  }
  return errors;
}

function validateVersions(spec: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  const versions = children(spec, 'versions');
  const storage = versions.filter((version) => version['storage'] === true);
  if (storage.length !== 1) {
    errors.push(invalid('spec.versions', versions, 'must have exactly one version marked as storage version'));
  }
  for (const [index, version] of versions.entries()) {
    const path = `spec.versions[${index}]`;
    const name = String(version['name'] ?? '');
    for (const why of nameErrors(name, 'label1035')) errors.push(invalid(`${path}.name`, name, why));
    const schema = child(child(version, 'schema'), 'openAPIV3Schema');
    if (!isObject(version['schema'])) errors.push(required(`${path}.schema.openAPIV3Schema`, 'schemas are required'));
    if (schema === undefined) continue;
    // With one version the real server reports its schema under the older, common path.
    const at = versions.length === 1 ? 'spec.validation.openAPIV3Schema' : `${path}.schema.openAPIV3Schema`;
    errors.push(...checkSchemaDefinition(schema, at, { costs: true }));
  }
  return errors;
}
