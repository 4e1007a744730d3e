import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import { child, childOrNew, children, fill } from './fill.ts';
import { defaultPodSpec } from './pod.ts';

export function defaultTemplate(owner: JsonObject | undefined): void {
  const spec = child(child(owner, 'template'), 'spec');
  if (spec !== undefined) defaultPodSpec(spec);
}

export function defaultDeployment(object: JsonObject): void {
  const spec = childOrNew(object, 'spec');
  defaultTemplate(spec);
  fill(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 });
  const strategy = childOrNew(spec, 'strategy');
  fill(strategy, { type: 'RollingUpdate' });
  if (strategy['type'] === 'RollingUpdate') {
    fill(childOrNew(strategy, 'rollingUpdate'), { maxUnavailable: '25%', maxSurge: '25%' });
  }
}

export function defaultReplicaSet(object: JsonObject): void {
  const spec = childOrNew(object, 'spec');
  defaultTemplate(spec);
  fill(spec, { replicas: 1 });
}

/** Without labels and selector of its own it takes those of its template. */
export function defaultReplicationController(object: JsonObject): void {
  defaultReplicaSet(object);
  const spec = childOrNew(object, 'spec');
  const labels = child(child(child(spec, 'template'), 'metadata'), 'labels');
  if (labels === undefined || Object.keys(labels).length === 0) return;
  if (Object.keys(child(spec, 'selector') ?? {}).length === 0) spec['selector'] = { ...labels };
  inheritLabels(object, spec);
}

export function defaultStatefulSet(object: JsonObject): void {
  const spec = childOrNew(object, 'spec');
  defaultTemplate(spec);
  fill(spec, { replicas: 1, revisionHistoryLimit: 10, podManagementPolicy: 'OrderedReady' });
  const strategy = childOrNew(spec, 'updateStrategy');
  fill(strategy, { type: 'RollingUpdate' });
  if (strategy['type'] === 'RollingUpdate') fill(childOrNew(strategy, 'rollingUpdate'), { partition: 0 });
  fill(childOrNew(spec, 'persistentVolumeClaimRetentionPolicy'), { whenDeleted: 'Retain', whenScaled: 'Retain' });
  for (const claim of children(spec, 'volumeClaimTemplates')) {
    fill(claim, { kind: 'PersistentVolumeClaim', apiVersion: 'v1' });
    fill(childOrNew(claim, 'spec'), { volumeMode: 'Filesystem' });
    fill(childOrNew(claim, 'status'), { phase: 'Pending' });
  }
}

const templateGeneration = 'deprecated.daemonset.template.generation';

export function defaultDaemonSet(object: JsonObject, old: JsonObject | undefined): void {
  const spec = childOrNew(object, 'spec');
  defaultTemplate(spec);
  fill(spec, { revisionHistoryLimit: 10 });
  const strategy = childOrNew(spec, 'updateStrategy');
  fill(strategy, { type: 'RollingUpdate' });
  if (strategy['type'] === 'RollingUpdate') {
    fill(childOrNew(strategy, 'rollingUpdate'), { maxUnavailable: 1, maxSurge: 0 });
  }
  if (old !== undefined) return;
  const annotations = childOrNew(childOrNew(object, 'metadata'), 'annotations');
  annotations[templateGeneration] ??= '1';
}

export function defaultJobSpec(spec: JsonObject): void {
  if (spec['completions'] === undefined && spec['parallelism'] === undefined) {
    fill(spec, { completions: 1, parallelism: 1 });
  }
  fill(spec, {
    parallelism: 1,
    backoffLimit: spec['backoffLimitPerIndex'] === undefined ? 6 : 2147483647,
    completionMode: 'NonIndexed',
    suspend: false,
    manualSelector: false,
    podReplacementPolicy: spec['podFailurePolicy'] === undefined ? 'TerminatingOrFailed' : 'Failed',
  });
  defaultTemplate(spec);
  for (const rule of children(child(spec, 'podFailurePolicy'), 'rules')) {
    for (const pattern of children(rule, 'onPodConditions')) fill(pattern, { status: 'True' });
  }
}

/** Without labels of its own a Job takes those of its template; the selector is the server's to make. */
export function defaultJob(object: JsonObject, old: JsonObject | undefined): void {
  const spec = childOrNew(object, 'spec');
  defaultJobSpec(spec);
  if (old === undefined) inheritLabels(object, spec);
}

function inheritLabels(object: JsonObject, spec: JsonObject): void {
  const labels = child(child(child(spec, 'template'), 'metadata'), 'labels') ?? {};
  const metadata = childOrNew(object, 'metadata');
  if (Object.keys(labels).length === 0 || Object.keys(child(metadata, 'labels') ?? {}).length > 0) return;
  metadata['labels'] = { ...labels };
}

export function defaultCronJob(object: JsonObject): void {
  const spec = childOrNew(object, 'spec');
  fill(spec, { concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 });
  const jobSpec = child(child(spec, 'jobTemplate'), 'spec');
  // A job template gets the pod's defaults only; the rest comes with each Job.
  defaultTemplate(jobSpec);
}

export function defaultAutoscaler(object: JsonObject): void {
  const spec = childOrNew(object, 'spec');
  fill(spec, { minReplicas: 1 });
  if (children(spec, 'metrics').length === 0 && !isObject(spec['metrics'])) {
    spec['metrics'] = [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
    ];
  }
  const behavior = child(spec, 'behavior');
  if (behavior === undefined) return;
  const up = childOrNew(behavior, 'scaleUp');
  fill(up, {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ],
  });
  const down = childOrNew(behavior, 'scaleDown');
  fill(down, { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] });
}
