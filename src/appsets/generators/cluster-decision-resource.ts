import { AppError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { inClusterName, inClusterServer } from '#model/argocd/names.ts';
import { formatValue } from '#template/format.ts';
import { ofType } from '#template/value.ts';
import type { Params } from '../params.ts';
import type { GeneratorInput, GeneratorSources } from '../port.ts';
import { isEmptySelector, selectorText } from '../selector.ts';

function refuse(message: string): AppError {
  return new AppError('bad-input', `clusterDecisionResource generator: ${message}`);
}

function decisionsOf(objects: readonly KubeObject[], key: string): Params[] {
  return objects.flatMap((object) => {
    const list = isObject(object['status']) ? object['status'][key] : undefined;
    return Array.isArray(list) ? list.filter(isObject) : [];
  });
}

/** One set of parameters per cluster that a resource of the team's own chose in its status. */
export async function generateClusterDecisions(
  { spec }: GeneratorInput,
  sources: GeneratorSources,
  goTemplate: boolean,
  signal: AbortSignal,
): Promise<Params[]> {
  const reference = String(spec['configMapRef'] ?? '');
  const config = sources.configMap(reference);
  if (!config) throw refuse(`error reading configMapRef: ${sources.instanceNamespace}/${reference} does not exist`);
  const { apiVersion = '', kind: plural = '', statusListKey, matchKey = '' } = config;
  const [group = '', version = ''] = apiVersion.split('/');
  if (plural === '' || group === '' || version === '')
    throw refuse('there is a problem with the apiVersion, kind or resourceName provided');
  const name = String(spec['name'] ?? '');
  const { labelSelector } = spec;
  if ((name === '') === isEmptySelector(labelSelector))
    throw refuse(
      'there is a problem with the definition of the ClusterDecisionResource generator: give name or labelSelector',
    );
  const options = name === '' ? { labelSelector: selectorText(labelSelector) } : { name };
  const objects = await sources.listByPlural({ group, version, plural }, options, signal);
  if (objects.length === 0) throw refuse('no clusterDecisionResources found');
  if (matchKey === '') throw refuse(`ConfigMap ${reference} has no matchKey`);
  const clusters = sources.clusters();
  const known = new Map(clusters.map((cluster) => [cluster.name, cluster.server]));
  if (!clusters.some(({ server }) => server === inClusterServer)) known.set(inClusterName, inClusterServer);
  const values = isObject(spec['values']) ? spec['values'] : {};
  const texts = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));
  return decisionsOf(objects, statusListKey || 'clusters').flatMap((decision) => {
    const match = formatValue(decision[matchKey] ?? '');
    const server = known.get(match);
    if (match === '' || server === undefined) return [];
    const params: Params = { name: match, server };
    for (const [key, value] of Object.entries(decision)) params[key] = formatValue(value);
    if (Object.keys(texts).length === 0) return [params];
    if (goTemplate) return [{ ...params, values: ofType({ ...texts }, 'string') }];
    return [
      { ...params, ...Object.fromEntries(Object.entries(texts).map(([key, value]) => [`values.${key}`, value])) },
    ];
  });
}
