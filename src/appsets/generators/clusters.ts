import { inClusterName, inClusterServer } from '#model/argocd/names.ts';
import { normalizeName } from '#template/slug.ts';
import { ofType } from '#template/value.ts';
import type { Params } from '../params.ts';
import { addValues, type Placeholders } from '../placeholders.ts';
import type { ClusterEntry, GeneratorInput } from '../port.ts';
import { isEmptySelector, parseSelector } from '../selector.ts';

function prefixed(prefix: string, map: Record<string, string>): Params {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [`${prefix}.${key}`, value]));
}

function metadataOf({ labels, annotations }: ClusterEntry, goTemplate: boolean): Params {
  if (!goTemplate) return { ...prefixed('metadata.annotations', annotations), ...prefixed('metadata.labels', labels) };
  const metadata: Params = {};
  if (Object.keys(annotations).length > 0) metadata['annotations'] = ofType({ ...annotations }, 'string');
  if (Object.keys(labels).length > 0) metadata['labels'] = ofType({ ...labels }, 'string');
  return { metadata };
}

/**
 * One set of parameters per cluster that the selector chooses. The instance's own cluster counts without a Secret, unless
 * there is a selector.
 */
export function generateClusters(
  { spec }: GeneratorInput,
  clusters: readonly ClusterEntry[],
  fill: Placeholders,
): Params[] {
  const selects = parseSelector(spec['selector']);
  const { goTemplate } = fill.style;
  const chosen = new Map(clusters.filter(({ labels }) => selects(labels)).map((cluster) => [cluster.name, cluster]));
  const all = [...chosen.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const params = all.map((cluster) => ({
    name: cluster.name,
    nameNormalized: normalizeName(cluster.name),
    server: cluster.server,
    project: cluster.project,
    ...metadataOf(cluster, goTemplate),
  }));
  const implicit = isEmptySelector(spec['selector']) && !all.some(({ server }) => server === inClusterServer);
  const own = { name: inClusterName, nameNormalized: inClusterName, server: inClusterServer, project: '' };
  const filled = [...params, ...(implicit ? [own] : [])].map((one) => addValues(one, spec['values'], fill));
  return spec['flatList'] === true ? [{ clusters: filled }] : filled;
}
