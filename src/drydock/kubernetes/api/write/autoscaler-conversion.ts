import { getArray, getNumber, getObject, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import type { ApiObject } from '../port.ts';
import { asStored, type Conversion } from './conversion.ts';

/** What autoscaling/v1 has no field for travels in these annotations, as JSON. */
const annotations = {
  metrics: 'autoscaling.alpha.kubernetes.io/metrics',
  currentMetrics: 'autoscaling.alpha.kubernetes.io/current-metrics',
  conditions: 'autoscaling.alpha.kubernetes.io/conditions',
  behavior: 'autoscaling.alpha.kubernetes.io/behavior',
} as const;

const known = new Set<string>(Object.values(annotations));

/** autoscaling/v1 autoscalers are kept as v2: CPU utilisation is a field, everything else an annotation. */
export const autoscalerConversion: Conversion = {
  storage: 'horizontalpodautoscalers.autoscaling',
  toServed: toFirstVersion,
  toStored: toSecondVersion,
  storedPath: (path) => path,
};

function toFirstVersion(object: ApiObject): ApiObject {
  const { metrics: _metrics, behavior, ...spec } = getObject(object, 'spec');
  const { currentMetrics: _current, conditions, ...status } = getObject(object, 'status');
  const cpu = getArray(object, 'spec', 'metrics').find(isCpuUtilization);
  const others = getArray(object, 'spec', 'metrics').filter((metric) => metric !== cpu);
  const current = getArray(object, 'status', 'currentMetrics');
  const currentCpu = current.find((metric) => getString(metric, 'resource', 'name') === 'cpu');
  const utilization = getNumber(currentCpu, 'resource', 'current', 'averageUtilization');
  const extra: Record<string, string> = {};
  if (others.length > 0) extra[annotations.metrics] = JSON.stringify(others.map(withTargetFields));
  if (isObject(behavior)) extra[annotations.behavior] = JSON.stringify(behavior);
  if (Array.isArray(conditions) && conditions.length > 0) extra[annotations.conditions] = JSON.stringify(conditions);
  const otherCurrent = current.filter((metric) => metric !== currentCpu);
  if (otherCurrent.length > 0) extra[annotations.currentMetrics] = JSON.stringify(otherCurrent);
  const target = getNumber(cpu, 'resource', 'target', 'averageUtilization');
  return {
    ...object,
    metadata: withAnnotations(object, extra),
    spec: { ...spec, ...(target === undefined ? {} : { targetCPUUtilizationPercentage: target }) },
    status: {
      ...status,
      currentReplicas: getNumber(status, 'currentReplicas') ?? 0,
      desiredReplicas: getNumber(status, 'desiredReplicas') ?? 0,
      ...(utilization === undefined ? {} : { currentCPUUtilizationPercentage: utilization }),
    },
  };
}

function toSecondVersion(object: ApiObject): ApiObject {
  const { targetCPUUtilizationPercentage: target, ...spec } = getObject(object, 'spec');
  const { currentCPUUtilizationPercentage: current, ...status } = getObject(object, 'status');
  const cpu = {
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: target } },
  };
  const others = annotated(object, annotations.metrics, parseList).map(withTargetMembers);
  const given = [...others, ...(typeof target === 'number' ? [cpu] : [])];
  const metrics = given.length > 0 ? given : [usualMetric];
  const behavior = annotated(object, annotations.behavior, (value) => (isObject(value) ? [value] : []))[0];
  const currentCpu = {
    type: 'Resource',
    resource: { name: 'cpu', current: { averageUtilization: current, averageValue: '0' } },
  };
  const currentMetrics = [
    ...annotated(object, annotations.currentMetrics, parseList),
    ...(typeof current === 'number' ? [currentCpu] : []),
  ];
  const conditions = annotated(object, annotations.conditions, parseList);
  return asStored(
    {
      ...object,
      metadata: withAnnotations(object, {}),
      spec: { ...spec, metrics, ...(behavior ? { behavior } : {}) },
      status: {
        ...status,
        ...(conditions.length > 0 ? { conditions } : {}),
        currentMetrics: currentMetrics.length > 0 ? currentMetrics : null,
      },
    },
    'autoscaling/v2',
  );
}

const usualMetric = {
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } },
};

function isCpuUtilization(metric: unknown): boolean {
  return (
    getString(metric, 'type') === 'Resource' &&
    getString(metric, 'resource', 'name') === 'cpu' &&
    getNumber(metric, 'resource', 'target', 'averageUtilization') !== undefined
  );
}

/** The annotation keeps resource metrics in their older form, with the target in two plain fields. */
function withTargetFields(metric: unknown): unknown {
  const target = getPath(metric, 'resource', 'target');
  if (!isObject(metric) || !isObject(target)) return metric;
  const { averageUtilization, averageValue } = target;
  return {
    ...metric,
    resource: {
      name: getString(metric, 'resource', 'name'),
      ...(averageUtilization === undefined ? {} : { targetAverageUtilization: averageUtilization }),
      ...(averageValue === undefined ? {} : { targetAverageValue: averageValue }),
    },
  };
}

function withTargetMembers(metric: JsonObject): JsonObject {
  const resource = getObject(metric, 'resource');
  const { targetAverageUtilization, targetAverageValue } = resource;
  if (targetAverageUtilization === undefined && targetAverageValue === undefined) return metric;
  const target =
    targetAverageUtilization === undefined
      ? { type: 'AverageValue', averageValue: targetAverageValue }
      : { type: 'Utilization', averageUtilization: targetAverageUtilization };
  return { ...metric, resource: { name: resource['name'], target } };
}

function withAnnotations(object: ApiObject, extra: Record<string, string>): ApiObject['metadata'] {
  const { annotations: given = {}, ...metadata } = object.metadata;
  const kept = Object.entries(given).filter(([key]) => !known.has(key));
  const all = { ...Object.fromEntries(kept), ...extra };
  return Object.keys(all).length > 0 ? { ...metadata, annotations: all } : metadata;
}

/** What a client wrote into an annotation is not checked: what is no JSON of the right form counts as absent, as upstream. */
function annotated<T>(object: ApiObject, name: string, parse: (value: unknown) => T[]): T[] {
  const text = object.metadata.annotations?.[name];
  if (text === undefined) return [];
  try {
    return parse(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

function parseList(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
