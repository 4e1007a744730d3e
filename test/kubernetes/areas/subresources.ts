import assert from 'node:assert/strict';
import { getArray, getObject, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import type { Area, Case } from '../suite/case.ts';
import { itemsOf, nameOf, uidOf, versionOf } from '../suite/cluster.ts';
import { refused } from '../suite/expect.ts';
import { configMap, deployment, pod, secret, service } from '../suite/objects.ts';

const seen = 'answer of kube-apiserver 1.33';
const concepts = 'kubernetes.io/docs/reference/using-api/api-concepts';
const deployments = 'apps/v1/deployments';

const parts: Case[] = [
  {
    id: 'scale',
    title: '/scale shows and sets the replicas',
    source: seen,
    run: async (k) => {
      const made = await k.create(k.at(deployments), deployment('scaled', { paused: true }));
      const path = k.at(deployments, 'scaled', 'scale');
      const { body } = await k.get(path);
      const { resourceVersion, creationTimestamp, ...metadata } = getObject(body, 'metadata');
      assert.ok(resourceVersion && creationTimestamp);
      assert.deepEqual(
        [
          body['kind'],
          body['apiVersion'],
          metadata,
          getObject(body, 'spec')['replicas'] ?? 0,
          getPath(body, 'status', 'selector'),
        ],
        ['Scale', 'autoscaling/v1', { name: 'scaled', namespace: k.namespace, uid: uidOf(made) }, 0, 'app=scaled'],
      );
      assert.equal((await k.patch(`${path}?dryRun=All`, { spec: { replicas: 3 } })).code, 200);
      assert.equal(getPath((await k.get(k.at(deployments, 'scaled'))).body, 'spec', 'replicas'), 0);
      const put = await k.put(path, {
        ...body,
        metadata: { name: 'scaled', namespace: k.namespace },
        spec: { replicas: 0 },
      });
      assert.equal(put.code, 200, put.text);
      assert.equal((await k.patch(path, { spec: { replicas: -1 } })).code, 422);
    },
  },
  {
    id: 'status-only',
    title: '/status takes the status and nothing else',
    source: concepts,
    run: async (k) => {
      await k.create(k.at('pods'), pod('stated'));
      const { code, body } = await k.patch(k.at('pods', 'stated', 'status'), {
        spec: { activeDeadlineSeconds: 5 },
        status: { message: 'hello' },
      });
      assert.deepEqual(
        [code, getPath(body, 'status', 'message'), getPath(body, 'spec', 'activeDeadlineSeconds')],
        [200, 'hello', undefined],
      );
    },
  },
  {
    id: 'binding',
    title: 'a Binding puts a pod on a node, once',
    source: seen,
    run: async (k) => {
      await k.create(k.at('pods'), pod('bound'));
      const node = k.name('node');
      const binding = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'bound' },
        target: { apiVersion: 'v1', kind: 'Node', name: node },
      };
      const first = await k.post(k.at('pods', 'bound', 'binding'), binding);
      assert.deepEqual([first.code, first.body['status']], [201, 'Success'], first.text);
      const { body } = await k.get(k.at('pods', 'bound'));
      assert.equal(getPath(body, 'spec', 'nodeName'), node);
      const scheduled = getArray(body, 'status', 'conditions')
        .filter(isObject)
        .find((item) => item['type'] === 'PodScheduled');
      assert.equal(scheduled?.['status'], 'True');
      refused(await k.post(k.at('pods', 'bound', 'binding'), binding), {
        code: 409,
        reason: 'Conflict',
        message: `Operation cannot be fulfilled on pods/binding "bound": pod bound is already assigned to node "${node}"`,
      });
      await k.delete(k.at('pods', 'bound'), { gracePeriodSeconds: 0 });
    },
  },
  {
    id: 'graceful',
    title: 'a Pod on a node is given its grace',
    source: seen,
    run: async (k) => {
      await k.create(k.at('pods'), pod('graceful', { nodeName: k.name('absent') }));
      const { code, body } = await k.delete(k.at('pods', 'graceful'));
      assert.deepEqual([code, getPath(body, 'metadata', 'deletionGracePeriodSeconds')], [200, 30]);
      const left = Date.parse(getString(body, 'metadata', 'deletionTimestamp') ?? '') - Date.now();
      assert.ok(left > 20_000 && left < 40_000, `${left} ms`);
      await k.delete(k.at('pods', 'graceful'), { gracePeriodSeconds: 0 });
      await k.eventually('the pod is gone', async () =>
        (await k.get(k.at('pods', 'graceful'))).code === 404 ? true : undefined,
      );
    },
  },
  {
    id: 'unknown',
    title: 'a subresource that its kind does not have',
    source: seen,
    run: async (k) => {
      await k.create(k.at('configmaps'), configMap('plain'));
      refused(await k.get(k.at('configmaps', 'plain', 'status')), {
        code: 404,
        reason: 'NotFound',
        message: 'the server could not find the requested resource',
      });
    },
  },
];

