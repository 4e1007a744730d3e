import assert from 'node:assert/strict';
import { getObject, getPath, getString, type JsonObject } from '#base/json.ts';
import type { Area, Case } from '../suite/case.ts';
import { type Cluster, itemsOf, nameOf, versionOf } from '../suite/cluster.ts';
import { refused } from '../suite/expect.ts';
import { configMap } from '../suite/objects.ts';

const seen = 'answer of kube-apiserver 1.33';
const concepts = 'kubernetes.io/docs/reference/using-api/api-concepts';

function brief(events: JsonObject[]): string[] {
  return events.map((event) => `${String(event['type'])} ${nameOf(event['object'])}`);
}

/** A watch of the ConfigMaps of label `set` from now on, or as `query` says. */
async function watchSet(k: Cluster, set: string, query?: string) {
  const now = versionOf((await k.get(k.at('configmaps'))).body);
  return k.watch(`${k.at('configmaps')}?watch=true&labelSelector=set%3D${set}${query ?? `&resourceVersion=${now}`}`);
}

const make = (k: Cluster, name: string, set: string) =>
  k.create(k.at('configmaps'), configMap(name, {}, { labels: { set } }));

const events: Case[] = [
  {
    id: 'life',
    title: 'create, change and delete, each at its own version',
    source: seen,
    run: async (k) => {
      await using watch = await watchSet(k, 'life');
      const made = await make(k, 'life', 'life');
      const { body: changed } = await k.patch(k.at('configmaps', 'life'), { data: { a: '1' } });
      await k.delete(k.at('configmaps', 'life'));
      const got = await watch.until((all) => all.length === 3);
      assert.deepEqual(brief(got), ['ADDED life', 'MODIFIED life', 'DELETED life']);
      const versions = got.map((event) => getString(event, 'object', 'metadata', 'resourceVersion'));
      assert.deepEqual(versions.slice(0, 2), [versionOf(made), versionOf(changed)]);
      assert.ok(Number(versions[2]) > Number(versions[1]), 'the deletion has a version of its own');
    },
  },
  {
    id: 'selector-edges',
    title: 'leaving a selector is DELETED, entering it is ADDED',
    source: seen,
    run: async (k) => {
      await using watch = await watchSet(k, 'edge');
      await make(k, 'edge', 'edge');
      await k.patch(k.at('configmaps', 'edge'), { metadata: { labels: { set: 'other' } } });
      await k.patch(k.at('configmaps', 'edge'), { metadata: { labels: { set: 'edge' } } });
      await k.delete(k.at('configmaps', 'edge'));
      const got = await watch.until((all) => all.length === 4);
      assert.deepEqual(brief(got), ['ADDED edge', 'DELETED edge', 'ADDED edge', 'DELETED edge']);
      // What left is shown as the selector knew it.
      assert.equal(getString(got[1], 'object', 'metadata', 'labels', 'set'), 'edge');
    },
  },
  {
    id: 'no-op-silent',
    title: 'a write that changes nothing makes no event',
    source: seen,
    run: async (k) => {
      await make(k, 'quiet', 'quiet');
      await using watch = await watchSet(k, 'quiet');
      await k.patch(k.at('configmaps', 'quiet'), { metadata: { labels: { set: 'quiet' } } });
      await k.patch(k.at('configmaps', 'quiet'), { data: { end: '1' } });
      const got = await watch.until((all) => all.length > 0);
      assert.deepEqual(brief(got), ['MODIFIED quiet']);
    },
  },
  {
    id: 'from-nothing',
    title: 'no version, or 0, begins with what is there',
    source: seen,
    run: async (k) => {
      await make(k, 'there', 'there');
      for (const query of ['', '&resourceVersion=0']) {
        await using watch = await watchSet(k, 'there', query);
        assert.deepEqual(brief(await watch.until((all) => all.length > 0)), ['ADDED there']);
      }
    },
  },
  {
    id: 'list-then-watch',
    title: 'a list and a watch from its version leave nothing out',
    source: concepts,
    run: async (k) => {
      await make(k, 'chain-0', 'chain');
      const { body } = await k.get(`${k.at('configmaps')}?labelSelector=set%3Dchain`);
      await make(k, 'chain-1', 'chain');
      await using watch = await watchSet(k, 'chain', `&resourceVersion=${versionOf(body)}`);
      await make(k, 'chain-2', 'chain');
      const got = await watch.until((all) => all.length === 2);
      assert.deepEqual([...itemsOf(body).map(nameOf), ...brief(got)], ['chain-0', 'ADDED chain-1', 'ADDED chain-2']);
    },
  },
  {
    id: 'one-by-name',
    title: 'metadata.name selects one object',
    source: concepts,
    run: async (k) => {
      await using watch = await k.watch(`${k.at('configmaps')}?watch=true&fieldSelector=metadata.name%3Dnamed`);
      await k.create(k.at('configmaps'), configMap('other'));
      await k.create(k.at('configmaps'), configMap('named'));
      assert.deepEqual(brief(await watch.until((all) => all.length > 0)), ['ADDED named']);
    },
  },
  {
    id: 'legacy-path',
    title: 'the old path below /watch/ is still answered',
    source: seen,
    run: async (k) => {
      await k.create(k.at('configmaps'), configMap('old-road'));
      await using watch = await k.watch(`/api/v1/watch/namespaces/${k.namespace}/configmaps/old-road`);
      assert.equal(watch.code, 200);
      assert.deepEqual(brief(await watch.until((all) => all.length > 0)), ['ADDED old-road']);
    },
  },
];

