import { getArray, getString } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import type { Stage } from './stage.ts';

const at = '2026-01-01T00:00:00Z';

/** No node takes these pods: the case reports what a kubelet would. */
export const unschedulable = { 'example.com/no-such-node': 'true' };

async function podsOf(stage: Stage, label: [key: string, value: string]): Promise<KubeObject[]> {
  return (await stage.list('v1', 'Pod')).filter(
    (pod) => pod.metadata.labels?.[label[0]] === label[1] && pod.metadata.deletionTimestamp === undefined,
  );
}

function statusOf(pod: KubeObject, state: 'ready' | 'succeeded' | 'failed'): object {
  const done = { exitCode: state === 'failed' ? 1 : 0, reason: 'Done', startedAt: at, finishedAt: at };
  const containers = getArray(pod, 'spec', 'containers').map((container) => ({
    name: getString(container, 'name') ?? '',
    image: getString(container, 'image') ?? '',
    imageID: '',
    ready: state === 'ready',
    restartCount: 0,
    state: state === 'ready' ? { running: { startedAt: at } } : { terminated: done },
  }));
  const condition = (type: string) => ({ type, status: state === 'ready' ? 'True' : 'False', lastTransitionTime: at });
  return {
    phase: state === 'ready' ? 'Running' : state === 'succeeded' ? 'Succeeded' : 'Failed',
    startTime: at,
    conditions: ['Ready', 'ContainersReady'].map(condition),
    containerStatuses: containers,
  };
}

/** Waits for `count` pods of a label and reports them so. */
export async function report(
  stage: Stage,
  label: [key: string, value: string],
  state: 'ready' | 'succeeded' | 'failed',
  count = 1,
): Promise<void> {
  const what = `${count} pods with ${label.join('=')}`;
  const pods = await stage.until(
    what,
    () => podsOf(stage, label),
    (found) => found.length >= count,
  );
  for (const pod of pods)
    await stage.patch(
      { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name },
      { status: statusOf(pod, state) },
      'status',
    );
}
