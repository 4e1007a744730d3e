import type { JsonObject } from '#base/json.ts';
import { getPath, isObject, jsonEqual } from '#base/json.ts';
import type { ApiObject, FieldError } from '../../api/port.ts';
import { child, children } from '../defaults/fill.ts';
import { goStringMap } from '../go-format.ts';
import { unsupportedRestart } from './container.ts';
import { forbidden, invalid, invalidGo, nonNegative, notSupported, oneOf, required } from './finding.ts';
import { immutable, unchangedBut } from './immutable.ts';
import { validateLabels } from './metadata.ts';
import { validatePodSpec, validateTemplate } from './pod-spec.ts';
import { goSelector, isEmptySelector, selectorMatches, validateSelector } from './selector.ts';

export function specOf(object: ApiObject | undefined): JsonObject {
  return child(object, 'spec') ?? {};
}

function validateOwnSelector(spec: JsonObject, kind: string): FieldError[] {
  const { selector } = spec;
  const template = child(spec, 'template');
  const errors: FieldError[] = [];
  if (!isObject(selector)) errors.push(required('spec.selector'));
  else {
    errors.push(...validateSelector(selector, 'spec.selector'));
    if (isEmptySelector(selector)) {
      errors.push(invalidGo('spec.selector', goSelector(selector), `empty selector is invalid for ${kind}`));
    }
  }
  const labels = child(template, 'metadata')?.['labels'];
  if (!isEmptySelector(selector) && !selectorMatches(selector, labels)) {
    errors.push(
      invalidGo('spec.template.metadata.labels', goStringMap(labels), '`selector` does not match template `labels`'),
    );
  }
  return errors;
}

function validateLongRunning(spec: JsonObject, kind: string): FieldError[] {
  const template = child(spec, 'template');
  const pod = child(template, 'spec');
  const errors = validateTemplate(template, 'spec.template');
  if (errors.every((error) => error.field !== 'spec.template.spec.restartPolicy')) {
    errors.push(...unsupportedRestart(pod?.['restartPolicy'], 'spec.template.spec.restartPolicy', ['Always']));
  }
  if (pod?.['activeDeadlineSeconds'] !== undefined) {
    errors.push(
      forbidden('spec.template.spec.activeDeadlineSeconds', `activeDeadlineSeconds in ${kind} is not Supported`),
    );
  }
  return errors;
}

export function validateDeployment(object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const spec = specOf(object);
  const errors = [
    ...nonNegative('spec.replicas', spec['replicas']),
    ...validateOwnSelector(spec, 'deployment'),
    ...validateLongRunning(spec, 'ReplicaSet'),
    ...validateStrategy(child(spec, 'strategy')),
    ...nonNegative('spec.minReadySeconds', spec['minReadySeconds']),
    ...nonNegative('spec.revisionHistoryLimit', spec['revisionHistoryLimit']),
    ...nonNegative('spec.progressDeadlineSeconds', spec['progressDeadlineSeconds']),
  ];
  const { progressDeadlineSeconds: deadline, minReadySeconds = 0 } = spec;
  if (typeof deadline === 'number' && typeof minReadySeconds === 'number' && deadline <= minReadySeconds) {
    errors.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  }
  return [...errors, ...selectorChanges(spec, old)];
}

function selectorChanges(spec: JsonObject, old: ApiObject | undefined): FieldError[] {
  if (old === undefined) return [];
  const { selector } = spec;
  return immutable('spec.selector', { now: selector, old: specOf(old)['selector'], shown: goSelector(selector) });
}

function validateStrategy(strategy: JsonObject | undefined): FieldError[] {
  const type = strategy?.['type'];
  const rolling = child(strategy, 'rollingUpdate');
  if (type === 'Recreate') {
    const why = "may not be specified when strategy `type` is 'Recreate'";
    return rolling === undefined ? [] : [forbidden('spec.strategy.rollingUpdate', why)];
  }
  if (type !== 'RollingUpdate') return [notSupported('spec.strategy', strategy, ['Recreate', 'RollingUpdate'])];
  return validateRollingUpdate(rolling, 'spec.strategy.rollingUpdate');
}

