import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from '../health.ts';
import {
  always,
  at,
  type Catalogue,
  type Check,
  firstOf,
  given,
  items,
  kinds,
  present,
  textAt,
  whenTrue,
} from '../rules.ts';

/** The schedule itself; a run's failure shows on its Job. */
function cronJob(object: KubeObject): Health {
  if (!present(object, 'status')) return health('Progressing', 'Waiting for CronJob');
  const scheduled = textAt(object, 'status.lastScheduleTime');
  const succeeded = textAt(object, 'status.lastSuccessfulTime');
  if (scheduled === undefined) return health('Healthy', 'CronJob has not been scheduled yet');
  if (succeeded === undefined)
    return health('Healthy', 'The CronJob never completed successfully. It may not be healthy');
  if (items(object, 'status.active').length > 0)
    return health('Healthy', 'The job is running. Its last execution may not have been successful');
  return succeeded < scheduled
    ? health('Degraded', 'CronJob has not completed its last execution successfully')
    : health('Healthy', 'CronJob has completed its last execution successfully');
}

function disruptionBudget(object: KubeObject): Health {
  const list = items(object, 'status.conditions');
  const said = (condition: unknown) => `PodDisruptionBudget has ${textAt(condition, 'reason') ?? ''}`;
  const fault = list.find((c) => textAt(c, 'status') === 'False' && textAt(c, 'reason') !== 'InsufficientPods');
  if (fault !== undefined) return health('Degraded', said(fault));
  const last = list.at(-1);
  return last === undefined ? health('Progressing', 'Waiting for status') : health('Healthy', said(last));
}

function definitionFault(condition: unknown): Health | undefined {
  const status = textAt(condition, 'status');
  const message = textAt(condition, 'message') ?? '';
  switch (textAt(condition, 'type')) {
    case 'Terminating':
      return status === 'True' ? health('Progressing', `CRD is terminating: ${message}`) : undefined;
    case 'NamesAccepted':
      return status === 'False' ? health('Degraded', `CRD names have not been accepted: ${message}`) : undefined;
    case 'NonStructuralSchema':
      return status === 'True' ? health('Degraded', `Schema violations found: ${message}`) : undefined;
    case 'Established':
      return status !== 'True' && textAt(condition, 'reason') === 'Installing'
        ? health('Progressing', 'CRD is being installed')
        : undefined;
    default:
      return undefined;
  }
}

function definition(object: KubeObject): Health {
  const list = items(object, 'status.conditions');
  if (list.length === 0) return health('Progressing', 'Status conditions not found');
  const fault = list.map(definitionFault).find((found) => found !== undefined);
  if (fault !== undefined) return fault;
  return list.some((c) => textAt(c, 'type') === 'Established' && textAt(c, 'status') === 'True')
    ? health('Healthy', 'CRD is healthy')
    : health('Degraded', 'CRD is not established');
}

const snapshot = firstOf(
  whenTrue('status.readyToUse', 'Healthy', 'Ready to use'),
  given('status.error', always('Degraded', '{.status.error.message}')),
  always('Progressing', 'Waiting for status'),
);

/** ResolvedRefs, Accepted and Programmed of one list: what is open, with `before` in front of its message. */
function gatewayFault(list: readonly unknown[], before: string, subject: string): Health | undefined {
  for (const type of ['ResolvedRefs', 'Accepted']) {
    const failed = list.find((c) => textAt(c, 'type') === type && textAt(c, 'status') === 'False');
    if (failed !== undefined)
      return health('Degraded', `${before}${textAt(failed, 'message') ?? `Failed condition: ${type}`}`);
  }
  const open = list.find((c) => textAt(c, 'type') === 'Programmed' && textAt(c, 'status') !== 'True');
  if (open === undefined) return undefined;
  return health('Progressing', `${before}${textAt(open, 'message') ?? `${subject} is still being programmed`}`);
}

function isObserved(object: KubeObject, parent: unknown): boolean {
  const { generation } = object.metadata;
  if (generation === undefined) return true;
  const list = items(parent, 'conditions');
  return (
    list.length > 0 &&
    list.every((c) => !present(c, 'observedGeneration') || at(c, 'observedGeneration') === generation)
  );
}

