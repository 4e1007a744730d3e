import { timestamp } from '#base/clock.ts';
import type { JsonObject } from '#base/json.ts';
import type { NodeUsage, UsageReport } from '../port.ts';
import type { Exchange } from '../protocol/exchange.ts';
import { matchesLabels, parseLabelSelector } from '../protocol/label-selector.ts';
import { chooseFace } from '../protocol/negotiation.ts';
import type { ResourcePath } from '../protocol/request-path.ts';
import { badRequest, methodNotAllowed, noSuchResource, notFound } from '../protocol/status-error.ts';
import { type MeasuredResource, measuredGroup } from '../resources.ts';
import { groupResource } from '../served.ts';

/**
 * `metrics.k8s.io` in the shape of metrics-server: what the node measured, as `kubectl top` and autoscalers read it.
 * Measured now, never stored; there is nothing to watch.
 */
export async function handleMeasured(
  exchange: Exchange,
  resource: MeasuredResource,
  { path, usage }: { path: ResourcePath; usage: NodeUsage },
): Promise<void> {
  const { namespace, name, subresource } = path;
  if (exchange.method !== 'GET' || path.watch || exchange.query.get('watch') !== null) throw methodNotAllowed();
  if (subresource !== undefined) throw noSuchResource();
  if (resource.namespaced ? namespace === undefined && name !== undefined : namespace !== undefined)
    throw noSuchResource();
  chooseFace(exchange.header('accept'));
  if (exchange.query.get('fieldSelector')) throw badRequest('field selectors are not supported by metrics.k8s.io');
  const selector = parseLabelSelector(exchange.query.get('labelSelector') ?? '');
  const report = await usage.read();
  const items = (resource.kind === 'NodeMetrics' ? nodeItems(report) : podItems(report)).filter(
    (item) =>
      (namespace === undefined || item.namespace === namespace) &&
      (name === undefined || item.name === name) &&
      matchesLabels(selector, item.labels),
  );
  if (name === undefined) {
    const list = { kind: `${resource.kind}List`, apiVersion, metadata: {} };
    return exchange.json(200, { ...list, items: items.map((item) => measured(item, report)) });
  }
  const [found] = items;
  if (!found) {
    const { group } = measuredGroup;
    throw notFound({ group, plural: resource.plural, groupResource: groupResource(group, resource.plural) }, name);
  }
  await exchange.json(200, { kind: resource.kind, apiVersion, ...measured(found, report) });
}

const apiVersion = `${measuredGroup.group}/${measuredGroup.version}`;

interface Item {
  name: string;
  namespace: string | undefined;
  labels: Record<string, string>;
  amounts: JsonObject;
}

function nodeItems(report: UsageReport): Item[] {
  return report.nodes.map(({ name, labels, ...used }) => ({
    name,
    namespace: undefined,
    labels,
    amounts: { usage: amounts(used) },
  }));
}

function podItems(report: UsageReport): Item[] {
  return report.pods.map(({ name, namespace, labels, containers }) => ({
    name,
    namespace,
    labels,
    amounts: {
      containers: containers.map(({ name: container, ...used }) => ({ name: container, usage: amounts(used) })),
    },
  }));
}

function measured({ name, namespace, labels, amounts }: Item, { at, windowMs }: UsageReport): JsonObject {
  const time = timestamp(at);
  return {
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      creationTimestamp: time,
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
    },
    timestamp: time,
    window: `${windowMs / 1000}s`,
    ...amounts,
  };
}

function amounts({ cpuNanoCores, memoryBytes }: { cpuNanoCores: number; memoryBytes: number }): JsonObject {
  return { cpu: cpuNanoCores === 0 ? '0' : `${cpuNanoCores}n`, memory: `${Math.ceil(memoryBytes / 1024)}Ki` };
}
