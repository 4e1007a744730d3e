import { getArray, getObject, getString, isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject, KindType, TypeRegistry } from '../port.ts';
import { customDeprecation } from '../requests/deprecation.ts';
import type { Subresource } from '../resources.ts';
import { type CustomDetails, groupResource, type PrinterColumn, type ServedResource } from '../served.ts';
import { customConversion } from './crd-conversion.ts';
import { storageVersion } from './crd-status.ts';

/** What a definition serves, under the names that were accepted. */
export function servedVersions(types: TypeRegistry, definition: ApiObject, names: JsonObject): ServedResource[] {
  const all = allVersions(types, definition, names);
  const served = getArray(definition, 'spec', 'versions').filter(
    (version) => isObject(version) && version['served'] === true,
  );
  const wanted = new Set(served.map((version) => getString(version, 'name')));
  return all.filter(({ version }) => wanted.has(version));
}

/** The kind at its stored version, served or not. */
export function storedVersion(types: TypeRegistry, definition: ApiObject): ServedResource | undefined {
  const stored = storageVersion(definition);
  const all = allVersions(types, definition, getObject(definition, 'spec', 'names'));
  return all.find(({ version }) => version === stored);
}

function allVersions(types: TypeRegistry, definition: ApiObject, names: JsonObject): ServedResource[] {
  const spec = getObject(definition, 'spec');
  const versions = getArray(spec, 'versions').filter(isObject);
  const kinds = new Map(versions.map((version) => [version, kindOf(types, spec, version)]));
  const storage = versions.find((version) => version['storage'] === true);
  const stored = storage === undefined ? undefined : kinds.get(storage);
  // Objects of the one version that never changed are kept as they are shown.
  const changes = versions.length > 1 || (definition.metadata.generation ?? 1) > 1;
  return versions.flatMap((version) => {
    const type = kinds.get(version);
    if (type === undefined) return [];
    const resource = versionResource(definition, version, { type, names });
    const conversion =
      changes && stored !== undefined ? customConversion(resource.storage, { served: type, stored }) : undefined;
    return [{ ...resource, conversion }];
  });
}

function kindOf(types: TypeRegistry, spec: JsonObject, version: JsonObject): KindType {
  const scale = scaleOf(version);
  return types.custom({
    gvk: {
      group: getString(spec, 'group') ?? '',
      version: getString(version, 'name') ?? '',
      kind: getString(spec, 'names', 'kind') ?? '',
    },
    openAPIV3Schema: schemaOf(version),
    preserveUnknownFields: spec['preserveUnknownFields'] === true,
    statusSubresource: isObject(getObject(version, 'subresources')['status']),
    ...(scale === undefined ? {} : { scale }),
  });
}

function schemaOf(version: JsonObject): JsonObject | undefined {
  const schema = getObject(version, 'schema')['openAPIV3Schema'];
  return isObject(schema) ? schema : undefined;
}

function scaleOf(version: JsonObject): CustomDetails['scale'] {
  const scale = getObject(version, 'subresources', 'scale');
  if (Object.keys(scale).length === 0) return undefined;
  return {
    specReplicasPath: getString(scale, 'specReplicasPath') ?? '',
    statusReplicasPath: getString(scale, 'statusReplicasPath') ?? '',
    labelSelectorPath: getString(scale, 'labelSelectorPath'),
  };
}

function versionResource(
  definition: ApiObject,
  version: JsonObject,
  { type, names }: { type: KindType; names: JsonObject },
): ServedResource {
  const spec = getObject(definition, 'spec');
  const group = getString(spec, 'group') ?? '';
  const plural = getString(spec, 'names', 'plural') ?? '';
  const kind = getString(spec, 'names', 'kind') ?? '';
  const scale = scaleOf(version);
  const subresources: Subresource[] = [];
  if (isObject(getObject(version, 'subresources')['status'])) subresources.push('status');
  if (scale !== undefined) subresources.push('scale');
  return {
    group,
    version: getString(version, 'name') ?? '',
    plural,
    singular: getString(names, 'singular') ?? kind.toLowerCase(),
    kind,
    listKind: getString(names, 'listKind') ?? `${kind}List`,
    namespaced: spec['scope'] === 'Namespaced',
    shortNames: getArray(names, 'shortNames').filter((item) => typeof item === 'string'),
    categories: getArray(names, 'categories').filter((item) => typeof item === 'string'),
    subresources,
    hasGeneration: true,
    groupResource: groupResource(group, plural),
    storage: groupResource(group, plural),
    conversion: undefined,
    type,
    custom: {
      storageVersion: storageVersion(definition),
      schema: schemaOf(version),
      printerColumns: printerColumns(version),
      selectableFields: getArray(version, 'selectableFields').map((field) => getString(field, 'jsonPath') ?? ''),
      deprecation: customDeprecation(spec, version),
      scale,
    },
  };
}

function printerColumns(version: JsonObject): PrinterColumn[] {
  const columns = getArray(version, 'additionalPrinterColumns').filter(isObject);
  if (columns.length === 0)
    return [
      {
        name: 'Age',
        type: 'date',
        format: '',
        description: 'CreationTimestamp is a timestamp representing the server time when this object was created.',
        priority: 0,
        jsonPath: '.metadata.creationTimestamp',
      },
    ];
  return columns.map((column) => ({
    name: getString(column, 'name') ?? '',
    type: getString(column, 'type') ?? 'string',
    format: getString(column, 'format') ?? '',
    description: getString(column, 'description') ?? '',
    priority: typeof column['priority'] === 'number' ? column['priority'] : 0,
    jsonPath: getString(column, 'jsonPath') ?? '',
  }));
}
