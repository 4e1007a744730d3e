import assert from 'node:assert/strict';
import { corpus } from '../corpus.ts';
import type { ClusterCase, Subject } from '../suite.ts';

const automated = { automated: { prune: true, selfHeal: true } };

/** Repositories as teams write them: Synced after one sync, and nothing is written after that. */
export const repositories: Subject = {
  name: 'corpus',
  cases: corpus().map(
    ({ name, files, path, spec }): ClusterCase => ({
      title: `${name} is Synced after one sync and stays quiet`,
      async run(stage) {
        stage.commit(files);
        await stage.application({
          source: { repoURL: stage.url(), path },
          syncPolicy: { ...automated, retry: { limit: 0 } },
          ...spec,
        });
        const app = await stage.untilSynced();
        for (const { group = '', version, kind, namespace, name: resource } of app.status?.resources ?? [])
          if (!namespace)
            stage.leave({
              apiVersion: group === '' ? version : `${group}/${version}`,
              kind,
              metadata: { name: resource },
            });
        const differing = app.status?.resources?.filter(({ status }) => status !== 'Synced');
        assert.deepEqual(differing, []);
        const before = stage.writeCount;
        const { engine } = stage.suite.running;
        await engine.refresh(stage.name, 'normal', AbortSignal.timeout(30_000));
        const again = await engine.whenSettled(stage.name, AbortSignal.timeout(30_000));
        assert.equal(again.status?.sync?.status, 'Synced');
        assert.equal(again.status?.history?.length, 1, 'one sync was enough');
        const writes = stage.writesSince(before).filter(({ kind }) => kind !== 'Application');
        assert.deepEqual(writes, []);
      },
    }),
  ),
};
