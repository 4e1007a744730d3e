import { getArray, getString, isObject, type JsonObject } from '#base/json.ts';
import { apiVersionOf, type ServedResource } from '../served.ts';
import { byPreference } from './discovery.ts';

/** Built-in kinds that the served release calls deprecated. */
const builtin: Record<string, string> = {
  endpoints: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
};

/** The warning with every answer about this kind at this version, if it is deprecated. */
export function deprecationOf(resource: ServedResource): string | undefined {
  return resource.custom ? resource.custom.deprecation : builtin[resource.groupResource];
}

/**
 * What a CustomResourceDefinition warns of for one of its versions: its own words, or which version to use instead when
 * there is a better one.
 */
export function customDeprecation(spec: JsonObject, version: JsonObject): string | undefined {
  if (version['deprecated'] !== true) return undefined;
  const own = getString(version, 'deprecationWarning');
  if (own !== undefined) return own;
  const group = getString(spec, 'group') ?? '';
  const kind = getString(spec, 'names', 'kind') ?? '';
  const name = getString(version, 'name') ?? '';
  const said = (at: string): string => `${apiVersionOf({ group, version: at })} ${kind}`;
  const better = getArray(spec, 'versions')
    .filter((other) => isObject(other) && other['served'] === true && other['deprecated'] !== true)
    .map((other) => getString(other, 'name') ?? '')
    .filter((other) => byPreference(other, name) < 0)
    .sort(byPreference)[0];
  return `${said(name)} is deprecated${better === undefined ? '' : `; use ${said(better)}`}`;
}
