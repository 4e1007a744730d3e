import assert from 'node:assert/strict';
import { getNumber, getObject, getString, isObject } from '#base/json.ts';
import type { Area, Case } from '../suite/case.ts';
import { type Cluster, itemsOf, nameOf, versionOf } from '../suite/cluster.ts';
import { refused } from '../suite/expect.ts';
import { configMap } from '../suite/objects.ts';

const seen = 'answer of kube-apiserver 1.33';
const concepts = 'kubernetes.io/docs/reference/using-api/api-concepts';
const names = ['page-0', 'page-1', 'page-2', 'page-3', 'page-4'];

/** Five ConfigMaps of label `set`, and the path that lists them with `query`. */
async function five(k: Cluster, set: string): Promise<(query?: string) => string> {
  for (const name of names) await k.create(k.at('configmaps'), configMap(`${set}-${name}`, {}, { labels: { set } }));
  return (query = '') => `${k.at('configmaps')}?labelSelector=set%3D${set}${query}`;
}

const paging: Case[] = [
  {
    id: 'pages',
    title: 'pages show the collection as it was at the first one',
    source: seen,
    run: async (k) => {
      const path = await five(k, 'pages');
      const first = await k.get(path('&limit=2'));
      const token = getString(first.body, 'metadata', 'continue') ?? '';
      assert.deepEqual(itemsOf(first.body).map(nameOf), ['pages-page-0', 'pages-page-1']);
      const decoded: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
      assert.ok(isObject(decoded));
      assert.deepEqual(decoded, {
        v: 'meta.k8s.io/v1',
        rv: Number(getString(first.body, 'metadata', 'resourceVersion')),
        start: 'pages-page-1\u0000',
      });
      await k.create(k.at('configmaps'), configMap('pages-page-1b', {}, { labels: { set: 'pages' } }));
      await k.delete(k.at('configmaps', 'pages-page-4'));
      const second = await k.get(path(`&limit=2&continue=${token}`));
      const third = await k.get(path(`&limit=2&continue=${getString(second.body, 'metadata', 'continue') ?? ''}`));
      assert.deepEqual([...itemsOf(second.body), ...itemsOf(third.body)].map(nameOf), [
        'pages-page-2',
        'pages-page-3',
        'pages-page-4',
      ]);
      assert.equal(getString(third.body, 'metadata', 'continue') ?? '', '');
      assert.deepEqual(
        [second, third].map((page) => versionOf(page.body)),
        [versionOf(first.body), versionOf(first.body)],
      );
    },
  },
  {
    id: 'remaining-count',
    title: 'remainingItemCount is told without a selector, and only then',
    source: seen,
    run: async (k) => {
      const path = await five(k, 'rest');
      const whole = itemsOf((await k.get(k.at('configmaps'))).body).length;
      const page = await k.get(`${k.at('configmaps')}?limit=2`);
      assert.equal(getNumber(page.body, 'metadata', 'remainingItemCount'), whole - 2);
      assert.equal(getNumber((await k.get(path('&limit=2'))).body, 'metadata', 'remainingItemCount'), undefined);
    },
  },
  {
    id: 'continue-with-version',
    title: 'a continue token and a resourceVersion do not go together',
    source: seen,
    run: async (k) => {
      const path = await five(k, 'both');
      const token = getString((await k.get(path('&limit=2'))).body, 'metadata', 'continue') ?? '';
      refused(await k.get(path(`&limit=2&continue=${token}&resourceVersion=1`)), {
        code: 400,
        reason: 'BadRequest',
        message: 'specifying resource version is not allowed when using continue',
      });
    },
  },
  {
    id: 'continue-garbage',
    title: 'a token that is none',
    source: seen,
    run: async (k) =>
      refused(await k.get(`${k.at('configmaps')}?limit=1&continue=bm90aGluZw`), {
        code: 400,
        reason: 'BadRequest',
        message: /continue key is not valid/,
      }),
  },
];

const versions: Case[] = [
  {
    id: 'version-zero',
    title: 'resourceVersion=0 is answered whole: the limit is not obeyed',
    source: seen,
    run: async (k) => {
      const path = await five(k, 'zero');
      // The cache may lag: it is asked until it has them.
      const list = await k.eventually('five in the cache', async () => {
        const { body } = await k.get(path('&limit=2&resourceVersion=0'));
        return itemsOf(body).length === 5 ? body : undefined;
      });
      assert.equal(getString(list, 'metadata', 'continue'), undefined);
    },
  },
  {
    id: 'version-match-alone',
    title: 'resourceVersionMatch needs a resourceVersion',
    source: seen,
    run: async (k) =>
      refused(await k.get(`${k.at('configmaps')}?resourceVersionMatch=Exact`), {
        code: 422,
        reason: 'Invalid',
        message:
          'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
        details: {
          group: 'meta.k8s.io',
          kind: 'ListOptions',
          causes: [
            {
              reason: 'FieldValueForbidden',
              message: 'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
              field: 'resourceVersionMatch',
            },
          ],
        },
      }),
  },
  {
    id: 'version-exact',
    title: 'resourceVersionMatch=Exact shows the collection as it was',
    source: concepts,
    run: async (k) => {
      const path = await five(k, 'exact');
      const { body: before } = await k.get(path());
      await k.delete(k.at('configmaps', 'exact-page-0'));
      const { body } = await k.get(path(`&limit=10&resourceVersionMatch=Exact&resourceVersion=${versionOf(before)}`));
      assert.deepEqual(itemsOf(body).map(nameOf), itemsOf(before).map(nameOf));
      assert.equal(versionOf(body), versionOf(before));
    },
  },
  {
    id: 'version-no-number',
    title: 'a resourceVersion that is no number',
    source: seen,
    run: async (k) =>
      refused(await k.get(`${k.at('configmaps')}?resourceVersion=abc`), {
        code: 400,
        reason: 'BadRequest',
        message:
          'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
      }),
  },
  {
    id: 'version-future',
    title: 'a resourceVersion that is not there yet',
    source: seen,
    run: async (k) =>
      refused(await k.get(`${k.at('configmaps')}?resourceVersion=999999999999`), {
        code: 504,
        reason: 'Timeout',
        message: /^Timeout: Too large resource version: 999999999999, current: \d+$/,
        details: {
          causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
          retryAfterSeconds: 1,
        },
      }),
  },
  {
    id: 'list-version-moves',
    title: "a list's version is the store's, also after writes elsewhere",
    source: concepts,
    run: async (k) => {
      const before = versionOf((await k.get(k.at('secrets'))).body);
      await k.create(k.at('configmaps'), configMap('elsewhere'));
      const after = versionOf((await k.get(k.at('secrets'))).body);
      assert.ok(Number(after) > Number(before), `${after} > ${before}`);
    },
  },
];

