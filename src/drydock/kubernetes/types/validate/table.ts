import type { ApiObject, FieldError } from '../../api/port.ts';
import { validateBinding, validateRole } from './access.ts';
import { validateDefinition } from './definition.ts';
import { validateCronJob, validateJob } from './job.ts';
import { validateBuiltinMetadata } from './metadata.ts';
import type { NameRule } from './names.ts';
import { validateIngress, validateIngressClass, validateNetworkPolicy, validateService } from './network.ts';
import {
  validateClaim,
  validateConfigMap,
  validatePriorityClass,
  validateSecret,
  validateServiceAccount,
  validateStorageClass,
  validateVolume,
} from './object.ts';
import {
  validateAutoscaler,
  validateDaemonSet,
  validateDeployment,
  validateDisruptionBudget,
  validatePod,
  validateReplicaSet,
  validateReplicationController,
  validateStatefulSet,
} from './workload.ts';

type Validator = (object: ApiObject, old: ApiObject | undefined) => FieldError[];

/** The rules of each built-in kind beyond its metadata; kinds that are not here have none of their own. */
const validators: Record<string, Validator> = {
  'core/v1.Pod': validatePod,
  'core/v1.Service': validateService,
  'core/v1.ConfigMap': validateConfigMap,
  'core/v1.Secret': validateSecret,
  'core/v1.ServiceAccount': validateServiceAccount,
  'core/v1.PersistentVolumeClaim': validateClaim,
  'core/v1.PersistentVolume': validateVolume,
  'core/v1.ReplicationController': validateReplicationController,
  'apps/v1.Deployment': validateDeployment,
  'apps/v1.ReplicaSet': validateReplicaSet,
  'apps/v1.StatefulSet': validateStatefulSet,
  'apps/v1.DaemonSet': validateDaemonSet,
  'batch/v1.Job': validateJob,
  'batch/v1.CronJob': validateCronJob,
  'autoscaling/v2.HorizontalPodAutoscaler': validateAutoscaler,
  'autoscaling/v1.HorizontalPodAutoscaler': validateAutoscaler,
  'policy/v1.PodDisruptionBudget': validateDisruptionBudget,
  'networking/v1.Ingress': validateIngress,
  'networking/v1.IngressClass': validateIngressClass,
  'networking/v1.NetworkPolicy': validateNetworkPolicy,
  'rbac/v1.Role': validateRole,
  'rbac/v1.ClusterRole': validateRole,
  'rbac/v1.RoleBinding': validateBinding,
  'rbac/v1.ClusterRoleBinding': validateBinding,
  'storage/v1.StorageClass': validateStorageClass,
  'scheduling/v1.PriorityClass': validatePriorityClass,
  'apiextensions/v1.CustomResourceDefinition': validateDefinition,
};

const nameRules: Record<string, NameRule> = {
  'core/v1.Namespace': 'label',
  'core/v1.Service': 'label1035',
  'rbac/v1.Role': 'path',
  'rbac/v1.ClusterRole': 'path',
  'rbac/v1.RoleBinding': 'path',
  'rbac/v1.ClusterRoleBinding': 'path',
  'apps/v1.StatefulSet': 'subdomain',
};

/** Reviews and scales are answered, not stored: they have no name of their own. */
const unnamed = /Review$|^autoscaling\/v1\.Scale$|\.TokenRequest$|\.Binding$|\.Eviction$/;

export function validateKind(name: string, object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const own = validators[name]?.(object, old) ?? [];
  if (unnamed.test(name)) return own;
  return [...validateBuiltinMetadata(object, old, nameRules[name] ?? 'subdomain'), ...own];
}
