import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '#base/errors.ts';
import { getNumber } from '#base/json.ts';
import { waitFor } from '../observer.ts';
import type { Leg, StoryContext } from '../story.ts';
import { kubectl, kubectlJson, slipway, waitForApplication } from '../tools.ts';

async function replicas(context: StoryContext, namespace: string): Promise<number | undefined> {
  return getNumber(
    await kubectlJson(context, ['get', 'deployment', 'myshop-api', '-n', namespace]),
    'spec',
    'replicas',
  );
}

/** kubectl scale behind Git's back: healed in dev, only shown in prod. */
export const drift: Leg = {
  id: 'drift',
  title: 'kubectl scale: healed in dev, shown in prod',
  async run(context) {
    const started = performance.now();
    await kubectl(context, ['scale', 'deployment/myshop-api', '--replicas=3', '-n', 'myshop-dev']);
    await waitFor({
      what: 'dev back at 1 replica',
      timeoutMs: 30_000,
      signal: context.signal,
      look: async () => ((await replicas(context, 'myshop-dev')) === 1 ? true : undefined),
    });
    context.measure('seen healed from outside', performance.now() - started);
    context.say(`dev: scaled to 3, ${await healedMs(context)}`);

    await kubectl(context, ['scale', 'deployment/myshop-api', '--replicas=3', '-n', 'myshop-prod']);
    await waitForApplication(context, 'myshop-api-prod', { sync: 'OutOfSync', timeoutMs: 30_000 });
    await delay(1_000, undefined, { signal: context.signal });
    const kept = await replicas(context, 'myshop-prod');
    if (kept !== 3)
      throw new AppError('conflict', `production was changed to ${kept} replicas, but nobody asked for it`);
    context.say('prod: OutOfSync, left as it is');
    await kubectl(context, ['scale', 'deployment/myshop-api', '--replicas=2', '-n', 'myshop-prod']);
    await waitForApplication(context, 'myshop-api-prod', { sync: 'Synced', health: 'Healthy', timeoutMs: 30_000 });
  },
};

/** Slipway's own measure, from its audit log: live change seen to applied. */
async function healedMs(context: StoryContext): Promise<string> {
  const duration = await waitFor({
    what: 'a drift-healed event of dev in the audit log',
    timeoutMs: 10_000,
    signal: context.signal,
    look: async () => {
      const query = ['events', '--app', 'myshop-api-dev', '--kind', 'drift-healed', '-o', 'json'];
      const events: unknown = JSON.parse((await slipway(context, query)).stdout);
      return Array.isArray(events) ? getNumber(events.at(-1), 'durationMs') : undefined;
    },
  });
  context.measure('drift seen to healed', duration);
  return `healed in ${Math.round(duration)} ms`;
}