/** A route with the parents that it asked for; `strict` ones count only what was said of this generation. */
function route(kind: string, strict: boolean): Check {
  return (object) => {
    const parents = items(object, 'status.parents').filter((parent) => present(parent, 'conditions'));
    const current = parents.filter((parent) => !strict || isObserved(object, parent));
    for (const parent of current) {
      const before = `Parent ${textAt(parent, 'parentRef.name') ?? ''}: `;
      const fault = gatewayFault(items(parent, 'conditions'), before, 'Route');
      if (fault !== undefined) return fault;
    }
    return current.some((parent) => items(parent, 'conditions').length > 0)
      ? health('Healthy', `${kind} is healthy`)
      : health('Progressing', `Waiting for ${kind} status`);
  };
}

function gateway(object: KubeObject): Health {
  const own = gatewayFault(items(object, 'status.conditions'), '', 'Gateway');
  if (own !== undefined) return own;
  const listeners = items(object, 'status.listeners');
  for (const listener of listeners) {
    const fault = gatewayFault(items(listener, 'conditions'), 'Listener: ', 'Listener');
    if (fault !== undefined) return fault;
  }
  return present(object, 'status.conditions') || listeners.length > 0
    ? health('Healthy', 'Gateway is healthy')
    : health('Progressing', 'Waiting for Gateway status');
}

function gatewayClass(object: KubeObject): Health {
  const { generation } = object.metadata;
  const accepted = items(object, 'status.conditions').find((condition) => {
    const observed = at(condition, 'observedGeneration') ?? generation;
    return textAt(condition, 'type') === 'Accepted' && (generation === undefined || observed === generation);
  });
  const said = (fallback: string) => textAt(accepted, 'message') ?? fallback;
  switch (textAt(accepted, 'status')) {
    case 'True':
      return health('Healthy', said('GatewayClass is accepted'));
    case 'False':
      return health('Degraded', said('GatewayClass is not accepted'));
    default:
      return health('Progressing', said('Waiting for GatewayClass status'));
  }
}

export interface AncestorRules {
  kind: string;
  /** A condition without an observed generation counts as not seen. */
  strict: boolean;
  /** An ancestor must have accepted it. */
  needsAccepted: boolean;
}

/** A policy of Gateway API's kind, with one list of conditions for each ancestor. */
export function ancestors(object: KubeObject, rules: AncestorRules): Health {
  const { kind } = rules;
  const list = items(object, 'status.ancestors');
  const nameOf = (ancestor: unknown) => `Ancestor ${textAt(ancestor, 'ancestorRef.name') ?? ''}`;
  const { generation } = object.metadata;
  const isLate = (condition: unknown) => {
    const observed = at(condition, 'observedGeneration');
    return (rules.strict || (observed !== undefined && observed !== null)) && observed !== generation;
  };
  const late = generation === undefined ? undefined : list.find((a) => items(a, 'conditions').some(isLate));
  if (late !== undefined) return health('Progressing', `Waiting for ${nameOf(late)} to update ${kind} status`);
  let result = health('Progressing', `Waiting for ${kind} status`);
  for (const ancestor of list) {
    const found = items(ancestor, 'conditions');
    const fault = found.find(
      (c) => ['Accepted', 'ResolvedRefs'].includes(textAt(c, 'type') ?? '') && textAt(c, 'status') !== 'True',
    );
    if (fault !== undefined) return health('Degraded', `${nameOf(ancestor)}: ${textAt(fault, 'message') ?? ''}`);
    if (found.some((c) => textAt(c, 'type') === 'Accepted')) result = health('Healthy', `${kind} is healthy`);
    else if (rules.needsAccepted) result = health('Degraded', `${nameOf(ancestor)}: ${kind} is not accepted`);
  }
  return result;
}

/** Kubernetes' own kinds that have no file of their own, and those of its interest groups. */
export const kubernetesKinds: Catalogue = {
  'apiextensions.k8s.io/CustomResourceDefinition': definition,
  'batch/CronJob': firstOf(whenTrue('spec.suspend', 'Healthy', 'CronJob is Suspended'), cronJob),
  'policy/PodDisruptionBudget': disruptionBudget,
  ...kinds('snapshot.storage.k8s.io', ['VolumeSnapshot', 'VolumeSnapshotContent'], () => snapshot),
  'gateway.networking.k8s.io/BackendTLSPolicy': (object) =>
    ancestors(object, { kind: 'BackendTLSPolicy', strict: false, needsAccepted: false }),
  'gateway.networking.k8s.io/GRPCRoute': route('GRPCRoute', false),
  'gateway.networking.k8s.io/HTTPRoute': route('HTTPRoute', true),
  'gateway.networking.k8s.io/Gateway': gateway,
  'gateway.networking.k8s.io/GatewayClass': gatewayClass,
};
