import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Clock, Entropy } from '#base/clock.ts';
import { isAppError } from '#base/errors.ts';
import { getPath, getString } from '#base/json.ts';
import { silentLogger } from '#base/log.ts';
import { createKubeClient } from './client.ts';
import { ensureCrds } from './crds.ts';
import { createInformerSet } from './informer.ts';
import type { ApiResource, KubeClient, KubeObject, WatchEvent } from './port.ts';
import type { KubeTarget } from './target.ts';

const manager = { fieldManager: 'slipway' };
const gvk = (group: string, version: string, kind: string) => ({ group, version, kind });
const limit = () => AbortSignal.timeout(20_000);

export interface ContractCluster {
  target: KubeTarget;
  close: () => Promise<void>;
}

/**
 * What the engine relies on in any cluster, checked through the client. Works in a namespace and with a
 * CustomResourceDefinition of its own, and removes both. `open` gives the cluster and is called once.
 */
export function kubeContract(
  name: string,
  { clock, entropy }: { clock: Clock; entropy: Entropy },
  open: () => Promise<ContractCluster>,
): void {
  describe(`kube contract on ${name}`, () => {
    const run = entropy.uuid().slice(0, 8);
    const namespace = `contract-${run}`;
    let cluster: ContractCluster;
    let client: KubeClient;
    let configMaps: ApiResource;

    const configMap = (
      objectName: string,
      data: Record<string, string>,
      labels?: Record<string, string>,
    ): KubeObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: objectName, namespace, ...(labels && { labels }) },
      data,
    });
    const ref = (objectName: string) => ({ name: objectName, namespace });
    const resourceOf = async (group: string, version: string, kind: string): Promise<ApiResource> => {
      const resource = await client.discovery.find(gvk(group, version, kind), limit());
      assert.ok(resource, `${kind} is served`);
      return resource;
    };

    before(async () => {
      cluster = await open();
      client = createKubeClient({ target: cluster.target, clock, logger: silentLogger });
      await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, {}, limit());
      configMaps = await resourceOf('', 'v1', 'ConfigMap');
    });

    after(async () => {
      await client?.[Symbol.asyncDispose]();
      await cluster?.close();
    });

    test('version and discovery', async () => {
      assert.match((await client.version(limit())).gitVersion, /^v1\.\d+/);
      assert.equal(configMaps.plural, 'configmaps');
      assert.equal(configMaps.namespaced, true);
      assert.equal((await resourceOf('', 'v1', 'Namespace')).namespaced, false);
      const deployments = await resourceOf('apps', 'v1', 'Deployment');
      assert.ok(deployments.subresources.includes('scale'));
      assert.ok(deployments.verbs.includes('watch'));
      assert.equal(await client.discovery.find(gvk('example.com', 'v9', 'Nothing'), limit()), undefined);
    });

    test('create, get, replace and delete', async () => {
      const created = await client.create(configMap('crud', { a: '1' }), manager, limit());
      assert.ok(created.metadata.uid);
      await assert.rejects(client.create(configMap('crud', {}), manager, limit()), (error) =>
        isAppError(error, 'conflict'),
      );
      const replaced = await client.replace({ ...created, data: { a: '2' } }, manager, limit());
      assert.deepEqual(replaced['data'], { a: '2' });
      const stale = client.replace({ ...created, data: { a: '3' } }, manager, limit());
      await assert.rejects(stale, (error) => isAppError(error, 'conflict') && /has been modified/.test(error.message));
      const wrongUid = client.delete(configMaps, ref('crud'), { preconditions: { uid: 'other' } }, limit());
      await assert.rejects(wrongUid, (error) => isAppError(error, 'conflict'));
      assert.equal(await client.delete(configMaps, ref('crud'), {}, limit()), true);
      assert.equal(await client.delete(configMaps, ref('crud'), {}, limit()), false);
      assert.equal(await client.get(configMaps, ref('crud'), limit()), undefined);
    });

    test('server-side apply: creates, changes nothing the second time, keeps what others own, refuses a conflict', async () => {
      const first = await client.apply(configMap('applied', { a: '1' }), manager, limit());
      const second = await client.apply(configMap('applied', { a: '1' }), manager, limit());
      assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
      const other = { fieldManager: 'someone' };
      const both = await client.apply(configMap('applied', { b: '2' }), other, limit());
      assert.deepEqual(both['data'], { a: '1', b: '2' });
      const clash = client.apply(configMap('applied', { a: '9' }), other, limit());
      await assert.rejects(clash, (error) => isAppError(error, 'conflict') && /\.data\.a/.test(error.message));
      const forced = await client.apply(configMap('applied', { a: '9' }), { ...other, force: true }, limit());
      assert.deepEqual(forced['data'], { a: '9' });
    });

    test('a dry run answers and keeps nothing', async () => {
      const answered = await client.apply(configMap('dry', { a: '1' }), { ...manager, dryRun: true }, limit());
      assert.deepEqual(answered['data'], { a: '1' });
      assert.equal(await client.get(configMaps, ref('dry'), limit()), undefined);
    });

    test('patches of all three types, and the message of a bad one', async () => {
      await client.create(configMap('patched', { a: '1' }), manager, limit());
      const patch = (type: 'json' | 'merge' | 'strategic', body: unknown) =>
        client.patch(configMaps, ref('patched'), { type, body }, manager, limit());
      assert.deepEqual((await patch('merge', { data: { a: null, b: '2' } }))['data'], { b: '2' });
      assert.deepEqual((await patch('json', [{ op: 'add', path: '/data/c', value: '3' }]))['data'], { b: '2', c: '3' });
      assert.deepEqual((await patch('strategic', { data: { b: '4' } }))['data'], { b: '4', c: '3' });
      await assert.rejects(patch('merge', { data: { a: { not: 'text' } } }), (error) => isAppError(error, 'bad-input'));
      const absent = client.patch(configMaps, ref('absent'), { type: 'merge', body: {} }, {}, limit());
      await assert.rejects(
        absent,
        (error) => isAppError(error, 'not-found') && error.message.includes('"absent" not found'),
      );
    });

    test('subresources: scale and status', async () => {
      const deployments = await resourceOf('apps', 'v1', 'Deployment');
      const labels = { app: 'web' };
      const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'example.com/web:1' }] } };
      const spec = { replicas: 0, selector: { matchLabels: labels }, template };
      await client.apply({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: ref('web'), spec }, manager, limit());
      const body = { spec: { replicas: 0 }, metadata: {} };
      const scale = await client.patch(
        deployments,
        ref('web'),
        { type: 'merge', body },
        { subresource: 'scale' },
        limit(),
      );
      assert.equal(scale.kind, 'Scale');
      const condition = { type: 'Example', status: 'True', reason: 'Test', message: '' };
      const status = { type: 'merge', body: { status: { conditions: [condition] } } } as const;
      const patched = await client.patch(deployments, ref('web'), status, { subresource: 'status' }, limit());
      assert.equal(getString(patched, 'metadata', 'name'), 'web');
      assert.equal(await client.delete(deployments, ref('web'), { propagationPolicy: 'Background' }, limit()), true);
    });

    test('list by label and field, with a resource version to watch from', async () => {
      for (const [index, tier] of ['front', 'front', 'back'].entries())
        await client.create(configMap(`listed-${index}`, {}, { tier }), manager, limit());
      const names = async (options: { labelSelector?: string; fieldSelector?: string }) =>
        (await client.list(configMaps, { namespace, ...options }, limit())).items.map((item) => item.metadata.name);
      assert.deepEqual(await names({ labelSelector: 'tier=front' }), ['listed-0', 'listed-1']);
      assert.deepEqual(await names({ labelSelector: 'tier in (back)' }), ['listed-2']);
      assert.deepEqual(await names({ fieldSelector: 'metadata.name=listed-1' }), ['listed-1']);
      const { items, resourceVersion } = await client.list(configMaps, { namespace, labelSelector: 'tier' }, limit());
      assert.match(resourceVersion, /^\d+$/);
      assert.deepEqual([items[0]?.kind, items[0]?.apiVersion], ['ConfigMap', 'v1']);
    });

    test('watch gives every change after its version, in order', async () => {
      const options = { namespace, labelSelector: 'watched=yes' };
      const { resourceVersion } = await client.list(configMaps, options, limit());
      const labels = { watched: 'yes' };
      await client.apply(configMap('watched', { a: '1' }, labels), manager, limit());
      const seen: WatchEvent[] = [];
      let step = 0;
      for await (const event of client.watch(configMaps, { ...options, resourceVersion }, limit())) {
        if (event.type === 'BOOKMARK') continue;
        seen.push(event);
        step += 1;
        if (step === 1) await client.apply(configMap('watched', { a: '2' }, labels), manager, limit());
        if (step === 2) await client.delete(configMaps, ref('watched'), {}, limit());
        if (step === 3) break;
      }
      assert.deepEqual(
        seen.map((event) => [event.type, event.type === 'BOOKMARK' ? '' : getPath(event.object, 'data', 'a')]),
        [
          ['ADDED', '1'],
          ['MODIFIED', '2'],
          ['DELETED', '2'],
        ],
      );
    });

    test('an informer holds what is there and hears of what changes', async () => {
      const logger = silentLogger;
      await using informers = createInformerSet({ client, clock, entropy, logger });
      const informer = informers.informer(configMaps);
      await informer.whenSynced(limit());
      const heard = Promise.withResolvers<KubeObject>();
      informer.subscribe((event) => {
        if (event.object.metadata.name === 'informed' && event.type === 'delete') heard.resolve(event.object);
      });
      await client.create(configMap('informed', { a: '1' }), manager, limit());
      await client.delete(configMaps, ref('informed'), {}, limit());
      assert.deepEqual((await heard.promise)['data'], { a: '1' });
      assert.equal(informer.get(ref('informed')), undefined);
      assert.ok(informer.list(namespace).every((object) => object.metadata.managedFields === undefined));
    });

    test('a CustomResourceDefinition is served once it is ensured, and ensuring it again changes nothing', async () => {
      const group = `${run}.contract.example.com`;
      const crd = widgetDefinition(group);
      await ensureCrds(client, [crd], limit(), { clock });
      await ensureCrds(client, [crd], limit(), { clock });
      const widgets = await resourceOf(group, 'v1', 'Widget');
      const widget: KubeObject = { apiVersion: `${group}/v1`, kind: 'Widget', metadata: ref('w'), spec: { size: 3 } };
      const applied = await client.apply(widget, manager, limit());
      assert.equal(getPath(applied, 'spec', 'size'), 3);
      const status = { type: 'merge', body: { status: { ready: true } } } as const;
      const patched = await client.patch(widgets, ref('w'), status, { subresource: 'status' }, limit());
      assert.equal(getPath(patched, 'status', 'ready'), true);
      const bad = client.apply({ ...widget, spec: { size: 'large' } }, manager, limit());
      await assert.rejects(bad, (error) => isAppError(error, 'bad-input'));
      const definitions = await resourceOf('apiextensions.k8s.io', 'v1', 'CustomResourceDefinition');
      assert.equal(await client.delete(definitions, { name: crd.metadata.name }, {}, limit()), true);
    });

    test('a log of a pod that is not there is not-found', async () => {
      const reading = Array.fromAsync(client.logs(ref('absent'), {}, limit()));
      await assert.rejects(reading, (error) => isAppError(error, 'not-found'));
    });

    test('leaves nothing behind', async () => {
      const namespaces = await resourceOf('', 'v1', 'Namespace');
      assert.equal(await client.delete(namespaces, { name: namespace }, {}, limit()), true);
    });
  });
}

function widgetDefinition(group: string): KubeObject {
  const spec = { type: 'object', properties: { size: { type: 'integer' } } };
  const status = { type: 'object', properties: { ready: { type: 'boolean' } } };
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec, status } } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList' },
      versions: [{ name: 'v1', served: true, storage: true, schema, subresources: { status: {} } }],
    },
  };
}