function validateRollingUpdate(rolling: JsonObject | undefined, path: string): FieldError[] {
  if (rolling === undefined) return [required(path)];
  const errors = [
    ...validateAmountOrPercent(rolling['maxUnavailable'], `${path}.maxUnavailable`),
    ...validateAmountOrPercent(rolling['maxSurge'], `${path}.maxSurge`),
  ];
  if (isNone(rolling['maxUnavailable']) && isNone(rolling['maxSurge'])) {
    errors.push(invalid(`${path}.maxUnavailable`, rolling['maxUnavailable'], 'may not be 0 when `maxSurge` is 0'));
  }
  return errors;
}

function isNone(value: unknown): boolean {
  return value === 0 || value === '0%' || value === undefined;
}

export function validateAmountOrPercent(value: unknown, path: string): FieldError[] {
  if (value === undefined) return [];
  if (typeof value === 'number') return nonNegative(path, value);
  if (typeof value === 'string' && /^[0-9]+%$/.test(value)) {
    return path.endsWith('maxUnavailable') && Number.parseInt(value, 10) > 100
      ? [invalid(path, value, 'must not be greater than 100%')]
      : [];
  }
  const why =
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";
  return [invalid(path, value, why)];
}

export function validateReplicaSet(object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const spec = specOf(object);
  return [
    ...nonNegative('spec.replicas', spec['replicas']),
    ...nonNegative('spec.minReadySeconds', spec['minReadySeconds']),
    ...validateOwnSelector(spec, 'replicaset'),
    ...validateLongRunning(spec, 'ReplicaSet'),
    ...selectorChanges(spec, old),
  ];
}

export function validateReplicationController(object: ApiObject): FieldError[] {
  const spec = specOf(object);
  const errors = [
    ...nonNegative('spec.minReadySeconds', spec['minReadySeconds']),
    ...validateLabels(spec['selector'], 'spec.selector'),
    ...nonNegative('spec.replicas', spec['replicas']),
  ];
  const selector = child(spec, 'selector') ?? {};
  if (Object.keys(selector).length === 0) errors.push(required('spec.selector'));
  if (!isObject(spec['template'])) return [...errors, required('spec.template')];
  const labels = child(child(spec, 'template'), 'metadata')?.['labels'];
  if (!selectorMatches({ matchLabels: selector }, labels)) {
    const why = '`selector` does not match template `labels`';
    errors.push(invalidGo('spec.template.metadata.labels', goStringMap(labels), why));
  }
  return [...errors, ...validateLongRunning(spec, 'ReplicationController')];
}

const statefulSetMembers = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

export function validateStatefulSet(object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const spec = specOf(object);
  const errors = [
    ...oneOf('spec.podManagementPolicy', spec['podManagementPolicy'], ['OrderedReady', 'Parallel']),
    ...validateSetStrategy(child(spec, 'updateStrategy')),
    ...validateRetention(child(spec, 'persistentVolumeClaimRetentionPolicy')),
    ...nonNegative('spec.ordinals.start', child(spec, 'ordinals')?.['start']),
    ...nonNegative('spec.replicas', spec['replicas']),
    ...nonNegative('spec.minReadySeconds', spec['minReadySeconds']),
    ...validateOwnSelector(spec, 'statefulset'),
    // Mounts may name claim templates; upstream leaves the names of volumes to the pods.
    ...validateLongRunning(spec, 'StatefulSet').filter(({ reason }) => reason !== 'FieldValueNotFound'),
  ];
  if (old === undefined) return errors;
  const listed = `${statefulSetMembers
    .slice(0, -1)
    .map((name) => `'${name}'`)
    .join(', ')} and 'minReadySeconds'`;
  const why = `updates to statefulset spec for fields other than ${listed} are forbidden`;
  return [...errors, ...unchangedBut('spec', { now: spec, old: specOf(old), except: statefulSetMembers }, why)];
}

