import { join } from 'node:path';
import { AppError } from '#base/errors.ts';
import type { Leg } from '../story.ts';
import { git, slipway, waitForApplication, waitForVersion } from '../tools.ts';

/** One command: a git revert commit, a sync, and the version before is back. */
export const rollback: Leg = {
  id: 'rollback',
  title: 'slipway rollback: a revert commit brings 1.4.2 back',
  async run(context) {
    const { world, workDir } = context;
    const started = performance.now();
    await slipway(context, ['rollback', 'myshop-api-prod']);
    const url = context.facts.get('prod-url') ?? '';
    await waitForVersion(context, { url, version: '1.4.2', timeoutMs: 30_000 });
    await waitForApplication(context, 'myshop-api-prod', { sync: 'Synced', health: 'Healthy', timeoutMs: 30_000 });
    context.measure('rollback to served', performance.now() - started);
    const manifests = join(workDir, 'myshop-manifests');
    await git(context, world.developer, manifests, ['fetch', '-q', 'origin']);
    const subject = await git(context, world.developer, manifests, ['log', '-1', '--format=%s', 'origin/main']);
    if (!subject.startsWith('Revert "')) throw new AppError('bad-input', `the newest commit is no revert: ${subject}`);
    context.say(`${subject}; prod serves 1.4.2`);
  },
};
