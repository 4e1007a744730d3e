import { getArray, getNumber, getObject, getString } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { parseQuantity } from '../types/quantity.ts';

/** Amounts by resource name: CPU in thousandths, everything else in whole units. */
export type Amounts = ReadonlyMap<string, number>;

export function readAmounts(list: unknown): Amounts {
  const amounts = new Map<string, number>();
  for (const [name, text] of Object.entries(getObject(list))) {
    const quantity = typeof text === 'string' ? parseQuantity(text) : undefined;
    if (!quantity) continue;
    const value = Number(quantity.unscaled) * 10 ** quantity.scale;
    amounts.set(name, name === 'cpu' ? Math.ceil(value * 1000 - 1e-6) : value);
  }
  return amounts;
}

/**
 * What a pod asks of its node: its containers and sidecars together, or the greediest init container beside the sidecars
 * before it, whichever is more; and its overhead.
 */
export function podRequests(pod: ApiObject): Amounts {
  let running: Amounts = new Map();
  let starting: Amounts = new Map();
  for (const container of getArray(pod, 'spec', 'initContainers')) {
    const asked = readAmounts(getObject(container, 'resources', 'requests'));
    if (getString(container, 'restartPolicy') === 'Always') running = sum(running, asked);
    starting = most(starting, getString(container, 'restartPolicy') === 'Always' ? running : sum(running, asked));
  }
  for (const container of getArray(pod, 'spec', 'containers'))
    running = sum(running, readAmounts(getObject(container, 'resources', 'requests')));
  return sum(most(running, starting), readAmounts(getObject(pod, 'spec', 'overhead')));
}

/** `protocol/port` on the node, e.g. `TCP/8080`. */
export function hostPorts(pod: ApiObject): string[] {
  return getArray(pod, 'spec', 'containers').flatMap((container) =>
    getArray(container, 'ports').flatMap((port) => {
      const number = getNumber(port, 'hostPort') ?? 0;
      return number === 0 ? [] : [`${getString(port, 'protocol') ?? 'TCP'}/${number}`];
    }),
  );
}

export function sum(a: Amounts, b: Amounts, sign: 1 | -1 = 1): Amounts {
  if (b.size === 0) return a;
  const total = new Map(a);
  for (const [name, value] of b) total.set(name, (total.get(name) ?? 0) + sign * value);
  return total;
}

function most(a: Amounts, b: Amounts): Amounts {
  const result = new Map(a);
  for (const [name, value] of b) result.set(name, Math.max(result.get(name) ?? 0, value));
  return result;
}
