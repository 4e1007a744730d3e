import assert from 'node:assert/strict';
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  type V1ConfigMap,
  VersionApi,
} from '@kubernetes/client-node';
import type { Area, Case } from '../suite/case.ts';
import type { Cluster } from '../suite/cluster.ts';

const source = '@kubernetes/client-node 2';

function config(k: Cluster): KubeConfig {
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromFile(k.programs.kubeconfig);
  return kubeconfig;
}

const cases: Case[] = [
  {
    id: 'typed',
    title: 'typed calls: create, read, replace, list, delete',
    source,
    run: async (k) => {
      const core = config(k).makeApiClient(CoreV1Api);
      const at = { namespace: k.namespace, name: 'typed' };
      // The library leaves apiVersion and kind out of what it sends.
      const made = await core.createNamespacedConfigMap({
        ...at,
        body: { metadata: { name: 'typed' }, data: { a: '1' } },
      });
      assert.ok(made.metadata?.creationTimestamp instanceof Date);
      const put = await core.replaceNamespacedConfigMap({ ...at, body: { ...made, data: { a: '2' } } });
      assert.deepEqual(put.data, { a: '2' });
      const list = await core.listNamespacedConfigMap({ namespace: k.namespace, fieldSelector: 'metadata.name=typed' });
      assert.deepEqual(
        list.items.map((item) => item.data),
        [{ a: '2' }],
      );
      const deleted = await core.deleteNamespacedConfigMap(at);
      assert.equal(deleted.status, 'Success');
      assert.match((await config(k).makeApiClient(VersionApi).getCode()).gitVersion, /^v1\./);
    },
  },
  {
    id: 'errors',
    title: 'a refusal is an ApiException with the Status',
    source,
    run: async (k) => {
      const apps = config(k).makeApiClient(AppsV1Api);
      const error = await apps
        .readNamespacedDeployment({ namespace: k.namespace, name: 'nope' })
        .catch((thrown: unknown) => thrown);
      assert.ok(error instanceof ApiException);
      assert.equal(error.code, 404);
      assert.match(String(error.body), /deployments\.apps \\?"nope\\?" not found/);
    },
  },
  {
    id: 'objects',
    title: 'untyped objects through discovery: create, server-side apply, read, delete',
    source,
    run: async (k) => {
      const objects = KubernetesObjectApi.makeApiClient(config(k));
      const body = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'untyped', namespace: k.namespace },
        data: { a: '1' },
      };
      await objects.create(body);
      const applied = await objects.patch<V1ConfigMap>(
        { ...body, data: { a: '2' } },
        undefined,
        undefined,
        'suite',
        true,
        PatchStrategy.ServerSideApply,
      );
      assert.deepEqual(applied.data, { a: '2' });
      assert.equal(
        applied.metadata?.managedFields?.some((entry) => entry.operation === 'Apply'),
        true,
      );
      await objects.delete(body);
      const error = await objects.read({ ...body }).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof ApiException && error.code === 404);
    },
  },
  {
    id: 'informer',
    title: 'an informer sees what is there and what comes',
    source,
    run: async (k) => {
      const kubeconfig = config(k);
      const core = kubeconfig.makeApiClient(CoreV1Api);
      const make = (name: string) =>
        core.createNamespacedConfigMap({
          namespace: k.namespace,
          body: { metadata: { name, labels: { set: 'informed' } } },
        });
      const informer = makeInformer<V1ConfigMap>(
        kubeconfig,
        `/api/v1/namespaces/${k.namespace}/configmaps`,
        () => core.listNamespacedConfigMap({ namespace: k.namespace, labelSelector: 'set=informed' }),
        'set=informed',
      );
      const seen: string[] = [];
      for (const verb of ['add', 'update', 'delete'] as const)
        informer.on(verb, (object) => seen.push(`${verb} ${object.metadata?.name}`));
      await make('before');
      await informer.start();
      try {
        await make('after');
        await k.eventually('the new one', async () => (seen.includes('add after') ? true : undefined));
        await core.deleteNamespacedConfigMap({ namespace: k.namespace, name: 'before' });
        await k.eventually('the end of the old one', async () => (seen.includes('delete before') ? true : undefined));
        assert.deepEqual(seen, ['add before', 'add after', 'delete before']);
      } finally {
        await informer.stop();
      }
    },
  },
];

export const clientNode: Area = { name: 'client-node', title: 'The official JavaScript client', cases };