const writes: Case[] = [
  {
    id: 'no-op-writes',
    title: 'a write that changes nothing keeps the version',
    source: seen,
    run: async (k) => {
      const path = k.at('configmaps', 'same');
      const made = await k.create(k.at('configmaps'), configMap('same', { a: '1' }));
      const answers = [
        await k.put(path, made),
        await k.patch(path, { data: { a: '1' } }),
        await k.patch(path, [{ op: 'replace', path: '/data/a', value: '1' }], 'json'),
        await k.patch(path, { data: { a: '1' } }, 'strategic'),
      ];
      assert.deepEqual(
        answers.map((answer) => [answer.code, versionOf(answer.body)]),
        answers.map(() => [200, versionOf(made)]),
      );
    },
  },
  {
    id: 'no-op-quantity',
    title: 'a quantity written in another way is no change',
    source: seen,
    run: async (k) => {
      const path = k.at('resourcequotas', 'same');
      const body = {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'same' },
        spec: { hard: { cpu: '500' } },
      };
      await k.create(k.at('resourcequotas'), body);
      const before = await k.settled(path);
      const answer = await k.patch(path, { spec: { hard: { cpu: '500000m' } } });
      assert.deepEqual([answer.code, versionOf(answer.body)], [200, versionOf(before)]);
    },
  },
  {
    id: 'versions-grow',
    title: 'every write has a greater version than the one before, whatever the kind',
    source: seen,
    run: async (k) => {
      const a = await k.create(k.at('configmaps'), configMap('first'));
      const b = await k.create(k.at('secrets'), { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'second' } });
      const c = (await k.patch(k.at('configmaps', 'first'), { data: { a: '1' } })).body;
      const [x = 0, y = 0, z = 0] = [a, b, c].map((object) => Number(versionOf(object)));
      assert.ok(x < y && y < z, `${x} < ${y} < ${z}`);
    },
  },
];

const shape: Case[] = [
  {
    id: 'list-shape',
    title: 'items of a built-in list have no kind of their own, and come in order of their names',
    source: seen,
    run: async (k) => {
      const path = await five(k, 'shape');
      const { body } = await k.get(path());
      assert.deepEqual([body['kind'], body['apiVersion']], ['ConfigMapList', 'v1']);
      assert.deepEqual(
        itemsOf(body).map((item) => [nameOf(item), item['kind'], item['apiVersion']]),
        names.map((name) => [`shape-${name}`, undefined, undefined]),
      );
    },
  },
  {
    id: 'partial-metadata',
    title: 'as=PartialObjectMetadataList shows metadata only',
    source: seen,
    run: async (k) => {
      const path = await five(k, 'partial');
      const accept = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
      const { body } = await k.get(path(), { accept });
      assert.deepEqual([body['kind'], body['apiVersion']], ['PartialObjectMetadataList', 'meta.k8s.io/v1']);
      for (const item of itemsOf(body)) {
        assert.deepEqual(Object.keys(item).sort(), ['apiVersion', 'kind', 'metadata']);
        assert.deepEqual([item['kind'], item['apiVersion']], ['PartialObjectMetadata', 'meta.k8s.io/v1']);
        assert.deepEqual(getObject(item, 'metadata', 'labels'), { set: 'partial' });
      }
    },
  },
  {
    id: 'partial-object',
    title: 'one object as PartialObjectMetadata',
    source: concepts,
    run: async (k) => {
      await k.create(k.at('configmaps'), configMap('one-partial', { a: '1' }));
      const accept = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';
      const { body } = await k.get(k.at('configmaps', 'one-partial'), { accept });
      assert.deepEqual(
        [body['kind'], body['apiVersion'], body['data']],
        ['PartialObjectMetadata', 'meta.k8s.io/v1', undefined],
      );
      assert.equal(nameOf(body), 'one-partial');
    },
  },
];

export const listing: Area = {
  name: 'listing',
  title: 'Lists, pages and versions',
  cases: [...paging, ...versions, ...writes, ...shape],
};
