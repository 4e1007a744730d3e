import type { Clock } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import { getArray, getString } from '#base/json.ts';
import { type KubeClient, type KubeObject, kindOf } from './port.ts';

export interface EnsureCrdsOptions {
  clock: Clock;
  timeoutMs?: number;
}

/**
 * Applies CustomResourceDefinitions and resolves when all are served. Repeating it changes nothing. Throws AppError
 * `timeout` naming those that were not established in time.
 */
export async function ensureCrds(
  client: KubeClient,
  crds: KubeObject[],
  signal: AbortSignal,
  options: EnsureCrdsOptions,
): Promise<void> {
  const { clock, timeoutMs = 30_000 } = options;
  const first = crds[0];
  if (!first) return;
  await Promise.all(crds.map((crd) => client.apply(crd, { fieldManager: 'slipway', force: true }, signal)));
  const resource = await client.discovery.find(kindOf(first), signal);
  if (!resource) throw new AppError('not-found', `${client.server} does not serve CustomResourceDefinition`);
  const deadline = clock.now() + timeoutMs;
  let pending = crds.map((crd) => crd.metadata.name);
  for (let delayMs = 5; pending.length > 0; delayMs = Math.min(500, delayMs * 2)) {
    const live = await Promise.all(pending.map((name) => client.get(resource, { name }, signal)));
    pending = pending.filter((_name, index) => !isEstablished(live[index]));
    if (pending.length === 0) break;
    if (clock.now() > deadline)
      throw new AppError('timeout', `not established after ${timeoutMs} ms: ${pending.join(', ')}`, {
        hint: `look at their conditions: kubectl describe crd ${pending[0]}`,
      });
    await clock.sleep(delayMs, signal);
  }
  client.discovery.invalidate();
}

function isEstablished(crd: KubeObject | undefined): boolean {
  return getArray(crd, 'status', 'conditions').some(
    (condition) => getString(condition, 'type') === 'Established' && getString(condition, 'status') === 'True',
  );
}
