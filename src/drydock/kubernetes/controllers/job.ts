import { messageOf } from '#base/errors.ts';
import { getArray, getObject, isObject, type JsonObject, jsonEqual } from '#base/json.ts';
import type { Outcome } from '#base/outcome.ts';
import type { ApiObject } from '../api/port.ts';
import { type JobBackoff, type NewPod, planJob } from './job-plan.ts';
import { failureCountAnnotation } from './job-policy.ts';
import { indexAnnotation, type JobView, readJob, trackingFinalizer } from './job-view.ts';
import { keyOf, splitKey } from './key.ts';
import { type Controller, type ControllerDeps, deleteIfPresent, isNotFound } from './loop.ts';
import { controllerKeys } from './ownership.ts';
import { nameSuffix, podFromTemplate } from './pod-template.ts';

const manager = 'job-controller';

/** Runs the pods of Jobs to their end. */
export function jobController(deps: ControllerDeps, backoff: JobBackoff): Controller {
  return {
    name: 'job',
    watches: [
      { resource: 'jobs.batch', names: (job) => [keyOf(job)] },
      { resource: 'pods', names: (pod) => jobKeys(pod) },
    ],
    tick: (name) => tick(deps, name, backoff),
  };
}

/** A pod whose job was deleted still carries the finalizer: its former job's name leads to the clean-up. */
function jobKeys(pod: ApiObject): string[] {
  const owned = controllerKeys(pod, 'Job');
  const former = pod.metadata.labels?.['batch.kubernetes.io/job-name'];
  const orphan = owned.length === 0 && former !== undefined && pod.metadata.finalizers?.includes(trackingFinalizer);
  return orphan ? [`${pod.metadata.namespace ?? ''}/${former}`] : owned;
}

async function tick(deps: ControllerDeps, key: string, backoff: JobBackoff): Promise<Outcome> {
  const { api, clock, events } = deps;
  const { namespace, name } = splitKey(key);
  const object = api.get('jobs.batch', namespace, name);
  await releaseOrphans(deps, { namespace, name, uid: object?.metadata.uid });
  if (!object) return { kind: 'done' };
  const job = readJob(object);
  if (job.foreign) return { kind: 'done' };
  const pods = api.ownedBy(object.metadata.uid ?? '').filter((owned) => owned.kind === 'Pod');
  const plan = planJob(job, pods, { now: clock.now(), backoff });
  if (plan.deleteJob) {
    await deleteIfPresent(api, 'jobs.batch', object, { propagationPolicy: 'Foreground' });
    return { kind: 'done' };
  }
  if (!jsonEqual(object['status'] ?? {}, plan.status))
    await api.updateStatus({ ...object, status: plan.status }, manager);
  for (const pod of plan.release) await release(deps, pod);
  for (const pod of plan.remove) {
    await deleteIfPresent(api, 'pods', pod);
    const message = `Deleted pod: ${pod.metadata.name}`;
    events.record(manager, object, { type: 'Normal', reason: 'SuccessfulDelete', message });
  }
  for (const wanted of plan.create) await createPod(deps, job, wanted);
  if (plan.finished) {
    const failed = plan.finished.type === 'Failed';
    events.record(manager, object, {
      type: failed ? 'Warning' : 'Normal',
      reason: failed ? (plan.finished.reason ?? 'Failed') : 'Completed',
      message: failed ? (plan.finished.message ?? '') : 'Job completed',
    });
  }
  return plan.recheckAfterMs === undefined ? { kind: 'done' } : { kind: 'done', recheckAfterMs: plan.recheckAfterMs };
}

async function releaseOrphans(
  deps: ControllerDeps,
  job: { namespace: string | undefined; name: string; uid: string | undefined },
): Promise<void> {
  const labels = { 'batch.kubernetes.io/job-name': job.name };
  const pods = deps.api.list('pods', job.namespace === undefined ? { labels } : { namespace: job.namespace, labels });
  for (const pod of pods) {
    const owned = pod.metadata.ownerReferences?.some((owner) => owner.uid === job.uid);
    if (!owned && pod.metadata.finalizers?.includes(trackingFinalizer)) await release(deps, pod);
  }
}

async function release(deps: ControllerDeps, pod: ApiObject): Promise<void> {
  const { namespace, name, finalizers, resourceVersion } = pod.metadata;
  const left = (finalizers ?? []).filter((finalizer) => finalizer !== trackingFinalizer);
  const patch = { metadata: { resourceVersion, finalizers: left.length > 0 ? left : null } };
  try {
    await deps.api.mergePatch('pods', namespace, name, patch, { manager });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

async function createPod(deps: ControllerDeps, job: JobView, { index, failures }: NewPod): Promise<void> {
  const { api, entropy, events } = deps;
  const base = index === undefined ? `${job.object.metadata.name}-` : `${job.object.metadata.name}-${index}-`;
  const indexed = index === undefined ? {} : { [indexAnnotation]: String(index) };
  const pod = podFromTemplate(job.object, index === undefined ? job.template : withIndex(job, index), {
    name: `${base}${nameSuffix(entropy)}`,
    generateName: base,
    labels: indexed,
    annotations: { ...indexed, ...(failures === undefined ? {} : { [failureCountAnnotation]: String(failures) }) },
    finalizers: [trackingFinalizer],
  });
  try {
    await api.create(pod, manager);
  } catch (error) {
    const message = `Error creating: ${messageOf(error)}`;
    events.record(manager, job.object, { type: 'Warning', reason: 'FailedCreate', message });
    throw error;
  }
  const message = `Created pod: ${pod.metadata.name}`;
  events.record(manager, job.object, { type: 'Normal', reason: 'SuccessfulCreate', message });
}

/** The template with the index told to every container. */
function withIndex(job: JobView, index: number): JsonObject {
  const spec = getObject(job.template, 'spec');
  const tell = (container: unknown): unknown =>
    isObject(container)
      ? { ...container, env: [...getArray(container, 'env'), { name: 'JOB_COMPLETION_INDEX', value: String(index) }] }
      : container;
  return {
    ...job.template,
    spec: {
      ...spec,
      hostname: `${job.object.metadata.name}-${index}`,
      containers: getArray(spec, 'containers').map(tell),
      ...(Array.isArray(spec['initContainers']) ? { initContainers: spec['initContainers'].map(tell) } : {}),
    },
  };
}
