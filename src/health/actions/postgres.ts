import { AppError } from '#base/errors.ts';
import { getObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { items, textAt } from '../rules.ts';
import {
  type ActionResult,
  annotating,
  type BuiltInAction,
  icon,
  patched,
  restartedAt,
  seconds,
  withField,
} from './action.ts';

const loop = 'cnpg.io/reconciliationLoop';
const isLoopOff = (object: KubeObject) => object.metadata.annotations?.[loop] === 'disabled';

/** The instance that becomes primary: the next healthy one, or one by its name or number. */
function successor(object: KubeObject, wanted: string): string | undefined {
  const healthy = items(object, 'status.instancesStatus.healthy').filter((name) => typeof name === 'string');
  if (wanted === 'any') {
    const primary = healthy.indexOf(textAt(object, 'status.currentPrimary') ?? '');
    return healthy[primary < 0 ? 0 : (primary + 1) % healthy.length];
  }
  const name = /^\d+$/.test(wanted) ? `${object.metadata.name}-${wanted}` : wanted;
  return healthy.find((candidate) => candidate === name);
}

function promotePostgres(object: KubeObject, input: { wanted: string; nowMs: number }): ActionResult[] {
  const chosen = successor(object, input.wanted);
  if (chosen === undefined)
    throw new AppError('bad-input', `Could not find a healthy instance matching the criteria: ${input.wanted}`);
  const status = {
    ...getObject(object, 'status'),
    targetPrimary: chosen,
    targetPrimaryTimestamp: `${seconds(input.nowMs)}Z`,
    phase: 'Switchover in progress',
    phaseReason: `Switching over to ${chosen}`,
  };
  return patched(withField(object, ['status'], status));
}

const stamping =
  (name: string): BuiltInAction['run'] =>
  (object, { nowMs }) =>
    patched(withField(object, ['metadata', 'annotations', name], `${seconds(nowMs)}Z`));

/** postgresql.cnpg.io/Cluster. */
export const postgresActions: readonly BuiltInAction[] = [
  {
    name: 'restart',
    displayName: 'Rollout restart Cluster',
    iconClass: icon('recycle'),
    run: stamping(restartedAt),
  },
  {
    name: 'reload',
    displayName: 'Reload all Configuration',
    iconClass: icon('rotate-right'),
    run: stamping('cnpg.io/reloadedAt'),
  },
  {
    name: 'promote',
    displayName: 'Promote Replica to Primary',
    iconClass: icon('angles-up'),
    disabled: (object) => items(object, 'status.instancesStatus.healthy').length < 2,
    params: () => [{ name: 'instance', default: 'any' }],
    run: (object, { parameters, nowMs }) => promotePostgres(object, { wanted: parameters['instance'] ?? 'any', nowMs }),
  },
  {
    name: 'suspend',
    displayName: 'Suspend Reconciliation',
    iconClass: icon('pause'),
    offered: (object) => !isLoopOff(object),
    run: annotating(loop, 'disabled'),
  },
  {
    name: 'resume',
    displayName: 'Resume Reconciliation',
    iconClass: icon('play'),
    offered: isLoopOff,
    run: annotating(loop, undefined),
  },
];
