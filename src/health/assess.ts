import { messageOf } from '#base/errors.ts';
import { type KubeObject, parseApiVersion } from '#kube/port.ts';
import { finalizers } from '#model/argocd/names.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';
import { apiServiceHealth } from './api-service.ts';
import { applicationHealth } from './application.ts';
import { healthByConditions } from './by-conditions.ts';
import { catalogued } from './catalogue/catalogue.ts';
import { deletionMessage } from './catalogue/deletion.ts';
import { customCheck } from './customizations.ts';
import { daemonSetHealth } from './daemon-set.ts';
import { deploymentHealth } from './deployment.ts';
import { type Health, health } from './health.ts';
import { horizontalPodAutoscalerHealth } from './horizontal-pod-autoscaler.ts';
import { ingressHealth } from './ingress.ts';
import { jobHealth } from './job.ts';
import { luaHealth } from './lua-health.ts';
import { persistentVolumeClaimHealth } from './persistent-volume-claim.ts';
import { podHealth } from './pod.ts';
import { replicaSetHealth } from './replica-set.ts';
import type { Check } from './rules.ts';
import { serviceHealth } from './service.ts';
import { statefulSetHealth } from './stateful-set.ts';
import { workflowHealth } from './workflow.ts';

/** What an instance's settings say about health, and the time for scripts that ask for it. */
export interface HealthContext {
  settings: Pick<ArgoSettings, 'customizations' | 'data'>;
  nowMs: number;
}

/** Health as an instance sees it now. */
export type Assess = (object: KubeObject) => Health | undefined;

/** Health by the settings of the moment in which it is asked for. */
export function assessor(settings: () => HealthContext['settings'], clock: { now(): number }): Assess {
  return (object) => assessHealth(object, { settings: settings(), nowMs: clock.now() });
}

/** Of `argocd-cm`, Slipway's own: "false" leaves kinds that nobody has described without an opinion, as Argo CD does. */
export const byConditionsKey = 'slipway.health.conditions';

const checks: Readonly<Record<string, Check>> = {
  'apps/Deployment': deploymentHealth,
  'apps/ReplicaSet': replicaSetHealth,
  'apps/StatefulSet': statefulSetHealth,
  'apps/DaemonSet': daemonSetHealth,
  '/Pod': podHealth,
  'batch/Job': jobHealth,
  '/PersistentVolumeClaim': persistentVolumeClaimHealth,
  '/Service': serviceHealth,
  'networking.k8s.io/Ingress': ingressHealth,
  'extensions/Ingress': ingressHealth,
  'autoscaling/HorizontalPodAutoscaler': horizontalPodAutoscalerHealth,
  'apiregistration.k8s.io/APIService': apiServiceHealth,
  'argoproj.io/Workflow': workflowHealth,
  'argoproj.io/Application': applicationHealth,
};

/** Groups of API servers themselves, whose kinds have no conditions that mean their health. */
const serverGroups = new Set(
  [
    'admissionregistration apiextensions apiregistration authentication authorization certificates coordination',
    'discovery events flowcontrol.apiserver internal.apiserver networking node rbac.authorization resource scheduling',
    'storage storagemigration',
  ]
    .join(' ')
    .split(' ')
    .map((name) => `${name}.k8s.io`),
);

function isCustomGroup(group: string): boolean {
  return group.includes('.') && !serverGroups.has(group);
}

const resolved = new Map<string, Check | null>();
const maxResolved = 4096;

/** A kind's own check; null when nobody has described it. */
function checkFor(groupKind: string): Check | null {
  let check = resolved.get(groupKind);
  if (check === undefined) {
    check = checks[groupKind] ?? catalogued(groupKind) ?? null;
    if (resolved.size >= maxResolved) resolved.clear();
    resolved.set(groupKind, check);
  }
  return check;
}

/**
 * The health of a live object: on its way out, else by the settings' own checks, else by its kind's, else by its conditions.
 * Undefined is no opinion.
 */
export function assessHealth(object: KubeObject, context?: HealthContext): Health | undefined {
  const { group } = parseApiVersion(object.apiVersion);
  const groupKind = `${group}/${object.kind}`;
  const keptByHook = object.metadata.finalizers?.includes(finalizers.hook) ?? false;
  if (object.metadata.deletionTimestamp !== undefined && !keptByHook)
    return health('Progressing', deletionMessage(groupKind, object));
  const custom = context && customCheck(context.settings.customizations, { group, kind: object.kind });
  if (context && custom) return luaHealth(custom, object, context.nowMs);
  const check = checkFor(groupKind);
  try {
    if (check !== null) return check(object);
    const wanted = context?.settings.data[byConditionsKey]?.trim() !== 'false';
    return wanted && isCustomGroup(group) ? healthByConditions(object) : undefined;
  } catch (error) {
    return health('Unknown', messageOf(error));
  }
}
