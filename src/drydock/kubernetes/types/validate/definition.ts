import type { JsonObject } from '#base/json.ts';
import { getArray, getPath, getString, isObject, jsonEqual } from '#base/json.ts';
import type { ApiObject, FieldError } from '../../api/port.ts';
import { checkSchemaDefinition } from '../custom/schema-definition.ts';
import { child, children } from '../defaults/fill.ts';
import { checkApproval } from './definition-approval.ts';
import {
  checkColumns,
  checkDeprecation,
  checkRootMembers,
  checkSelectableFields,
  checkSubresources,
} from './definition-version.ts';
import { forbidden, invalid, invalidGo, notSupported, required } from './finding.ts';
import { nameErrors } from './names.ts';
import { specOf } from './workload.ts';

/** A CustomResourceDefinition. What needs a conversion webhook is refused, never half obeyed. */
export function validateDefinition(object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const spec = specOf(object);
  const names = child(spec, 'names') ?? {};
  const errors: FieldError[] = [];
  const expected = `${getString(names, 'plural') ?? ''}.${getString(spec, 'group') ?? ''}`;
  if (old === undefined && object.metadata.name !== expected)
    errors.push(invalid('metadata.name', object.metadata.name, 'must be spec.names.plural+"."+spec.group'));
  // A write of the status alone, or of metadata, does not look at the spec again.
  const before = old === undefined ? undefined : specOf(old);
  if (old === undefined || !jsonEqual(spec, before)) {
    errors.push(...checkSpec(spec, before));
    if (old !== undefined && before !== undefined) errors.push(...definitionChanges(spec, before, old));
    errors.push(...checkStoredVersions(object, spec));
  }
  errors.push(...checkApproval(object, old));
  const keepsUnknown = spec['preserveUnknownFields'] === true && before?.['preserveUnknownFields'] !== true;
  if (keepsUnknown) {
    const why =
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    errors.push(invalid('spec.preserveUnknownFields', true, why));
  }
  return errors;
}

function checkSpec(spec: JsonObject, before: JsonObject | undefined): FieldError[] {
  const group = getString(spec, 'group') ?? '';
  const errors: FieldError[] = [];
  const wrongGroup = group === '' ? [] : nameErrors(group, 'subdomain');
  if (group === '') errors.push(required('spec.group'));
  else if (wrongGroup.length > 0) errors.push(invalid('spec.group', group, wrongGroup.join(',')));
  else if (!group.includes('.')) errors.push(invalid('spec.group', group, 'should be a domain with at least one dot'));
  const scope = getString(spec, 'scope') ?? '';
  if (scope === '') errors.push(required('spec.scope'));
  else if (scope !== 'Cluster' && scope !== 'Namespaced')
    errors.push(notSupported('spec.scope', scope, ['Cluster', 'Namespaced']));
  return [
    ...errors,
    ...checkVersions(spec, before),
    ...checkNames(spec),
    ...checkCommon(spec, before),
    ...checkConversion(spec),
  ];
}

/** What all versions say alike is reported at the older, common place. */
function isCommon(versions: JsonObject[], member: string): boolean {
  return versions.every((version) => jsonEqual(version[member], versions[0]?.[member]));
}

