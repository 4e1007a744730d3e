import type { Clock } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import { getArray, getPath, getString } from '#base/json.ts';
import { type GroupVersionKind, type KubeClient, type KubeObject, kindOf } from './port.ts';

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
  await until({ clock, deadline, signal }, async () => {
    const live = await Promise.all(crds.map((crd) => client.get(resource, { name: crd.metadata.name }, signal)));
    const late = crds.filter((_crd, index) => !isEstablished(live[index])).map((crd) => crd.metadata.name);
    return late.length === 0 ? undefined : `not established after ${timeoutMs} ms: ${late.join(', ')}`;
  });
  // Discovery may tell of them a moment later than their own condition does.
  await until({ clock, deadline, signal }, async () => {
    client.discovery.invalidate();
    const kinds = crds.flatMap(servedKinds);
    const found = await Promise.all(kinds.map((kind) => client.discovery.find(kind, signal)));
    const late = kinds
      .filter((_kind, index) => !found[index])
      .map((kind) => `${kind.kind} of ${kind.group}/${kind.version}`);
    return late.length === 0 ? undefined : `not served after ${timeoutMs} ms: ${late.join(', ')}`;
  });
}

/** Asks until there is no more to complain about; the last complaint becomes AppError `timeout`. */
async function until(
  { clock, deadline, signal }: { clock: Clock; deadline: number; signal: AbortSignal },
  complain: () => Promise<string | undefined>,
): Promise<void> {
  for (let delayMs = 5; ; delayMs = Math.min(500, delayMs * 2)) {
    const complaint = await complain();
    if (complaint === undefined) return;
    if (clock.now() > deadline)
      throw new AppError('timeout', complaint, { hint: 'look at their conditions: kubectl get crd -o yaml' });
    await clock.sleep(delayMs, signal);
  }
}

function servedKinds(crd: KubeObject): GroupVersionKind[] {
  const group = getString(crd, 'spec', 'group');
  const kind = getString(crd, 'spec', 'names', 'kind');
  if (group === undefined || kind === undefined) return [];
  return getArray(crd, 'spec', 'versions').flatMap((version) => {
    const name = getString(version, 'name');
    return name !== undefined && getPath(version, 'served') === true ? { group, version: name, kind } : [];
  });
}

function isEstablished(crd: KubeObject | undefined): boolean {
  return getArray(crd, 'status', 'conditions').some(
    (condition) => getString(condition, 'type') === 'Established' && getString(condition, 'status') === 'True',
  );
}
