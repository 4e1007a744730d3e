import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '#base/errors.ts';
import { getString } from '#base/json.ts';
import { waitFor } from '../observer.ts';
import type { Leg } from '../story.ts';
import { failIfRunFailed, findRun, git, waitForApplication, waitForVersion } from '../tools.ts';

/** A push to main: tested, built, pushed, written to values-dev.yaml, synced and served, with nobody's help. */
export const pushToDev: Leg = {
  id: 'push',
  title: 'a developer pushes to main; dev serves it',
  async run(context) {
    const { world, workDir, signal } = context;
    const checkout = join(workDir, 'myshop-api');
    const catalogue = join(checkout, 'src', 'catalogue.ts');
    const before = readFileSync(catalogue, 'utf8');
    const line = "  { sku: 'BAG-02', name: 'Sailcloth bag', priceCents: 5400 },\n];";
    writeFileSync(catalogue, before.replace('\n];', `\n${line}`));
    const test = join(checkout, 'src', 'app.test.ts');
    writeFileSync(test, readFileSync(test, 'utf8').replace('body.length, 3)', 'body.length, 4)'));
    await git(context, world.developer, checkout, ['commit', '-qam', 'feat: sell the sailcloth bag']);
    const pushed = performance.now();
    await git(context, world.developer, checkout, ['push', '-q', 'origin', 'main']);
    context.measure('git push', performance.now() - pushed);

    const sha = await git(context, world.developer, checkout, ['rev-parse', 'HEAD']);
    const version = `main-${await git(context, world.developer, checkout, ['rev-parse', '--short', 'HEAD'])}`;
    context.say(`pushed ${sha.slice(0, 7)}; the workflow tests, builds and pushes myshop-api:${version}`);
    await waitFor({
      what: `the workflow run of ${sha.slice(0, 7)}`,
      timeoutMs: 60_000,
      signal,
      look: async () => {
        const run = await findRun(context, 'myshop/myshop-api', { headSha: sha });
        if (!run) return undefined;
        await failIfRunFailed(context, 'myshop/myshop-api', run);
        return getString(run, 'conclusion') === 'success' ? true : undefined;
      },
      everyMs: 50,
    });
    context.measure('tested, built, pushed, dispatched', performance.now() - pushed);

    const manifests = join(workDir, 'myshop-manifests');
    const commit = await waitFor({
      what: `values-dev.yaml naming ${version}`,
      timeoutMs: 30_000,
      signal,
      look: async () => {
        await git(context, world.developer, manifests, ['fetch', '-q', 'origin']);
        const values = await git(context, world.developer, manifests, [
          'show',
          'origin/main:charts/myshop-api/values-dev.yaml',
        ]);
        return values.includes(version)
          ? git(context, world.developer, manifests, ['rev-parse', 'origin/main'])
          : undefined;
      },
    });
    context.measure('committed to the manifest repository', performance.now() - pushed);
    const message = await git(context, world.developer, manifests, ['log', '-1', '--format=%s', commit]);
    if (!message.includes('[skip ci]'))
      throw new AppError('bad-input', `the manifest commit lacks [skip ci]: ${message}`);
    context.say(`manifest commit ${commit.slice(0, 7)}: ${message}`);

    const url = context.facts.get('dev-url') ?? '';
    await waitForVersion(context, { url, version, timeoutMs: 30_000 });
    context.measure('served by dev', performance.now() - pushed);
    await waitForApplication(context, 'myshop-api-dev', {
      sync: 'Synced',
      health: 'Healthy',
      revision: commit,
      timeoutMs: 30_000,
    });
    context.say(`dev serves ${version}`);
  },
};
