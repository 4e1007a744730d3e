import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base/log.ts';
import type { Informer, InformerEvent, KubeObject } from '#kube/port.ts';
import { SettingsWatch } from './settings-watch.ts';

/** ConfigMaps that the test writes. */
function configMaps() {
  const objects = new Map<string, KubeObject>();
  const listeners = new Set<(event: InformerEvent) => void>();
  const informer: Informer = {
    resource: { group: '', version: 'v1', kind: 'X', plural: 'x', namespaced: true, verbs: [], subresources: [] },
    synced: true,
    whenSynced: async () => {},
    get: ({ name }) => objects.get(name),
    list: () => [...objects.values()],
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const write = (name: string, data: Record<string, string>) => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'argocd' }, data };
    const previous = objects.get(name);
    objects.set(name, object);
    for (const listener of listeners) listener({ type: 'upsert', object, previous });
  };
  return { informer, write };
}

test('settings follow their ConfigMaps; problems and keys without effect are told once', () => {
  const { informer, write } = configMaps();
  const told: string[] = [];
  const note = (_fields: object, message: string) => told.push(message);
  const logger = { ...silentLogger, warn: note, info: note };
  using watch = new SettingsWatch({
    instance: { namespace: 'argocd', configMaps: informer, secrets: informer },
    logger,
  });
  const changes: string[] = [];
  watch.subscribe((now, before) => changes.push(`${before.tracking.method} ${now.tracking.method}`));
  const first = watch.current;
  write('other', { a: 'b' });
  assert.equal(watch.current, first, 'another ConfigMap says nothing');

  write('argocd-cm', {
    'application.resourceTrackingMethod': 'label',
    'timeout.reconciliation': 'often',
    'dex.config': 'x',
  });
  assert.equal(watch.current.tracking.method, 'label');
  write('argocd-cm', {
    'application.resourceTrackingMethod': 'label',
    'timeout.reconciliation': 'often',
    'dex.config': 'x',
  });
  write('argocd-cmd-params-cm', { 'redis.server': 'r', 'controller.sync.timeout.seconds': '5' });
  assert.equal(watch.current.sync.timeoutMs, 5000);
  assert.deepEqual(changes, ['annotation label', 'label label']);
  assert.deepEqual(told, [
    'a setting cannot be read, its default holds: argocd-cm: timeout.reconciliation: "often" is not a duration',
    'a setting has no effect here: argocd-cm: dex.config',
    'a setting has no effect here: argocd-cmd-params-cm: redis.server',
  ]);
});
