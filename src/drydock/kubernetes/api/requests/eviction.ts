import { timestamp } from '#base/clock.ts';
import { cloneJson, getNumber, getObject, getString, isObject } from '#base/json.ts';
import { ApiError, type ApiObject } from '../port.ts';
import type { Exchange } from '../protocol/exchange.ts';
import { matchesLabels, parseLabelSelector } from '../protocol/label-selector.ts';
import { parseBody } from '../protocol/request-body.ts';
import { selectorText } from '../protocol/selector-text.ts';
import { badRequest, methodNotAllowed, notFound } from '../protocol/status-error.ts';
import { objectKey } from '../served.ts';
import { deleteObject, parseDeleteOptions } from '../write/delete.ts';
import { updateObject, type WriteDeps } from '../write/write.ts';
import type { SubresourceTarget } from './subresource-requests.ts';

const manager = 'kube-apiserver';

/** POST of an Eviction: deletes the pod when its PodDisruptionBudget lets it go, 429 otherwise. */
export async function evictPod(deps: WriteDeps, exchange: Exchange, target: SubresourceTarget): Promise<void> {
  if (exchange.method !== 'POST') throw methodNotAllowed();
  const { resource, namespace = '', name } = target;
  const { value } = parseBody(await exchange.body(), exchange.header('content-type'), 'Eviction');
  const named = getString(value, 'metadata', 'name') ?? '';
  if (named !== '' && named !== name) throw badRequest('name in URL does not match name in Eviction object');
  const { dryRun: fromQuery } = exchange;
  const asked = { ...(fromQuery ? { dryRun: fromQuery } : {}), ...getObject(value, 'deleteOptions') };
  const { options, dryRun } = parseDeleteOptions(asked);
  const pod = deps.store.get(resource.storage, objectKey(resource, namespace, name))?.object;
  if (!pod) throw notFound(resource, name);
  if (!isGone(pod)) await takeFromBudget(deps, pod, dryRun);
  await deleteObject(deps, { resource, namespace, name, options, dryRun });
  await exchange.json(201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 });
}

/** Pods that do not count as available: no budget holds them. */
function isGone(pod: ApiObject): boolean {
  const phase = getString(pod, 'status', 'phase');
  return pod.metadata.deletionTimestamp !== undefined || phase !== 'Running';
}

async function takeFromBudget(deps: WriteDeps, pod: ApiObject, dryRun: boolean): Promise<void> {
  const budgets = deps.served.find('policy', 'v1', 'poddisruptionbudgets');
  const { namespace = '', name, labels } = pod.metadata;
  if (!budgets) return;
  const matching = deps.store.scan(budgets.storage, `${namespace}/`).filter(({ object }) => selects(object, labels));
  const [budget, second] = matching;
  if (second)
    throw new ApiError(
      500,
      'InternalError',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  if (!budget || (isUnhealthy(pod) && letsUnhealthyGo(budget.object))) return;
  requireAllowed(budget.object);
  const evictedAt = timestamp(deps.clock.now());
  await updateObject(deps, {
    resource: budgets,
    namespace,
    name: budget.object.metadata.name,
    options: { manager, dryRun },
    subresource: 'status',
    produce: (live) => {
      requireAllowed(live);
      const wanted = cloneJson(live);
      const status = isObject(wanted['status']) ? wanted['status'] : {};
      const allowed = getNumber(status, 'disruptionsAllowed') ?? 0;
      const disruptedPods = { ...getObject(status, 'disruptedPods'), [name]: evictedAt };
      return {
        object: { ...wanted, status: { ...status, disruptionsAllowed: allowed - 1, disruptedPods } },
        managed: false,
      };
    },
  });
}

function selects(budget: ApiObject, labels: Record<string, string> | undefined): boolean {
  const { selector } = getObject(budget, 'spec');
  return isObject(selector) && matchesLabels(parseLabelSelector(selectorText(selector)), labels);
}

function isUnhealthy(pod: ApiObject): boolean {
  const conditions = getObject(pod, 'status')['conditions'];
  const ready = Array.isArray(conditions) ? conditions.find((item) => getString(item, 'type') === 'Ready') : undefined;
  return getString(ready, 'status') !== 'True';
}

/** By default an unhealthy pod may go while the budget has the healthy ones that it asks for. */
function letsUnhealthyGo(budget: ApiObject): boolean {
  if (getString(budget, 'spec', 'unhealthyPodEvictionPolicy') === 'AlwaysAllow') return true;
  const healthy = getNumber(budget, 'status', 'currentHealthy') ?? 0;
  const desired = getNumber(budget, 'status', 'desiredHealthy') ?? 0;
  return desired > 0 && healthy >= desired;
}

function requireAllowed(budget: ApiObject): void {
  const { name, generation = 0 } = budget.metadata;
  if ((getNumber(budget, 'status', 'observedGeneration') ?? 0) < generation)
    throw tooManyDisruptions(`The disruption budget ${name} is still being processed by the server.`, 10);
  if ((getNumber(budget, 'status', 'disruptionsAllowed') ?? 0) > 0) return;
  const desired = getNumber(budget, 'status', 'desiredHealthy') ?? 0;
  const healthy = getNumber(budget, 'status', 'currentHealthy') ?? 0;
  throw tooManyDisruptions(`The disruption budget ${name} needs ${desired} healthy pods and has ${healthy} currently`);
}

function tooManyDisruptions(message: string, retryAfterSeconds = 0): ApiError {
  return new ApiError(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message }],
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
  });
}
