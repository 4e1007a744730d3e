import { getArray, getNumber, getPath, getString } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { resourceKeyOf } from '#sync/identity.ts';
import type { Reason } from './reason.ts';

const pullReasons = new Set([
  'ImagePullBackOff',
  'ErrImagePull',
  'InvalidImageName',
  'ErrImageNeverPull',
  'RegistryUnavailable',
]);
const configReasons = new Set(['CreateContainerConfigError', 'CreateContainerError', 'RunContainerError']);

function containersOf(pod: KubeObject): unknown[] {
  return [...getArray(pod, 'status', 'initContainerStatuses'), ...getArray(pod, 'status', 'containerStatuses')];
}

function about(pod: KubeObject, reason: Omit<Reason, 'object'>): Reason {
  return { ...reason, object: resourceKeyOf(pod) };
}

/** The newest warning about an object whose reason is one of these. */
function said(events: readonly KubeObject[], object: KubeObject, reasons: readonly string[]): string | undefined {
  const event = events.findLast(
    (event) =>
      getString(event, 'involvedObject', 'uid') === object.metadata.uid &&
      reasons.includes(getString(event, 'reason') ?? ''),
  );
  return getString(event, 'message');
}

function containerReason(pod: KubeObject, status: unknown, events: readonly KubeObject[]): Reason | undefined {
  const container = getString(status, 'name') ?? '';
  const image = getString(status, 'image') ?? '';
  const where = `container ${container} of Pod ${pod.metadata.name}`;
  const waiting = getString(status, 'state', 'waiting', 'reason') ?? '';
  const message = getString(status, 'state', 'waiting', 'message');
  const logs = `slipway app logs APP --kind Pod --name ${pod.metadata.name} -c ${container}`;
  if (pullReasons.has(waiting)) {
    const detail = said(events, pod, ['Failed']) ?? message;
    return about(pod, {
      code: 'image-pull',
      problem: `${where} cannot pull its image ${image}`,
      next: 'make sure that the tag was pushed and that the cluster may pull it (imagePullSecrets)',
      ...(detail ? { detail } : {}),
    });
  }
  if (configReasons.has(waiting))
    return about(pod, {
      code: 'container-config',
      problem: `${where} cannot be started: ${message ?? waiting}`,
      next: 'correct what the message names: usually a ConfigMap, Secret or key that is not there',
    });
  const ended = getPath(status, 'state', 'terminated') ?? getPath(status, 'lastState', 'terminated');
  const code = getNumber(ended, 'exitCode');
  if (getString(ended, 'reason') === 'OOMKilled')
    return about(pod, {
      code: 'out-of-memory',
      problem: `${where} was killed because it took more memory than its limit`,
      next: 'raise resources.limits.memory, or make the program take less',
    });
  if (
    waiting === 'CrashLoopBackOff' ||
    (code !== undefined && code !== 0 && (getNumber(status, 'restartCount') ?? 0) > 0)
  ) {
    const detail = getString(ended, 'message');
    return about(pod, {
      code: 'crash-loop',
      problem: `${where} ends with exit code ${code ?? 'unknown'} again and again (${getNumber(status, 'restartCount') ?? 0} restarts)`,
      next: `read what it wrote before it ended: ${logs} --previous`,
      ...(detail ? { detail } : {}),
    });
  }
  return undefined;
}

/** Why a pod is not ready, one reason at most: the first of its containers that has one. */
export function podReason(pod: KubeObject, events: readonly KubeObject[]): Reason | undefined {
  if (pod.metadata.deletionTimestamp !== undefined) return undefined;
  for (const status of containersOf(pod)) {
    const found = containerReason(pod, status, events);
    if (found) return found;
  }
  const condition = (type: string) =>
    getArray(pod, 'status', 'conditions').find((entry) => getString(entry, 'type') === type);
  const scheduled = condition('PodScheduled');
  if (getString(scheduled, 'status') === 'False')
    return about(pod, {
      code: 'unschedulable',
      problem: `Pod ${pod.metadata.name} has no node: ${getString(scheduled, 'message') ?? 'no reason given'}`,
      next: 'make room on a node, or correct requests, nodeSelector, affinity or tolerations',
    });
  const mount = said(events, pod, ['FailedMount', 'FailedAttachVolume']);
  if (mount !== undefined && getString(pod, 'status', 'phase') === 'Pending')
    return about(pod, {
      code: 'volume',
      problem: `Pod ${pod.metadata.name} waits for a volume: ${mount}`,
      next: 'create what the volume names, or correct the claim',
    });
  if (getString(pod, 'status', 'phase') === 'Running' && getString(condition('Ready'), 'status') === 'False') {
    const detail = said(events, pod, ['Unhealthy']);
    return about(pod, {
      code: 'not-ready',
      problem: `Pod ${pod.metadata.name} runs and is not ready`,
      next: `find out why its readiness probe fails: slipway app logs APP --kind Pod --name ${pod.metadata.name}`,
      ...(detail ? { detail } : {}),
    });
  }
  return undefined;
}
