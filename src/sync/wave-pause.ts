import { isObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import type { SyncTask } from './task.ts';

/** The time that controllers get to react where an object's health cannot tell whether they have. */
export const defaultPauseMs = 2_000;

function isCustom(group: string): boolean {
  return group.includes('.') && !group.endsWith('.k8s.io');
}

/** True when the object's status says which generation of its spec it is about. */
function tellsGeneration(object: KubeObject): boolean {
  const { status } = object;
  if (!isObject(status)) return false;
  if (typeof status['observedGeneration'] === 'number') return true;
  const conditions = Array.isArray(status['conditions']) ? status['conditions'] : [];
  return conditions.some((condition) => isObject(condition) && typeof condition['observedGeneration'] === 'number');
}

/**
 * How long to wait after a wave before the next one looks at the health of what it wrote. Argo CD waits after every wave;
 * here only custom resources that were changed, have a status and do not tell which generation it is about need it,
 * unless the instance sets a delay for all.
 */
export function pauseAfterWave(
  written: readonly { task: SyncTask; object: KubeObject; hasStatus: boolean }[],
  everyWaveMs: number | undefined,
): number {
  if (everyWaveMs !== undefined) return everyWaveMs;
  const unsure = written.some(
    ({ task, object, hasStatus }) =>
      hasStatus &&
      isCustom(task.key.group) &&
      task.key.kind !== 'CustomResourceDefinition' &&
      task.live?.metadata.resourceVersion !== object.metadata.resourceVersion &&
      !tellsGeneration(object),
  );
  return unsure ? defaultPauseMs : 0;
}