const ends: Case[] = [
  {
    id: 'timeout',
    title: 'timeoutSeconds ends the watch',
    source: concepts,
    run: async (k) => {
      await using watch = await watchSet(k, 'timeout', '&resourceVersion=0&timeoutSeconds=1');
      const start = Date.now();
      await watch.end(5_000);
      assert.ok(Date.now() - start > 500, 'not at once');
    },
  },
  {
    id: 'timeout-garbage',
    title: 'a timeoutSeconds that is no number is refused',
    source: seen,
    run: async (k) =>
      refused(await k.get(`${k.at('configmaps')}?watch=1&timeoutSeconds=abc`), {
        code: 400,
        reason: 'BadRequest',
        message: 'strconv.ParseInt: parsing "abc": invalid syntax',
      }),
  },
  {
    id: 'too-old',
    title: 'a version before what is kept: 200, one ERROR 410, the end; else all since',
    source: seen,
    run: async (k) => {
      await using watch = await k.watch(`${k.at('configmaps')}?watch=true&resourceVersion=1`);
      assert.equal(watch.code, 200);
      const [event] = await watch.until((all) => all.length > 0);
      if (event?.['type'] === 'ADDED') return;
      const { message, ...status } = getObject(event, 'object');
      assert.equal(event?.['type'], 'ERROR');
      assert.match(String(message), /^too old resource version: 1 \(\d+\)$/);
      const want = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', reason: 'Expired', code: 410 };
      assert.deepEqual(status, want);
      assert.equal((await watch.end()).length, 1);
    },
  },
  {
    id: 'future',
    title: 'a version that is not there yet: the watch opens and waits',
    source: seen,
    run: async (k) => {
      await using watch = await k.watch(
        `${k.at('configmaps')}?watch=true&resourceVersion=999999999999&timeoutSeconds=2`,
      );
      assert.equal(watch.code, 200);
      assert.deepEqual(await watch.end(), []);
    },
  },
];

const faces: Case[] = [
  {
    id: 'headers',
    title: 'the headers come at once, before any event',
    source: seen,
    run: async (k) => {
      await using watch = await watchSet(k, 'silent', '&resourceVersion=0');
      assert.equal(watch.code, 200);
      assert.equal(watch.headers['content-type'], 'application/json');
    },
  },
  {
    id: 'table',
    title: 'a watch as Table: the columns in the first event only',
    source: seen,
    run: async (k) => {
      await make(k, 'row-0', 'row');
      const path = `${k.at('configmaps')}?watch=true&labelSelector=set%3Drow`;
      await using watch = await k.watch(path, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
      await watch.until((all) => all.length === 1);
      await make(k, 'row-1', 'row');
      const [first, second] = await watch.until((all) => all.length === 2);
      assert.deepEqual([getPath(first, 'object', 'kind'), getPath(second, 'object', 'kind')], ['Table', 'Table']);
      assert.ok(Array.isArray(getPath(first, 'object', 'columnDefinitions')));
      const columns = getPath(second, 'object', 'columnDefinitions');
      assert.ok(columns === null || columns === undefined, JSON.stringify(columns));
      assert.equal(getPath(second, 'object', 'rows', 0, 'cells', 0), 'row-1');
    },
  },
  {
    id: 'partial-metadata',
    title: 'a watch as PartialObjectMetadata',
    source: concepts,
    run: async (k) => {
      await k.create(k.at('configmaps'), configMap('bare', { a: '1' }, { labels: { set: 'bare' } }));
      const path = `${k.at('configmaps')}?watch=true&labelSelector=set%3Dbare`;
      await using watch = await k.watch(path, {
        accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
      });
      const [event] = await watch.until((all) => all.length > 0);
      const object = getObject(event, 'object');
      assert.deepEqual([object['kind'], object['data']], ['PartialObjectMetadata', undefined]);
    },
  },
];

const initial: Case[] = [
  {
    id: 'initial-events',
    title: 'sendInitialEvents: what is there, a bookmark that says so, then what comes',
    source: concepts,
    needs: ['watch-list'],
    run: async (k) => {
      await make(k, 'initial-0', 'initial');
      const query =
        '&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=';
      await using watch = await watchSet(k, 'initial', query);
      const got = await watch.until((all) => all.some((event) => event['type'] === 'BOOKMARK'));
      assert.deepEqual(
        got.map((event) => event['type']),
        ['ADDED', 'BOOKMARK'],
      );
      const { metadata, ...rest } = getObject(got[1], 'object');
      assert.equal(rest['kind'], 'ConfigMap');
      assert.deepEqual(getObject(metadata, 'annotations'), { 'k8s.io/initial-events-end': 'true' });
      assert.match(getString(metadata, 'resourceVersion') ?? '', /^\d+$/);
      await make(k, 'initial-1', 'initial');
      assert.equal(nameOf((await watch.until((all) => all.length === 3))[2]?.['object']), 'initial-1');
    },
  },
  {
    id: 'initial-events-match',
    title: 'sendInitialEvents without resourceVersionMatch=NotOlderThan is refused',
    source: 'apimachinery: ValidateListOptions',
    run: async (k) => {
      const answer = await k.get(`${k.at('configmaps')}?watch=true&sendInitialEvents=true`);
      assert.deepEqual([answer.code, answer.body['reason']], [422, 'Invalid']);
      assert.match(String(answer.body['message']), /^ListOptions\.meta\.k8s\.io "" is invalid: .*Forbidden: /);
    },
  },
  {
    id: 'initial-events-list',
    title: 'sendInitialEvents is for watches',
    source: 'apimachinery: ValidateListOptions',
    run: async (k) =>
      refused(await k.get(`${k.at('configmaps')}?sendInitialEvents=true`), {
        code: 422,
        reason: 'Invalid',
        message: /sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list/,
      }),
  },
];

export const watching: Area = {
  name: 'watching',
  title: 'Watches',
  cases: [...events, ...ends, ...faces, ...initial],
};
