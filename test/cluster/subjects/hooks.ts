import assert from 'node:assert/strict';
import type { Application } from '#model/argocd/application.ts';
import { report } from '../kubelet.ts';
import { configMap, deployment, job } from '../objects.ts';
import type { Stage } from '../stage.ts';
import type { Subject } from '../suite.ts';

const ended = (app: Application) =>
  app.operation === undefined && !['Running', 'Terminating', undefined].includes(app.status?.operationState?.phase);

/** Asks for a sync and does not wait for its end. */
async function begin(stage: Stage): Promise<void> {
  const { engine } = stage.suite.running;
  await stage.untilApplication((app) => app.status?.sync !== undefined);
  await engine.sync(stage.name, {}, { kind: 'user', name: 'suite' }, AbortSignal.timeout(20_000));
}

const absent = async (stage: Stage, name: string) => assert.equal(await stage.get('v1', 'ConfigMap', name), undefined);

export const hooks: Subject = {
  name: 'hooks',
  cases: [
    {
      title: 'PreSync, waves by health, PostSync: nothing begins before what it waits for',
      async run(stage) {
        stage.commit({
          'before.yaml': job('before', { hook: 'PreSync' }),
          'web.yaml': deployment('web', 1),
          'later.yaml': configMap('later', {}, { 'sync-wave': '1' }),
          'after.yaml': job('after', { hook: 'PostSync' }),
        });
        await stage.application();
        await begin(stage);
        await stage.exists('batch/v1', 'Job', 'before');
        await stage.untilApplication((app) =>
          /hook batch\/Job\/before/.test(app.status?.operationState?.message ?? ''),
        );
        assert.equal(await stage.get('apps/v1', 'Deployment', 'web'), undefined);
        await report(stage, ['work', 'before'], 'succeeded');
        await stage.exists('apps/v1', 'Deployment', 'web');
        await stage.untilApplication((app) =>
          /healthy state of apps\/Deployment\/web/.test(app.status?.operationState?.message ?? ''),
        );
        await absent(stage, 'later');
        await report(stage, ['app', 'web'], 'ready');
        await stage.exists('v1', 'ConfigMap', 'later');
        await stage.exists('batch/v1', 'Job', 'after');
        const running = await stage.untilApplication((app) => app.status?.operationState?.phase === 'Running');
        assert.deepEqual(running.status?.history ?? [], []);
        await report(stage, ['work', 'after'], 'succeeded');
        const app = await stage.untilApplication(ended);
        assert.equal(app.status?.operationState?.phase, 'Succeeded');
        assert.equal(app.status?.history?.length, 1);
        const phases = app.status?.operationState?.syncResult?.resources?.map(({ name, syncPhase }) => [
          name,
          syncPhase,
        ]);
        assert.deepEqual(
          new Map(phases as [string, string][]),
          new Map([
            ['before', 'PreSync'],
            ['web', 'Sync'],
            ['later', 'Sync'],
            ['after', 'PostSync'],
          ]),
        );
      },
    },
    {
      title: 'a PreSync hook that fails ends the sync, runs SyncFail and leaves the rest untouched',
      async run(stage) {
        stage.commit({
          'before.yaml': job('before', { hook: 'PreSync' }),
          'a.yaml': configMap('a'),
          'sorry.yaml': configMap('sorry', {}, { hook: 'SyncFail' }),
        });
        await stage.application();
        await begin(stage);
        await report(stage, ['work', 'before'], 'failed');
        const app = await stage.untilApplication(ended);
        assert.equal(app.status?.operationState?.phase, 'Failed');
        await stage.exists('v1', 'ConfigMap', 'sorry');
        await absent(stage, 'a');
        assert.deepEqual(app.status?.history ?? [], []);
      },
    },
    {
      title: 'hook-delete-policy HookSucceeded takes the hook away, BeforeHookCreation makes it anew',
      async run(stage) {
        stage.commit({
          'gone.yaml': job('gone', { hook: 'PreSync', 'hook-delete-policy': 'HookSucceeded' }),
          'anew.yaml': configMap('anew', {}, { hook: 'PostSync' }),
          'a.yaml': configMap('a'),
        });
        await stage.application();
        await begin(stage);
        await report(stage, ['work', 'gone'], 'succeeded');
        await stage.untilApplication((app) => app.status?.operationState?.phase === 'Succeeded');
        await stage.gone('batch/v1', 'Job', 'gone');
        const first = await stage.exists('v1', 'ConfigMap', 'anew');
        await begin(stage);
        await report(stage, ['work', 'gone'], 'succeeded');
        await stage.untilApplication((app) => ended(app) && (app.status?.history?.length ?? 0) === 2);
        const second = await stage.exists('v1', 'ConfigMap', 'anew');
        assert.notEqual(second.metadata.uid, first.metadata.uid);
      },
    },
    {
      title: 'a sync that waits for a hook can be terminated, and the hook goes',
      async run(stage) {
        stage.commit({ 'before.yaml': job('before', { hook: 'PreSync' }), 'a.yaml': configMap('a') });
        await stage.application();
        await begin(stage);
        await stage.exists('batch/v1', 'Job', 'before');
        await stage.untilApplication((app) => /waiting for/.test(app.status?.operationState?.message ?? ''));
        await stage.suite.running.engine.terminate(stage.name, AbortSignal.timeout(20_000));
        const app = await stage.untilApplication(ended);
        assert.equal(app.status?.operationState?.phase, 'Failed');
        assert.match(app.status?.operationState?.message ?? '', /terminated/);
        await stage.gone('batch/v1', 'Job', 'before');
        await absent(stage, 'a');
      },
    },
    {
      title: 'prune goes through the waves backwards',
      async run(stage) {
        const wave = (name: string, at: number) => configMap(name, {}, { 'sync-wave': String(at) });
        stage.commit({
          'a.yaml': wave('a', 0),
          'b.yaml': wave('b', 1),
          'c.yaml': wave('c', 2),
          'd.yaml': configMap('d'),
        });
        await stage.application();
        await stage.sync();
        // What holds the last wave holds the others back.
        await stage.patch(
          { apiVersion: 'v1', kind: 'ConfigMap', name: 'c' },
          { metadata: { finalizers: ['example.com/hold'] } },
        );
        stage.commit({ 'a.yaml': null, 'b.yaml': null, 'c.yaml': null });
        await stage.untilApplication((app) => app.status?.sync?.status === 'OutOfSync');
        const { engine } = stage.suite.running;
        await engine.sync(stage.name, { prune: true }, { kind: 'user', name: 'suite' }, AbortSignal.timeout(20_000));
        await stage.untilApplication((app) =>
          /deletion of .*ConfigMap\/c/.test(app.status?.operationState?.message ?? ''),
        );
        assert.ok(await stage.get('v1', 'ConfigMap', 'b'));
        assert.ok(await stage.get('v1', 'ConfigMap', 'a'));
        await stage.patch({ apiVersion: 'v1', kind: 'ConfigMap', name: 'c' }, { metadata: { finalizers: null } });
        for (const name of ['c', 'b', 'a']) await stage.gone('v1', 'ConfigMap', name);
        const app = await stage.untilApplication(ended);
        assert.equal(app.status?.operationState?.phase, 'Succeeded');
      },
    },
  ],
};
