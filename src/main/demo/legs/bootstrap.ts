import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '#base/errors.ts';
import type { Leg } from '../story.ts';
import { git, kubectl, serviceUrl, slipway, waitForApplication, waitForVersion } from '../tools.ts';

/** The root App of Apps, applied by hand once; dev and prod come out of it, Synced and Healthy. */
export const bootstrap: Leg = {
  id: 'bootstrap',
  title: 'kubectl applies the root App of Apps; dev and prod come up',
  async run(context) {
    const { world, workDir } = context;
    const started = performance.now();
    await git(context, world.developer, workDir, ['clone', '-q', `${world.forge.url}/myshop/myshop-manifests.git`]);
    await git(context, world.developer, workDir, ['clone', '-q', `${world.forge.url}/myshop/myshop-api.git`]);
    context.measure('clone both repositories', performance.now() - started);

    const root = readFileSync(join(workDir, 'myshop-manifests', 'argocd', 'root.yaml'), 'utf8');
    const applied = performance.now();
    context.say((await kubectl(context, ['apply', '-f', '-'], root)).trim());
    await waitForApplication(context, 'root', { sync: 'Synced', timeoutMs: 30_000 });
    await waitForApplication(context, 'myshop-api-dev', { sync: 'Synced', health: 'Healthy', timeoutMs: 60_000 });
    context.measure('applied to dev Healthy', performance.now() - applied);

    // Production is synced by hand, the first time too.
    const prod = await waitForApplication(context, 'myshop-api-prod', { sync: 'OutOfSync', timeoutMs: 30_000 });
    if (prod['operation'] !== undefined)
      throw new AppError('conflict', 'production is being synced, but nobody asked for it');
    await slipway(context, ['app', 'sync', 'myshop-api-prod']);
    await waitForApplication(context, 'myshop-api-prod', { sync: 'Synced', health: 'Healthy', timeoutMs: 60_000 });

    for (const environment of ['dev', 'prod']) {
      const url = await serviceUrl(context, `myshop-${environment}`, 'myshop-api');
      await waitForVersion(context, { url, version: '1.4.2', timeoutMs: 30_000 });
      context.facts.set(`${environment}-url`, url);
      context.say(`${environment} serves 1.4.2 at ${url}/version`);
    }
  },
};
