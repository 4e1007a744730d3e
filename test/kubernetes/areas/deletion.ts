import assert from 'node:assert/strict';
import { getArray, getObject, getPath, getString, type JsonObject } from '#base/json.ts';
import type { Area, Case } from '../suite/case.ts';
import { type Cluster, itemsOf, nameOf, uidOf, versionOf } from '../suite/cluster.ts';
import { invalid, refused } from '../suite/expect.ts';
import { configMap, job, pod, service } from '../suite/objects.ts';

const seen = 'answer of kube-apiserver 1.33';
const gcDocs = 'kubernetes.io/docs/concepts/architecture/garbage-collection';

const gone = (k: Cluster, path: string) =>
  k.eventually(`${path} is gone`, async () => ((await k.get(path)).code === 404 ? true : undefined));

const plain: Case[] = [
  {
    id: 'answer-status',
    title: 'what goes at once is answered by a Status with its uid',
    source: seen,
    run: async (k) => {
      const uid = uidOf(await k.create(k.at('configmaps'), configMap('once')));
      const { code, body } = await k.delete(k.at('configmaps', 'once'));
      assert.deepEqual(
        [code, body],
        [
          200,
          {
            kind: 'Status',
            apiVersion: 'v1',
            metadata: {},
            status: 'Success',
            details: { name: 'once', kind: 'configmaps', uid },
          },
        ],
      );
    },
  },
  {
    id: 'answer-object',
    title: 'Services are answered by the object',
    source: seen,
    run: async (k) => {
      await k.create(k.at('services'), service('shown'));
      const { body } = await k.delete(k.at('services', 'shown'));
      assert.deepEqual([body['kind'], nameOf(body)], ['Service', 'shown']);
    },
  },
  {
    id: 'collection',
    title: 'DELETE of a collection takes what the selector selects, and lists it',
    source: seen,
    run: async (k) => {
      for (const name of ['all-a', 'all-b'])
        await k.create(k.at('configmaps'), configMap(name, {}, { labels: { set: 'all' } }));
      await k.create(k.at('configmaps'), configMap('all-c'));
      const { code, body } = await k.delete(`${k.at('configmaps')}?labelSelector=set%3Dall`);
      assert.deepEqual([code, body['kind'], itemsOf(body).map(nameOf)], [200, 'ConfigMapList', ['all-a', 'all-b']]);
      assert.equal((await k.get(k.at('configmaps', 'all-a'))).code, 404);
      assert.equal((await k.get(k.at('configmaps', 'all-c'))).code, 200);
    },
  },
  {
    id: 'version-precondition',
    title: 'a version precondition that does not hold',
    source: 'apimachinery: Preconditions',
    run: async (k) => {
      const made = await k.create(k.at('configmaps'), configMap('guarded'));
      await k.patch(k.at('configmaps', 'guarded'), { data: { a: '1' } });
      const { code, body } = await k.delete(k.at('configmaps', 'guarded'), {
        preconditions: { resourceVersion: versionOf(made) },
      });
      assert.deepEqual([code, body['reason']], [409, 'Conflict']);
      assert.equal((await k.get(k.at('configmaps', 'guarded'))).code, 200);
    },
  },
  {
    id: 'dry-run',
    title: 'a dry run of DELETE takes nothing away',
    source: 'kubernetes.io/docs/reference/using-api/api-concepts: dry run',
    run: async (k) => {
      await k.create(k.at('configmaps'), configMap('dry'));
      assert.equal((await k.delete(`${k.at('configmaps', 'dry')}?dryRun=All`)).code, 200);
      assert.equal((await k.delete(k.at('configmaps', 'dry'), { dryRun: ['All'] })).code, 200);
      assert.equal((await k.get(k.at('configmaps', 'dry'))).code, 200);
    },
  },
  {
    id: 'pod-graceful',
    title: 'a Pod that no node has goes at once, whatever its grace',
    source: 'kubernetes: pkg/registry/core/pod/strategy.go',
    run: async (k) => {
      await k.create(k.at('pods'), pod('floating'));
      assert.equal((await k.delete(k.at('pods', 'floating'))).code, 200);
      assert.equal((await k.get(k.at('pods', 'floating'))).code, 404);
    },
  },
];

