import { getArray, getString, parseJson } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from './health.ts';

const degradedReasons: Record<string, readonly string[]> = {
  AbleToScale: ['FailedGetScale', 'FailedUpdateScale'],
  ScalingActive: [
    'FailedGetResourceMetric',
    'FailedGetObjectMetric',
    'FailedGetPodsMetric',
    'FailedGetExternalMetric',
    'FailedComputeMetricsReplicas',
    'InvalidSelector',
  ],
};

function conditionsOf(object: KubeObject): unknown[] {
  if (object.apiVersion !== 'autoscaling/v1') return getArray(object, 'status', 'conditions');
  const text = object.metadata.annotations?.['autoscaling.alpha.kubernetes.io/conditions'];
  const parsed = text === undefined ? [] : parseJson(text, `conditions annotation of ${object.metadata.name}`);
  return Array.isArray(parsed) ? parsed : [];
}

/** autoscaling/HorizontalPodAutoscaler v1 and v2. */
export function horizontalPodAutoscalerHealth(object: KubeObject): Health {
  if (object.apiVersion !== 'autoscaling/v1' && object.apiVersion !== 'autoscaling/v2')
    return health('Unknown', `unsupported HPA GVK: ${object.apiVersion}, Kind=${object.kind}`);
  const conditions = conditionsOf(object);
  for (const condition of conditions) {
    const reasons = degradedReasons[getString(condition, 'type') ?? ''] ?? [];
    if (reasons.includes(getString(condition, 'reason') ?? ''))
      return health('Degraded', getString(condition, 'message'));
  }
  for (const condition of conditions) {
    const type = getString(condition, 'type');
    if ((type === 'AbleToScale' || type === 'ScalingLimited') && getString(condition, 'status') === 'True')
      return health('Healthy', getString(condition, 'message'));
  }
  return health('Progressing', 'Waiting to Autoscale');
}