function validateSetStrategy(strategy: JsonObject | undefined): FieldError[] {
  const path = 'spec.updateStrategy';
  const type = strategy?.['type'] ?? '';
  const rolling = child(strategy, 'rollingUpdate');
  switch (type) {
    case '':
      return [required(path)];
    case 'OnDelete': {
      const why = "only allowed for updateStrategy 'RollingUpdate'";
      return rolling === undefined ? [] : [invalid(`${path}.rollingUpdate`, rolling, why)];
    }
    case 'RollingUpdate': {
      const { partition, maxUnavailable } = rolling ?? {};
      return [
        ...nonNegative(`${path}.rollingUpdate.partition`, partition),
        ...validateAmountOrPercent(maxUnavailable, `${path}.rollingUpdate.maxUnavailable`),
      ];
    }
    default:
      return [invalid(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")];
  }
}

function validateRetention(policy: JsonObject | undefined): FieldError[] {
  return ['whenDeleted', 'whenScaled'].flatMap((name) =>
    oneOf(`spec.persistentVolumeClaimRetentionPolicy.${name}`, policy?.[name], ['Delete', 'Retain']),
  );
}

function validateDaemonStrategy(strategy: JsonObject | undefined): FieldError[] {
  const rolling = child(strategy, 'rollingUpdate');
  if (strategy?.['type'] !== 'RollingUpdate') return [];
  const path = 'spec.updateStrategy.rollingUpdate';
  if (rolling === undefined) return [required(path)];
  const { maxUnavailable, maxSurge } = rolling;
  const errors = [
    ...validateAmountOrPercent(maxUnavailable, `${path}.maxUnavailable`),
    ...validateAmountOrPercent(maxSurge, `${path}.maxSurge`),
  ];
  if (isNone(maxUnavailable) && isNone(maxSurge)) {
    errors.push(required(`${path}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  } else if (!isNone(maxUnavailable) && !isNone(maxSurge)) {
    errors.push(invalid(`${path}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'));
  }
  return errors;
}

export function validateDaemonSet(object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const spec = specOf(object);
  const strategy = child(spec, 'updateStrategy');
  return [
    ...validateOwnSelector(spec, 'daemonset'),
    ...validateLongRunning(spec, 'DaemonSet'),
    ...nonNegative('spec.minReadySeconds', spec['minReadySeconds']),
    ...oneOf('spec.updateStrategy.type', strategy?.['type'], ['RollingUpdate', 'OnDelete']),
    ...validateDaemonStrategy(strategy),
    ...nonNegative('spec.revisionHistoryLimit', spec['revisionHistoryLimit']),
    ...selectorChanges(spec, old),
  ];
}

/** The part of a metric that its type names, and what that part must say. */
const metricParts: Record<string, { member: string; needsName: readonly string[] }> = {
  Resource: { member: 'resource', needsName: ['name'] },
  ContainerResource: { member: 'containerResource', needsName: ['name', 'container'] },
  Pods: { member: 'pods', needsName: ['metric.name'] },
  Object: { member: 'object', needsName: ['describedObject.kind', 'describedObject.name', 'metric.name'] },
  External: { member: 'external', needsName: ['metric.name'] },
};

function validateMetrics(metrics: readonly JsonObject[]): FieldError[] {
  return metrics.flatMap((metric, index) => {
    const path = `spec.metrics[${index}]`;
    const { type = '' } = metric;
    if (type === '') return [required(`${path}.type`, 'must specify a metric source type')];
    const part = metricParts[String(type)];
    if (part === undefined) return [notSupported(`${path}.type`, type, Object.keys(metricParts).sort())];
    const at = `${path}.${part.member}`;
    const source = child(metric, part.member);
    if (source === undefined) return [required(at, 'must populate information for the given metric source')];
    const missing = part.needsName.filter((name) => (getPath(source, ...name.split('.')) ?? '') === '');
    return [...missing.map((name) => required(`${at}.${name}`)), ...validateMetricTarget(source, at, String(type))];
  });
}

function validateMetricTarget(source: JsonObject, path: string, metric: string): FieldError[] {
  const target = child(source, 'target') ?? {};
  const at = `${path}.target`;
  const { type = '', averageUtilization, averageValue, value } = target;
  if (type === '') return [required(`${at}.type`, 'must specify a metric target type')];
  const types = ['Utilization', 'Value', 'AverageValue'];
  if (!types.includes(String(type))) {
    return [invalid(`${at}.type`, type, 'must be either Utilization, Value, or AverageValue')];
  }
  const errors: FieldError[] = [];
  if (typeof averageUtilization === 'number' && averageUtilization < 1) {
    errors.push(invalid(`${at}.averageUtilization`, averageUtilization, 'must be greater than 0'));
  }
  if (metric === 'Resource' || metric === 'ContainerResource') {
    if (averageUtilization === undefined && averageValue === undefined) {
      const why = 'must set either a target raw value or a target utilization';
      errors.push(required(`${at}.averageUtilization`, why));
    } else if (averageUtilization !== undefined && averageValue !== undefined) {
      const why = 'may not set both a target raw value and a target utilization';
      errors.push(forbidden(`${at}.averageValue`, why));
    }
  } else if (averageValue === undefined && (metric === 'Pods' || value === undefined)) {
    const why =
      metric === 'Pods'
        ? 'must specify a positive target averageValue'
        : 'must set either a target value or averageValue';
    errors.push(required(`${at}.averageValue`, why));
  }
  return errors;
}

export function validateAutoscaler(object: ApiObject): FieldError[] {
  const spec = specOf(object);
  const errors: FieldError[] = [];
  const { minReplicas, maxReplicas = 0 } = spec;
  if (typeof minReplicas === 'number' && minReplicas < 1) {
    errors.push(invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 1'));
  }
  if (typeof maxReplicas === 'number' && maxReplicas < 1) {
    errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'));
  }
  if (typeof minReplicas === 'number' && typeof maxReplicas === 'number' && maxReplicas < minReplicas) {
    errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'));
  }
  const target = child(spec, 'scaleTargetRef');
  for (const name of ['kind', 'name']) {
    if ((target?.[name] ?? '') === '') errors.push(required(`spec.scaleTargetRef.${name}`));
  }
  errors.push(...validateMetrics(children(spec, 'metrics')));
  return errors;
}

export function validateDisruptionBudget(object: ApiObject): FieldError[] {
  const spec = specOf(object);
  const errors: FieldError[] = [];
  if (spec['minAvailable'] !== undefined && spec['maxUnavailable'] !== undefined) {
    errors.push(
      invalidGo('spec', 'policy.PodDisruptionBudgetSpec', 'minAvailable and maxUnavailable cannot be both set'),
    );
  }
  errors.push(...validateAmountOrPercent(spec['minAvailable'], 'spec.minAvailable'));
  errors.push(...validateAmountOrPercent(spec['maxUnavailable'], 'spec.maxUnavailable'));
  return [...errors, ...validateSelector(spec['selector'], 'spec.selector')];
}

const podUpdate =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

export function validatePod(object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const spec = specOf(object);
  const errors = validatePodSpec(spec, 'spec');
  if (old === undefined) return errors;
  const before = specOf(old);
  if (!jsonEqual(fixedPod(spec, before), fixedPod(before, before))) errors.push(forbidden('spec', podUpdate));
  const kept = children(spec, 'tolerations');
  const lost = children(before, 'tolerations').some((one) => !kept.some((other) => jsonEqual(one, other)));
  if (lost)
    errors.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'));
  return errors;
}

/** What of a pod's spec may not change; binding sets the node once. */
function fixedPod(spec: JsonObject, old: JsonObject): JsonObject {
  const { activeDeadlineSeconds: _a, tolerations: _t, ephemeralContainers: _e, ...rest } = spec;
  const images = (name: string): JsonObject[] =>
    children(spec, name).map(({ image: _image, resources: _r, ...other }) => other);
  const fixed: JsonObject = { ...rest, containers: images('containers'), initContainers: images('initContainers') };
  if ((old['nodeName'] ?? '') === '') delete fixed['nodeName'];
  delete fixed['schedulingGates'];
  return fixed;
}
