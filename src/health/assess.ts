import { messageOf } from '#base/errors.ts';
import { type KubeObject, parseApiVersion } from '#kube/port.ts';
import { finalizers } from '#model/argocd/names.ts';
import { apiServiceHealth } from './api-service.ts';
import { applicationHealth } from './application.ts';
import { cronJobHealth } from './cron-job.ts';
import { customResourceDefinitionHealth } from './custom-resource-definition.ts';
import { daemonSetHealth } from './daemon-set.ts';
import { deploymentHealth } from './deployment.ts';
import { type Health, health } from './health.ts';
import { horizontalPodAutoscalerHealth } from './horizontal-pod-autoscaler.ts';
import { ingressHealth } from './ingress.ts';
import { jobHealth } from './job.ts';
import { persistentVolumeClaimHealth } from './persistent-volume-claim.ts';
import { podHealth } from './pod.ts';
import { replicaSetHealth } from './replica-set.ts';
import { serviceHealth } from './service.ts';
import { statefulSetHealth } from './stateful-set.ts';
import { workflowHealth } from './workflow.ts';

const checks: Record<string, (object: KubeObject) => Health> = {
  'apps/Deployment': deploymentHealth,
  'apps/ReplicaSet': replicaSetHealth,
  'apps/StatefulSet': statefulSetHealth,
  'apps/DaemonSet': daemonSetHealth,
  '/Pod': podHealth,
  'batch/Job': jobHealth,
  'batch/CronJob': cronJobHealth,
  '/PersistentVolumeClaim': persistentVolumeClaimHealth,
  '/Service': serviceHealth,
  'networking.k8s.io/Ingress': ingressHealth,
  'extensions/Ingress': ingressHealth,
  'autoscaling/HorizontalPodAutoscaler': horizontalPodAutoscalerHealth,
  'apiregistration.k8s.io/APIService': apiServiceHealth,
  'apiextensions.k8s.io/CustomResourceDefinition': customResourceDefinitionHealth,
  'argoproj.io/Workflow': workflowHealth,
  'argoproj.io/Application': applicationHealth,
};

/** The health of a live object; undefined when its kind has no check, which counts as no opinion. */
export function assessHealth(object: KubeObject): Health | undefined {
  const keptByHook = object.metadata.finalizers?.includes(finalizers.hook) ?? false;
  if (object.metadata.deletionTimestamp !== undefined && !keptByHook) return health('Progressing', 'Pending deletion');
  const check = checks[`${parseApiVersion(object.apiVersion).group}/${object.kind}`];
  if (!check) return undefined;
  try {
    return check(object);
  } catch (error) {
    return health('Unknown', messageOf(error));
  }
}
