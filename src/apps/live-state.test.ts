import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApiResource, Informer, InformerEvent, KubeObject } from '#kube/port.ts';
import { defaultSettings } from '#model/argocd/settings.ts';
import { testClock } from '../../test/clock.ts';
import { LiveState } from './live-state.ts';

const resource: ApiResource = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
  verbs: ['list', 'watch'],
  subresources: [],
};
const kind = { group: '', version: 'v1', kind: 'ConfigMap' };

/** A watch whose events the test makes. */
class ScriptedInformer implements Informer {
  readonly resource = resource;
  readonly synced = true;
  readonly #objects = new Map<string, KubeObject>();
  #listener: (event: InformerEvent) => void = () => {};

  async whenSynced(): Promise<void> {}
  get({ name }: { name: string }): KubeObject | undefined {
    return this.#objects.get(name);
  }
  list(): KubeObject[] {
    return [...this.#objects.values()];
  }
  subscribe(listener: (event: InformerEvent) => void): () => void {
    this.#listener = listener;
    return () => {};
  }
  tell(event: InformerEvent): void {
    const { name } = event.object.metadata;
    if (event.type === 'delete') this.#objects.delete(name);
    else this.#objects.set(name, event.object);
    this.#listener(event);
  }
}

function object(resourceVersion: string, more: Record<string, unknown> = {}): KubeObject {
  const annotations = { 'argocd.argoproj.io/tracking-id': 'app:/ConfigMap:n/a' };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', namespace: 'n', uid: 'u', resourceVersion, annotations, ...more },
  };
}

async function liveState() {
  const informer = new ScriptedInformer();
  const informers = { informer: () => informer, active: () => [informer], async [Symbol.asyncDispose]() {} };
  const discovery = { find: async () => resource, all: async () => [resource], invalidate() {} };
  const settings = { tracking: () => defaultSettings.tracking, excluded: () => false };
  const live = new LiveState({ informers, discovery, clock: testClock, ...settings });
  await live.watch([kind], AbortSignal.timeout(1000));
  return { live, informer };
}

const ref = { name: 'a', namespace: 'n' };
const deletionTimestamp = '2026-01-01T00:00:00Z';

test('what was written is there at once, until the watch has caught up', async () => {
  const { live, informer } = await liveState();
  live.noteWritten(object('5'));
  assert.equal(live.get(kind, ref)?.metadata.resourceVersion, '5');
  assert.deepEqual(live.trackedBy('app').length, 1);
  informer.tell({ type: 'upsert', object: object('4'), previous: undefined });
  assert.equal(live.get(kind, ref)?.metadata.resourceVersion, '5', 'an older event does not take it back');
  informer.tell({ type: 'upsert', object: object('6'), previous: undefined });
  assert.equal(live.get(kind, ref)?.metadata.resourceVersion, '6');
});

test('an answer that comes after the end of its object revives nothing', async () => {
  const { live, informer } = await liveState();
  informer.tell({
    type: 'upsert',
    object: object('5', { deletionTimestamp, finalizers: ['x/y'] }),
    previous: undefined,
  });
  informer.tell({ type: 'delete', object: object('6') });
  live.noteWritten(object('6', { deletionTimestamp, finalizers: ['x/y'] }));
  assert.equal(live.get(kind, ref), undefined);
  assert.deepEqual(live.trackedBy('app'), []);
});

test('the answer that takes the last finalizer of a deleted object away is about nothing that lives', async () => {
  const { live } = await liveState();
  live.noteWritten(object('7', { deletionTimestamp, finalizers: [] }));
  assert.equal(live.get(kind, ref), undefined);
  live.noteWritten(object('8', { deletionTimestamp, deletionGracePeriodSeconds: 30 }));
  assert.equal(live.get(kind, ref)?.metadata.resourceVersion, '8', 'a pod that may still stop in its own time is');
});