function checkVersions(spec: JsonObject, before: JsonObject | undefined): FieldError[] {
  const versions = children(spec, 'versions');
  const errors: FieldError[] = [];
  for (const [index, version] of versions.entries())
    if (!isObject(child(version, 'schema')?.['openAPIV3Schema']) && spec['preserveUnknownFields'] !== true)
      errors.push(required(`spec.versions[${index}].schema.openAPIV3Schema`, 'schemas are required'));
  for (const [index, version] of versions.entries()) {
    const path = `spec.versions[${index}]`;
    const name = getString(version, 'name') ?? '';
    const wrong = nameErrors(name, 'label1035');
    if (wrong.length > 0) errors.push(invalid(`${path}.name`, name, wrong.join(',')));
    errors.push(...checkDeprecation(version, path));
    const own = (member: string): boolean => !isCommon(versions, member);
    if (own('schema')) errors.push(...checkVersionSchema(version, `${path}.schema`, before));
    if (own('subresources')) errors.push(...checkSubresources(version, `${path}.subresources`));
    if (own('additionalPrinterColumns')) errors.push(...checkColumns(version, `${path}.additionalPrinterColumns`));
    if (own('selectableFields')) errors.push(...checkSelectableFields(version, `${path}.selectableFields`));
  }
  const wrongVersions = (why: string): FieldError => invalidGo('spec.versions', versionsText(spec), why);
  const names = versions.map((version) => version['name']);
  if (new Set(names).size < names.length) errors.push(wrongVersions('must contain unique version names'));
  if (versions.filter((version) => version['storage'] === true).length !== 1)
    errors.push(wrongVersions('must have exactly one version marked as storage version'));
  const first = getString(versions[0], 'name') ?? '';
  const wrongFirst = first === '' ? [] : nameErrors(first, 'label1035');
  // The first version's name stands once more at its older place.
  if (wrongFirst.length > 0) errors.push(invalid('spec.version', first, wrongFirst.join(',')));
  return errors;
}

/** As Go prints its structures; what all versions say alike has left them. */
function versionsText(spec: JsonObject): string {
  const type = 'apiextensions.CustomResourceDefinitionVersion';
  if (!Array.isArray(spec['versions'])) return `[]${type}(nil)`;
  const versions = children(spec, 'versions');
  const address = '0xc000000000';
  const printed = versions.map((version) => {
    const flag = (name: string): boolean => version[name] === true;
    const pointer = (name: string, of: string): string =>
      `(*${of})(${version[name] === undefined || isCommon(versions, name) ? 'nil' : address})`;
    const warning = `(*string)(${version['deprecationWarning'] === undefined ? 'nil' : address})`;
    return `${type}{${[
      `Name:${JSON.stringify(getString(version, 'name') ?? '')}`,
      `Served:${flag('served')}`,
      `Storage:${flag('storage')}`,
      `Deprecated:${flag('deprecated')}`,
      `DeprecationWarning:${warning}`,
      `Schema:${pointer('schema', 'apiextensions.CustomResourceValidation')}`,
      `Subresources:${pointer('subresources', 'apiextensions.CustomResourceSubresources')}`,
      'AdditionalPrinterColumns:[]apiextensions.CustomResourceColumnDefinition(nil)',
      'SelectableFields:[]apiextensions.SelectableField(nil)',
    ].join(', ')}}`;
  });
  return `[]${type}{${printed.join(', ')}}`;
}

function checkCommon(spec: JsonObject, before: JsonObject | undefined): FieldError[] {
  const versions = children(spec, 'versions');
  const [first] = versions;
  if (first === undefined) return [];
  const status = versions.some((version) => child(child(version, 'subresources'), 'status') !== undefined);
  const withStatus = status ? { ...first, subresources: { ...child(first, 'subresources'), status: {} } } : first;
  const errors: FieldError[] = [];
  if (isCommon(versions, 'schema')) errors.push(...checkVersionSchema(withStatus, 'spec.validation', before));
  if (isCommon(versions, 'subresources')) errors.push(...checkSubresources(first, 'spec.subresources'));
  if (isCommon(versions, 'additionalPrinterColumns'))
    errors.push(...checkColumns(first, 'spec.additionalPrinterColumns'));
  if (isCommon(versions, 'selectableFields')) errors.push(...checkSelectableFields(first, 'spec.selectableFields'));
  return errors;
}

function checkVersionSchema(version: JsonObject, path: string, before: JsonObject | undefined): FieldError[] {
  const schema = child(child(version, 'schema'), 'openAPIV3Schema');
  if (schema === undefined) return [];
  const at = `${path}.openAPIV3Schema`;
  const stored = children(before ?? {}, 'versions').find((each) => each['name'] === version['name']);
  const costs = !jsonEqual(stored?.['schema'], version['schema']);
  return [...checkRootMembers(version, schema, at), ...checkSchemaDefinition(schema, at, { costs })];
}

