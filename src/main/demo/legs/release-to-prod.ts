import { join } from 'node:path';
import { AppError } from '#base/errors.ts';
import { getArray, getNumber, getString, isObject } from '#base/json.ts';
import { waitFor } from '../observer.ts';
import type { Leg, StoryContext } from '../story.ts';
import {
  application,
  failIfRunFailed,
  findRun,
  forgeApi,
  git,
  servedVersion,
  slipway,
  waitForApplication,
  waitForVersion,
} from '../tools.ts';

const tag = 'v1.5.0';
const version = '1.5.0';

/** A release tag: built after its approval, proposed in Git, shown by diff, rolled out by a person. */
export const releaseToProd: Leg = {
  id: 'release',
  title: `tag ${tag}; approved, built, proposed; a person syncs production`,
  async run(context) {
    await proposeRelease(context);
    const diff = await slipway(context, ['app', 'diff', 'myshop-api-prod'], [1]);
    const changed = diff.stdout.split('\n').filter((line) => /^[+-](?![+-])/.test(line));
    if (changed.length !== 2 || !changed.every((line) => line.includes('image:'))) {
      throw new AppError('bad-input', `the diff should be one image line, but is:\n${diff.stdout}`);
    }
    for (const line of changed) context.say(line);

    const synced = performance.now();
    const url = context.facts.get('prod-url') ?? '';
    await slipway(context, ['app', 'sync', 'myshop-api-prod']);
    await waitForVersion(context, { url, version, timeoutMs: 30_000 });
    await waitForApplication(context, 'myshop-api-prod', { sync: 'Synced', health: 'Healthy', timeoutMs: 30_000 });
    context.measure('sync to served', performance.now() - synced);
    context.say(`prod serves ${version}`);
  },
};

/** Tags, approves and waits until production is OutOfSync with the new version; it must not have moved by itself. */
export async function proposeRelease(context: StoryContext): Promise<void> {
  const { world, workDir } = context;
  const checkout = join(workDir, 'myshop-api');
  const started = performance.now();
  await git(context, world.developer, checkout, ['tag', '-a', tag, '-m', `myshop-api ${version}`]);
  await git(context, world.developer, checkout, ['push', '-q', 'origin', tag]);
  const sha = await git(context, world.developer, checkout, ['rev-parse', 'HEAD']);
  await approve(context, sha);
  context.measure('waiting for approval, approved', performance.now() - started);

  await waitForValues(context);
  const prod = await waitForApplication(context, 'myshop-api-prod', { sync: 'OutOfSync', timeoutMs: 30_000 });
  context.measure('built, proposed, OutOfSync', performance.now() - started);
  if (prod['operation'] !== undefined) throw unasked();
  const still = await servedVersion(context.facts.get('prod-url') ?? '', context.signal);
  if (still !== '1.4.2') throw new AppError('conflict', `production answers ${still} before anybody synced it`);
}

function unasked(): AppError {
  return new AppError('conflict', 'production is being synced, but nobody asked for it');
}

async function approve(context: StoryContext, sha: string): Promise<void> {
  const { world, signal } = context;
  const repository = 'myshop/myshop-api';
  const run = await waitFor({
    what: `the run of ${tag} waiting for a reviewer`,
    timeoutMs: 60_000,
    signal,
    everyMs: 50,
    look: async () => {
      const runs = await forgeApi(context, world.developer, {
        path: `/repos/${repository}/actions/runs?head_sha=${sha}`,
      });
      const found = getArray(runs, 'workflow_runs')
        .filter(isObject)
        .find((entry) => getString(entry, 'head_branch') === tag);
      if (!found) return undefined;
      await failIfRunFailed(context, repository, found);
      return getString(found, 'status') === 'waiting' ? found : undefined;
    },
  });
  const path = `/repos/${repository}/actions/runs/${run['id']}/pending_deployments`;
  const pending = await forgeApi(context, world.reviewer, { path });
  const ids = (Array.isArray(pending) ? pending : []).map((entry) => getNumber(entry, 'environment', 'id'));
  await forgeApi(context, world.reviewer, {
    method: 'POST',
    path,
    body: { environment_ids: ids, state: 'approved', comment: 'Ship it' },
  });
  context.facts.set('release-run', String(run['id']));
  context.say(`${world.reviewer.login} approved environment production`);
}

async function waitForValues(context: StoryContext): Promise<void> {
  const { world, workDir, signal } = context;
  const manifests = join(workDir, 'myshop-manifests');
  await waitFor({
    what: `values-prod.yaml naming ${version}`,
    timeoutMs: 60_000,
    signal,
    look: async () => {
      const run = await findRun(context, 'myshop/myshop-manifests', { event: 'repository_dispatch' });
      if (run) await failIfRunFailed(context, 'myshop/myshop-manifests', run);
      await git(context, world.developer, manifests, ['fetch', '-q', 'origin']);
      const values = await git(context, world.developer, manifests, [
        'show',
        'origin/main:charts/myshop-api/values-prod.yaml',
      ]);
      return values.includes(`"${version}"`) ? true : undefined;
    },
  });
  if ((await application(context, 'myshop-api-prod'))['operation'] !== undefined) throw unasked();
}