const dryRuns: Case[] = [
  {
    id: 'dry-run-create',
    title: 'a dry run of create shows the object without a version, and stores nothing',
    source: seen,
    run: async (k) => {
      const { code, body } = await k.post(`${k.at('configmaps')}?dryRun=All`, configMap('dry', { a: '1' }));
      assert.deepEqual([code, versionOf(body), uidOf(body) !== ''], [201, '', true]);
      assert.equal((await k.get(k.at('configmaps', 'dry'))).code, 404);
    },
  },
  {
    id: 'dry-run-update',
    title: 'a dry run of update and patch shows the outcome and stores nothing',
    source: seen,
    run: async (k) => {
      const path = k.at('configmaps', 'dry-changed');
      const made = await k.create(k.at('configmaps'), configMap('dry-changed', { a: '1' }));
      const put = await k.put(`${path}?dryRun=All`, { ...made, data: { a: '2' } });
      const patch = await k.patch(`${path}?dryRun=All`, { data: { a: '3' } });
      assert.deepEqual([put.body['data'], patch.body['data']], [{ a: '2' }, { a: '3' }]);
      const { body } = await k.get(path);
      assert.deepEqual([body['data'], versionOf(body)], [{ a: '1' }, versionOf(made)]);
    },
  },
  {
    id: 'dry-run-validates',
    title: 'a dry run validates, and meets what is there',
    source: concepts,
    run: async (k) => {
      await k.create(k.at('configmaps'), configMap('taken'));
      assert.equal((await k.post(`${k.at('configmaps')}?dryRun=All`, configMap('taken'))).code, 409);
      assert.equal((await k.post(`${k.at('configmaps')}?dryRun=All`, configMap('Bad'))).code, 422);
    },
  },
  {
    id: 'dry-run-value',
    title: 'dryRun is All or nothing',
    source: seen,
    run: async (k) =>
      refused(await k.post(`${k.at('configmaps')}?dryRun=Some`, configMap('some')), {
        code: 422,
        reason: 'Invalid',
        message:
          'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: []string{"Some"}: supported values: "All"',
        details: {
          group: 'meta.k8s.io',
          kind: 'CreateOptions',
          causes: [
            {
              reason: 'FieldValueNotSupported',
              message: 'Unsupported value: []string{"Some"}: supported values: "All"',
              field: 'dryRun',
            },
          ],
        },
      }),
  },
];

async function selected(k: Parameters<Case['run']>[0], resource: string, query: string): Promise<string[]> {
  const { code, body, text } = await k.get(`${k.at(resource)}?${query}`);
  assert.equal(code, 200, text);
  return itemsOf(body).map(nameOf);
}

const labelQueries: [string, string[]][] = [
  ['tier=a', ['sel-1', 'sel-2']],
  ['tier==a,track=x', ['sel-1']],
  ['tier!=a,set=sel', ['sel-3', 'sel-4']],
  ['tier in (a,b)', ['sel-1', 'sel-2', 'sel-3']],
  ['tier notin (a),set=sel', ['sel-3', 'sel-4']],
  ['track,set=sel', ['sel-1']],
  ['!tier,set=sel', ['sel-4']],
];