const finalizers: Case[] = [
  {
    id: 'finalizer',
    title: 'a finalizer holds the object: it is marked, and goes with the last one',
    source: seen,
    run: async (k) => {
      const path = k.at('configmaps', 'held');
      await k.create(k.at('configmaps'), configMap('held', {}, { finalizers: ['example.com/f'] }));
      const { code, body } = await k.delete(path);
      assert.deepEqual(
        [code, body['kind'], getPath(body, 'metadata', 'deletionGracePeriodSeconds')],
        [200, 'ConfigMap', 0],
      );
      assert.match(getString(body, 'metadata', 'deletionTimestamp') ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      const again = await k.delete(path);
      assert.deepEqual([again.code, versionOf(again.body)], [200, versionOf(body)]);
      invalid(
        await k.patch(path, { metadata: { finalizers: ['example.com/f', 'example.com/g'] } }),
        'ConfigMap',
        'held',
        [
          [
            'metadata.finalizers',
            'Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/g"}',
          ],
        ],
      );
      assert.equal((await k.patch(path, { data: { a: '1' } })).code, 200);
      assert.equal((await k.patch(path, { metadata: { finalizers: null } })).code, 200);
      assert.equal((await k.get(path)).code, 404);
    },
  },
  {
    id: 'foreground-marks',
    title: 'foreground deletion adds its finalizer',
    source: seen,
    run: async (k) => {
      await k.create(k.at('configmaps'), configMap('front', {}, { finalizers: ['example.com/f'] }));
      const { body } = await k.delete(k.at('configmaps', 'front'), { propagationPolicy: 'Foreground' });
      assert.ok(getArray(body, 'metadata', 'finalizers').includes('foregroundDeletion'));
      await k.patch(k.at('configmaps', 'front'), { metadata: { finalizers: null } });
    },
  },
  {
    id: 'unknown-policy',
    title: 'a propagation policy that does not exist',
    source: 'apimachinery: ValidateDeleteOptions',
    run: async (k) => {
      await k.create(k.at('configmaps'), configMap('policy'));
      const { code, body } = await k.delete(k.at('configmaps', 'policy'), { propagationPolicy: 'Sideways' });
      assert.deepEqual([code, body['reason']], [422, 'Invalid']);
      assert.match(
        String(body['message']),
        /propagationPolicy: Invalid value: "Sideways"|propagationPolicy: Unsupported value: "Sideways"/,
      );
    },
  },
];

/** An owner and what it owns. */
async function family(k: Cluster, name: string, more: { blocking?: boolean; finalizers?: string[] } = {}) {
  const owner = await k.create(k.at('configmaps'), configMap(name));
  const reference: JsonObject = { apiVersion: 'v1', kind: 'ConfigMap', name, uid: uidOf(owner) };
  if (more.blocking) reference['blockOwnerDeletion'] = true;
  const metadata = { ownerReferences: [reference], ...(more.finalizers && { finalizers: more.finalizers }) };
  await k.create(k.at('configmaps'), configMap(`${name}-child`, {}, metadata));
  return { owner: k.at('configmaps', name), child: k.at('configmaps', `${name}-child`) };
}

const collector: Case[] = [
  {
    id: 'background',
    title: 'background: the owner goes at once, what it owned soon after',
    source: seen,
    needs: ['garbage-collector'],
    run: async (k) => {
      const { owner, child } = await family(k, 'behind');
      assert.equal((await k.delete(owner, { propagationPolicy: 'Background' })).code, 200);
      assert.equal((await k.get(owner)).code, 404);
      await gone(k, child);
    },
  },
  {
    id: 'foreground',
    title: 'foreground: the owner waits for what blocks it',
    source: seen,
    needs: ['garbage-collector'],
    run: async (k) => {
      const { owner, child } = await family(k, 'before', { blocking: true, finalizers: ['example.com/f'] });
      const { body } = await k.delete(owner, { propagationPolicy: 'Foreground' });
      assert.deepEqual(getPath(body, 'metadata', 'finalizers'), ['foregroundDeletion']);
      await k.eventually('the child is being deleted', async () =>
        getString((await k.get(child)).body, 'metadata', 'deletionTimestamp'),
      );
      assert.equal((await k.get(owner)).code, 200);
      await k.patch(child, { metadata: { finalizers: null } });
      await gone(k, owner);
      assert.equal((await k.get(child)).code, 404);
    },
  },
  {
    id: 'orphan',
    title: 'orphan: what was owned stays, without its owner',
    source: seen,
    needs: ['garbage-collector'],
    run: async (k) => {
      const { owner, child } = await family(k, 'left');
      await k.delete(owner, { propagationPolicy: 'Orphan' });
      await gone(k, owner);
      const { code, body } = await k.get(child);
      assert.deepEqual(
        [code, getPath(body, 'metadata', 'ownerReferences'), getPath(body, 'metadata', 'deletionTimestamp')],
        [200, undefined, undefined],
      );
    },
  },
  {
    id: 'absent-owner',
    title: 'an owner that never was: the object goes',
    source: gcDocs,
    needs: ['garbage-collector'],
    run: async (k) => {
      const reference = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name: 'never',
        uid: '00000000-0000-4000-8000-000000000000',
      };
      await k.create(k.at('configmaps'), configMap('lost', {}, { ownerReferences: [reference] }));
      await gone(k, k.at('configmaps', 'lost'));
    },
  },
  {
    id: 'second-owner',
    title: 'with a second owner that stays, the object stays and forgets the first',
    source: gcDocs,
    needs: ['garbage-collector'],
    run: async (k) => {
      const [a, b] = [
        await k.create(k.at('configmaps'), configMap('owner-a')),
        await k.create(k.at('configmaps'), configMap('owner-b')),
      ];
      const ownerReferences = [a, b].map((owner) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        name: nameOf(owner),
        uid: uidOf(owner),
      }));
      await k.create(k.at('configmaps'), configMap('shared', {}, { ownerReferences }));
      await k.delete(k.at('configmaps', 'owner-a'));
      await k.eventually('one owner is left', async () => {
        const owners = getArray((await k.get(k.at('configmaps', 'shared'))).body, 'metadata', 'ownerReferences');
        return owners.length === 1 && nameOf({ metadata: owners[0] }) === 'owner-b' ? true : undefined;
      });
    },
  },
  {
    id: 'job-orphans',
    title: 'DELETE of a Job without a policy orphans its pods, with a warning',
    source: seen,
    run: async (k) => {
      await k.create(k.at('batch/v1/jobs'), job('kept', { suspend: true }));
      const { headers } = await k.delete(k.at('batch/v1/jobs', 'kept'));
      assert.match(String(headers['warning']), /^299 - "child pods are preserved by default when jobs are deleted; /);
    },
  },
];