function checkNames(spec: JsonObject): FieldError[] {
  const names = child(spec, 'names') ?? {};
  const read = (name: string): string => getString(names, name) ?? '';
  const errors: FieldError[] = ['plural', 'singular', 'kind', 'listKind']
    .filter((name) => read(name) === '')
    .map((name) => required(`spec.names.${name}`));
  const label = (path: string, value: string): void => {
    const wrong = value === '' ? [] : nameErrors(value, 'label1035');
    if (wrong.length > 0) errors.push(invalid(path, value, wrong.join(',')));
  };
  label('spec.names.plural', read('plural'));
  label('spec.names.singular', read('singular'));
  for (const name of ['kind', 'listKind']) {
    const wrong = read(name) === '' ? [] : nameErrors(read(name).toLowerCase(), 'label1035');
    const why = `may have mixed case, but should otherwise match: ${wrong.join(',')}`;
    if (wrong.length > 0) errors.push(invalid(`spec.names.${name}`, read(name), why));
  }
  for (const [index, name] of getArray(names, 'shortNames').entries())
    label(`spec.names.shortNames[${index}]`, String(name));
  if (read('kind') !== '' && read('kind') === read('listKind'))
    errors.push(invalid('spec.names.listKind', read('listKind'), 'kind and listKind may not be the same'));
  for (const [index, name] of getArray(names, 'categories').entries())
    label(`spec.names.categories[${index}]`, String(name));
  return errors;
}

function checkConversion(spec: JsonObject): FieldError[] {
  const conversion = child(spec, 'conversion');
  const strategy = conversion?.['strategy'];
  if (conversion === undefined) return [];
  if (strategy === undefined || strategy === '') return [required('spec.conversion.strategy')];
  // The real server knows Webhook too.
  if (strategy !== 'None') return [notSupported('spec.conversion.strategy', strategy, ['None'])];
  const webhook = child(conversion, 'webhook');
  const why = 'should not be set when strategy is not set to Webhook';
  const errors: FieldError[] = [];
  if (webhook?.['clientConfig'] !== undefined) errors.push(forbidden('spec.conversion.webhookClientConfig', why));
  if (getArray(webhook, 'conversionReviewVersions').length > 0)
    errors.push(forbidden('spec.conversion.conversionReviewVersions', why));
  return errors;
}

function definitionChanges(spec: JsonObject, before: JsonObject, old: ApiObject): FieldError[] {
  const errors: FieldError[] = [];
  const immutable = (path: string, now: unknown, then: unknown): void => {
    if (now !== then) errors.push(invalid(path, now, 'field is immutable'));
  };
  const established = getArray(old, 'status', 'conditions').some(
    (each) => getString(each, 'type') === 'Established' && getString(each, 'status') === 'True',
  );
  const names = child(spec, 'names');
  const namesBefore = child(before, 'names');
  if (established) {
    immutable('spec.scope', spec['scope'], before['scope']);
    immutable('spec.names.kind', names?.['kind'], namesBefore?.['kind']);
  }
  immutable('spec.group', spec['group'], before['group']);
  immutable('spec.names.plural', names?.['plural'], namesBefore?.['plural']);
  return errors;
}

/** Objects may still be kept in a version that once was the stored one. */
function checkStoredVersions(object: ApiObject, spec: JsonObject): FieldError[] {
  const known = getPath(object, 'status', 'storedVersions');
  const stored = Array.isArray(known) ? known.map(String) : [];
  if (known !== undefined && stored.length === 0)
    return [invalidGo('status.storedVersions', '[]string(nil)', 'must have at least one stored version')];
  const versions = children(spec, 'versions').map((version) => getString(version, 'name') ?? '');
  return stored.flatMap((name, index) => {
    if (versions.includes(name)) return [];
    const why = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    return [invalid(`status.storedVersions[${index}]`, name, why)];
  });
}