const selectors: Case[] = [
  {
    id: 'labels',
    title: 'every form of label selector',
    source: 'kubernetes.io/docs/concepts/overview/working-with-objects/labels',
    run: async (k) => {
      const labels: Record<string, string>[] = [{ tier: 'a', track: 'x' }, { tier: 'a' }, { tier: 'b' }, {}];
      for (const [index, more] of labels.entries())
        await k.create(k.at('configmaps'), configMap(`sel-${index + 1}`, {}, { labels: { set: 'sel', ...more } }));
      for (const [query, want] of labelQueries)
        assert.deepEqual(await selected(k, 'configmaps', `labelSelector=${encodeURIComponent(query)}`), want, query);
    },
  },
  {
    id: 'labels-garbage',
    title: 'a label selector that is none',
    source: seen,
    run: async (k) => {
      const { code, body } = await k.get(`${k.at('configmaps')}?labelSelector=a%3D%3D%3Db`);
      assert.deepEqual([code, body['reason']], [400, 'BadRequest']);
      assert.match(String(body['message']), /^(?:unable to parse requirement|found)/);
    },
  },
  {
    id: 'fields-pod',
    title: 'fields of a Pod',
    source: 'kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors',
    run: async (k) => {
      const node = k.name('no-such');
      await k.create(k.at('pods'), pod('field-1', { nodeName: node, restartPolicy: 'Never' }));
      await k.create(k.at('pods'), pod('field-2'));
      k.later(() => k.delete(k.at('pods', 'field-1'), { gracePeriodSeconds: 0 }));
      const queries: [string, string[]][] = [
        [`spec.nodeName=${node}`, ['field-1']],
        [`spec.nodeName!=${node},metadata.name=field-2`, ['field-2']],
        ['spec.restartPolicy=Never,status.phase=Pending', ['field-1']],
        ['metadata.name=field-2,spec.schedulerName=suite', ['field-2']],
        [`metadata.namespace=${k.namespace},metadata.name=field-1`, ['field-1']],
      ];
      for (const [query, want] of queries)
        assert.deepEqual(await selected(k, 'pods', `fieldSelector=${encodeURIComponent(query)}`), want, query);
    },
  },
  {
    id: 'fields-others',
    title: 'fields of Secrets, Services, Jobs and Events',
    source: 'kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors',
    run: async (k) => {
      await k.create(k.at('secrets'), secret('field', { type: 'example.com/one' }));
      await k.create(k.at('services'), service('field', { clusterIP: 'None' }));
      const event: JsonObject = {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: 'field' },
        involvedObject: { kind: 'Pod', name: 'p', namespace: k.namespace, uid: 'u-1' },
        reason: 'Suite',
        type: 'Warning',
      };
      await k.create(k.at('events'), event);
      assert.deepEqual(await selected(k, 'secrets', 'fieldSelector=type%3Dexample.com/one'), ['field']);
      assert.deepEqual(await selected(k, 'services', 'fieldSelector=spec.clusterIP%3DNone'), ['field']);
      const about = 'involvedObject.uid=u-1,involvedObject.kind=Pod,reason=Suite,type=Warning';
      assert.deepEqual(await selected(k, 'events', `fieldSelector=${encodeURIComponent(about)}`), ['field']);
      assert.deepEqual(await selected(k, 'batch/v1/jobs', 'fieldSelector=status.successful%3D1'), []);
    },
  },
  ...(
    [
      ['configmaps', '"zz.zz" is not a known field selector: only "metadata.name", "metadata.namespace"'],
      ['apps/v1/deployments', '"zz.zz" is not a known field selector: only "metadata.name", "metadata.namespace"'],
      ['pods', 'field label not supported: zz.zz'],
      ['services', 'field label not supported: zz.zz'],
      ['batch/v1/jobs', 'field label "zz.zz" not supported for Job'],
    ] satisfies [string, string][]
  ).map(
    ([resource, message]): Case => ({
      id: `unknown-field-${resource.replaceAll('/', '-')}`,
      title: `an unknown field of ${resource}`,
      source: seen,
      run: async (k) =>
        refused(await k.get(`${k.at(resource)}?fieldSelector=zz.zz%3D1`), { code: 400, reason: 'BadRequest', message }),
    }),
  ),
];

export const subresources: Area = {
  name: 'subresources',
  title: 'Subresources, dry run, selectors',
  cases: [...parts, ...dryRuns, ...selectors],
};