const namespaces: Case[] = [
  {
    id: 'namespace-terminating',
    title: 'a namespace that is deleted takes nothing new, and goes with all it has',
    source: seen,
    needs: ['controllers'],
    run: async (k) => {
      const name = await k.makeNamespace('ending');
      const maps = `/api/v1/namespaces/${name}/configmaps`;
      await k.create(maps, configMap('last', {}, { finalizers: ['example.com/f'] }));
      const { body } = await k.delete(`/api/v1/namespaces/${name}`);
      assert.deepEqual(
        [getPath(body, 'status', 'phase'), getPath(body, 'spec', 'finalizers')],
        ['Terminating', ['kubernetes']],
      );
      refused(await k.post(maps, configMap('late')), {
        code: 403,
        reason: 'Forbidden',
        message: `configmaps "late" is forbidden: unable to create new content in namespace ${name} because it is being terminated`,
        details: {
          name: 'late',
          kind: 'configmaps',
          causes: [
            {
              reason: 'NamespaceTerminating',
              message: `namespace ${name} is being terminated`,
              field: 'metadata.namespace',
            },
          ],
        },
      });
      const held = await k.eventually('the namespace says what it waits for', async () => {
        const { body: now } = await k.get(`/api/v1/namespaces/${name}`);
        const conditions = getArray(now, 'status', 'conditions');
        return conditions.find(
          (item) => getString(item, 'type') === 'NamespaceFinalizersRemaining' && getString(item, 'status') === 'True',
        );
      });
      assert.deepEqual(
        [getString(held, 'reason'), getString(held, 'message')],
        [
          'SomeFinalizersRemain',
          'Some content in the namespace has finalizers remaining: example.com/f in 1 resource instances',
        ],
      );
      await k.patch(`${maps}/last`, { metadata: { finalizers: null } });
      await k.eventually(
        'the namespace is gone',
        async () => ((await k.get(`/api/v1/namespaces/${name}`)).code === 404 ? true : undefined),
        40_000,
      );
    },
  },
  {
    id: 'namespace-label',
    title: "a namespace's name label is forced",
    source: 'kubernetes.io/docs/reference/labels-annotations-taints: kubernetes.io/metadata.name',
    run: async (k) => {
      const path = `/api/v1/namespaces/${k.namespace}`;
      const label = { 'kubernetes.io/metadata.name': null };
      const { body } = await k.patch(path, { metadata: { labels: label } });
      assert.equal(getObject(body, 'metadata', 'labels')['kubernetes.io/metadata.name'], k.namespace);
    },
  },
];

export const deletion: Area = {
  name: 'deletion',
  title: 'Deletion, finalizers, garbage collection, namespaces',
  cases: [...plain, ...finalizers, ...collector, ...namespaces],
};
