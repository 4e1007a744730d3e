import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import type { KubeClient, KubeObject } from '#kube/port.ts';
import { defaultSettings } from '#model/argocd/settings.ts';
import { Comparer, desiredObject } from './comparer.ts';
import { VerdictStore } from './verdicts.ts';

const scratch = mkdtempSync(join(tmpdir(), 'comparer-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const { signal } = new AbortController();
const wanted: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { replicas: 2 },
};

function version(resourceVersion: string, annotations: Record<string, string> = {}, replicas = 2): KubeObject {
  const metadata = { name: 'web', namespace: 'shop', uid: 'u', resourceVersion, annotations };
  return { ...wanted, metadata, spec: { replicas } };
}

/** A server whose object goes through `versions`: each dry run and each read moves on to the next, the last one stays. */
function serverWith(versions: KubeObject[]) {
  const asked = { dryRuns: 0, reads: 0 };
  const next = () => (versions.length > 1 ? versions.shift() : versions[0]) as KubeObject;
  const kube: Pick<KubeClient, 'apply' | 'get' | 'discovery'> = {
    async apply() {
      asked.dryRuns += 1;
      const now = next();
      return { ...now, spec: wanted['spec'] };
    },
    async get() {
      asked.reads += 1;
      return next();
    },
    discovery: {
      find: async () => ({
        group: 'apps',
        version: 'v1',
        kind: 'Deployment',
        plural: 'deployments',
        namespaced: true,
        verbs: [],
        subresources: [],
      }),
      all: async () => [],
      invalidate: () => {},
    },
  };
  return { kube, asked };
}

async function compareTwice(live: KubeObject, versions: KubeObject[]) {
  const { kube, asked } = serverWith(versions);
  const verdicts = new VerdictStore(join(scratch, 'none.json'), silentLogger);
  const comparer = new Comparer({ kube, verdicts, settings: () => defaultSettings });
  const first = await comparer.compare(desiredObject(wanted), live, { ignore: [] }, signal);
  const second = await comparer.compare(desiredObject(wanted), live, { ignore: [] }, signal);
  return { modified: [first.modified, second.modified], ...asked };
}

const noted = { 'deployment.kubernetes.io/revision': '2' };

test('an object at rest costs one question, whatever is asked later', async () => {
  const live = version('7');
  assert.deepEqual(await compareTwice(live, [live]), { modified: [false, false], dryRuns: 1, reads: 0 });
});

test('what a controller wrote while the watch lags is no drift', async () => {
  assert.deepEqual(await compareTwice(version('7'), [version('8', noted)]), {
    modified: [false, false],
    dryRuns: 2,
    reads: 1,
  });
});

test('drift stays drift when the watch lags', async () => {
  const result = await compareTwice(version('7'), [version('8', noted, 5)]);
  assert.deepEqual(result.modified, [true, true]);
});

test('an answer about an object that never rests is not remembered', async () => {
  const moving = ['8', '9', '10', '11', '12', '13', '14'].map((number) => version(number, { touched: number }, 5));
  const { dryRuns, modified } = await compareTwice(version('7', {}, 5), moving);
  assert.deepEqual([dryRuns, modified], [5, [true, true]]);
});
