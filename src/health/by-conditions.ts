import type { KubeObject } from '#kube/port.ts';
import { type Health, health } from './health.ts';
import { at, type Check, conditions, firstOf, generationOf, items, textAt } from './rules.ts';

function behind(object: KubeObject): Health | undefined {
  const generation = generationOf(object);
  const observed = at(object, 'status.observedGeneration');
  if (generation === undefined || typeof observed !== 'number' || observed >= generation) return undefined;
  return health('Progressing', `Waiting for generation ${generation} to be observed, the status is of ${observed}`);
}

/** A condition that says of which generation it is, and is of an older one. */
function stale(object: KubeObject): Health | undefined {
  const generation = generationOf(object);
  const old = items(object, 'status.conditions').find((condition) => {
    const observed = at(condition, 'observedGeneration');
    return textAt(condition, 'type') === 'Ready' && typeof observed === 'number' && observed < (generation ?? 0);
  });
  return old === undefined ? undefined : health('Progressing', `Waiting for Ready of generation ${generation}`);
}

/**
 * A kind that nobody has described: what most controllers mean by the conditions they share. Degraded only where a condition
 * is named for it; not ready is Progressing, since it may become ready. No opinion without such conditions, so that kinds
 * which never set any hold nothing up.
 */
export const healthByConditions: Check = firstOf(
  conditions(['Stalled,Degraded,Failed=True', 'Degraded', '{type}: {message}']),
  behind,
  stale,
  conditions(['Reconciling=True', 'Progressing', '{type}: {message}']),
  conditions(['Synced=False', 'Progressing', '{type}: {message}']),
  conditions(['Ready!=True', 'Progressing', '{type} is {status}: {message}'], ['Ready=True', 'Healthy']),
  conditions(['Available!=True', 'Progressing', '{type} is {status}: {message}'], ['Available=True', 'Healthy']),
);
