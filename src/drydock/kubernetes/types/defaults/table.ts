import type { JsonObject } from '#base/json.ts';
import {
  defaultEndpointSlice,
  defaultEndpoints,
  defaultNetworkPolicy,
  defaultService,
  defaultWebhooks,
} from './network.ts';
import {
  defaultAdmissionPolicy,
  defaultAdmissionPolicyBinding,
  defaultBinding,
  defaultClaim,
  defaultCsiDriver,
  defaultDefinition,
  defaultFlowSchema,
  defaultLimitRange,
  defaultNamespace,
  defaultPriorityClass,
  defaultPriorityLevel,
  defaultSecret,
  defaultStorageClass,
  defaultVolume,
} from './object.ts';
import { defaultPod } from './pod.ts';
import {
  defaultAutoscaler,
  defaultCronJob,
  defaultDaemonSet,
  defaultDeployment,
  defaultJob,
  defaultReplicaSet,
  defaultReplicationController,
  defaultStatefulSet,
  defaultTemplate,
} from './workload.ts';

type Defaulter = (object: JsonObject, old: JsonObject | undefined) => void;

/** The code defaults of each built-in kind; kinds that are not here have none. Each may run any number of times. */
export const defaulters: Record<string, Defaulter> = {
  'core/v1.Pod': defaultPod,
  'core/v1.PodTemplate': defaultTemplate,
  'core/v1.ReplicationController': defaultReplicationController,
  'core/v1.Service': defaultService,
  'core/v1.Endpoints': defaultEndpoints,
  'core/v1.Secret': defaultSecret,
  'core/v1.PersistentVolumeClaim': defaultClaim,
  'core/v1.PersistentVolume': defaultVolume,
  'core/v1.Namespace': defaultNamespace,
  'core/v1.LimitRange': defaultLimitRange,
  'apps/v1.Deployment': defaultDeployment,
  'apps/v1.ReplicaSet': defaultReplicaSet,
  'apps/v1.StatefulSet': defaultStatefulSet,
  'apps/v1.DaemonSet': defaultDaemonSet,
  'batch/v1.Job': defaultJob,
  'batch/v1.CronJob': defaultCronJob,
  'autoscaling/v2.HorizontalPodAutoscaler': defaultAutoscaler,
  'autoscaling/v1.HorizontalPodAutoscaler': (object) => {
    const spec = object['spec'];
    if (typeof spec === 'object' && spec !== null && !('minReplicas' in spec)) Object.assign(spec, { minReplicas: 1 });
  },
  'networking/v1.NetworkPolicy': defaultNetworkPolicy,
  'discovery/v1.EndpointSlice': defaultEndpointSlice,
  'rbac/v1.RoleBinding': defaultBinding,
  'rbac/v1.ClusterRoleBinding': defaultBinding,
  'storage/v1.StorageClass': defaultStorageClass,
  'storage/v1.CSIDriver': defaultCsiDriver,
  'scheduling/v1.PriorityClass': defaultPriorityClass,
  'admissionregistration/v1.MutatingWebhookConfiguration': defaultWebhooks,
  'admissionregistration/v1.ValidatingWebhookConfiguration': defaultWebhooks,
  'admissionregistration/v1.ValidatingAdmissionPolicy': defaultAdmissionPolicy,
  'admissionregistration/v1.ValidatingAdmissionPolicyBinding': defaultAdmissionPolicyBinding,
  'flowcontrol/v1.FlowSchema': defaultFlowSchema,
  'flowcontrol/v1.PriorityLevelConfiguration': defaultPriorityLevel,
  'apiextensions/v1.CustomResourceDefinition': defaultDefinition,
};
