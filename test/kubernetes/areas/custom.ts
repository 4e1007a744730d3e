import assert from 'node:assert/strict';
import { getArray, getObject, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import type { Area, Case } from '../suite/case.ts';
import { itemsOf, versionOf } from '../suite/cluster.ts';
import { includes, invalid, invalidInAnyOrder, refused } from '../suite/expect.ts';
import { crds, custom, definition, table, unchecked, widget } from './custom-vectors.ts';

const seen = 'answer of kube-apiserver 1.33';
interface Broken {
  id: string;
  title: string;
  spec: JsonObject;
  errors: [string, string][];
}

const broken: Broken[] = [
  {
    id: 'schema-errors',
    title: 'every fault against the schema is told, and that rules were not run',
    spec: {
      mode: 'zz',
      replicas: 11,
      when: 'nope',
      note: 'too long',
      tags: ['a', 'a'],
      items: [{ name: 'x' }, { name: 'x' }],
    },
    errors: [
      ['spec.mode', 'Unsupported value: "zz": supported values: "a", "b", "x"'],
      ['spec.replicas', 'Invalid value: 11: spec.replicas in body should be less than or equal to 10'],
      ['spec.when', 'Invalid value: "nope": spec.when in body must be of type date-time: "nope"'],
      ['spec.note', 'Too long: may not be more than 5 bytes'],
      ['spec.tags[1]', 'Duplicate value: "a"'],
      ['spec.items[1]', 'Duplicate value: map[string]interface {}{"name":"x"}'],
      unchecked,
    ],
  },
  {
    id: 'required',
    title: 'a required field',
    spec: { replicas: 1 },
    errors: [['spec.mode', 'Required value'], unchecked],
  },
  {
    id: 'rule',
    title: 'a rule that does not hold',
    spec: { mode: 'a', replicas: 7, max: 6 },
    errors: [['spec', 'Invalid value: "object": replicas must be <= max']],
  },
  {
    id: 'rule-message',
    title: 'a messageExpression',
    spec: { mode: 'x' },
    errors: [['spec', 'Invalid value: "object": note needed for x']],
  },
];

const refusals: Case[] = broken.map(({ id, title, spec, errors }) => ({
  id,
  title,
  source: seen,
  run: async (k) => {
    const kind = await custom(k);
    const answer = await k.post(kind.path(), widget(kind, id, spec));
    assert.equal(answer.code, 422, answer.text);
    invalidInAnyOrder(answer, kind.kind, id, errors);
  },
}));

const objects: Case[] = [
  {
    id: 'prune-and-default',
    title: 'unknown fields are pruned, defaults filled in, null kept only where it may be',
    source: seen,
    run: async (k) => {
      const kind = await custom(k);
      const spec = {
        mode: 'a',
        unknown: 1,
        replicas: null,
        nul: null,
        port: 'http',
        raw: { z: 1, y: { x: null } },
        items: [{ name: 'q', other: 1 }],
      };
      const answer = await k.post(kind.path(), widget(kind, 'pruned', spec));
      assert.equal(answer.code, 201, answer.text);
      assert.deepEqual(answer.body['spec'], {
        mode: 'a',
        replicas: 1,
        max: 5,
        nul: null,
        port: 'http',
        raw: { z: 1, y: { x: null } },
        items: [{ name: 'q', v: 'd' }],
      });
      assert.equal(getPath(answer.body, 'metadata', 'generation'), 1);
    },
  },
  {
    id: 'strict',
    title: 'Strict refuses unknown fields',
    source: seen,
    run: async (k) => {
      const kind = await custom(k);
      refused(
        await k.post(`${kind.path()}?fieldValidation=Strict`, widget(kind, 'strict', { mode: 'a', unknown: 1 })),
        {
          code: 400,
          reason: 'BadRequest',
          message:
            'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.unknown"',
        },
      );
    },
  },
  {
    id: 'kind-missing',
    title: 'an object without kind is refused',
    source: seen,
    run: async (k) => {
      const kind = await custom(k);
      refused(await k.post(kind.path(), '{"metadata":{"name":"q"},"spec":{"mode":"a"}}'), {
        code: 400,
        reason: 'BadRequest',
        message:
          'the object provided is unrecognized (must be of type Widget): Object \'Kind\' is missing in \'{"metadata":{"name":"q"},"spec":{"mode":"a"}}\' ({"metadata":{"name":"q"},"spec ...)',
      });
    },
  },
  {
    id: 'transition-rule',
    title: 'a rule with oldSelf holds on change only',
    source: seen,
    run: async (k) => {
      const kind = await custom(k);
      await k.create(kind.path(), widget(kind, 'moved', { mode: 'a' }));
      const answer = await k.patch(kind.path('moved'), { spec: { mode: 'b' } });
      invalid(answer, kind.kind, 'moved', [['spec.mode', 'Invalid value: "string": mode is immutable']]);
    },
  },
  {
    id: 'put-without-version',
    title: 'PUT of a custom resource needs a version',
    source: seen,
    run: async (k) => {
      const kind = await custom(k);
      await k.create(kind.path(), widget(kind, 'unversioned', { mode: 'a' }));
      const answer = await k.put(kind.path('unversioned'), widget(kind, 'unversioned', { mode: 'a' }));
      refused(answer, {
        code: 422,
        reason: 'Invalid',
        message: `widgets.${kind.group} "unversioned" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update`,
      });
    },
  },
  {
    id: 'strategic',
    title: 'a strategic merge patch is not for custom resources',
    source: seen,
    run: async (k) => {
      const kind = await custom(k);
      await k.create(kind.path(), widget(kind, 'strategic', { mode: 'a' }));
      refused(await k.patch(kind.path('strategic'), {}, 'strategic'), {
        code: 415,
        reason: 'UnsupportedMediaType',
        message:
          /^the body of the request was in an unknown format - accepted media types include: application\/json-patch\+json, application\/merge-patch\+json, application\/apply-patch\+yaml/,
      });
    },
  },
  {
    id: 'status',
    title: 'spec and status have each their own door',
    source: seen,
    run: async (k) => {
      const kind = await custom(k);
      await k.create(kind.path(), widget(kind, 'doors', { mode: 'a' }));
      const main = await k.patch(kind.path('doors'), { spec: { replicas: 2 }, status: { sync: 'x' } });
      assert.deepEqual([main.body['status'], getPath(main.body, 'metadata', 'generation')], [undefined, 2]);
      const status = await k.patch(kind.path('doors', 'status'), {
        metadata: { labels: { a: 'b' } },
        spec: { replicas: 3 },
        status: { sync: 'Synced', replicas: 2, selector: 'a=b' },
      });
      assert.deepEqual(
        [
          status.body['status'],
          getPath(status.body, 'spec', 'replicas'),
          getPath(status.body, 'metadata', 'labels'),
          getPath(status.body, 'metadata', 'generation'),
        ],
        [{ sync: 'Synced', replicas: 2, selector: 'a=b' }, 2, undefined, 2],
      );
      const { body: scale } = await k.get(kind.path('doors', 'scale'));
      includes(scale, { kind: 'Scale', spec: { replicas: 2 }, status: { replicas: 2, selector: 'a=b' } });
      await k.patch(kind.path('doors', 'scale'), { spec: { replicas: 4 } });
      assert.equal(getPath((await k.get(kind.path('doors'))).body, 'spec', 'replicas'), 4);
    },
  },
  {
    id: 'selectable',
    title: 'selectableFields select, others do not',
    source: seen,
    run: async (k) => {
      const kind = await custom(k);
      await k.create(kind.path(), widget(kind, 'chosen', { mode: 'b' }));
      const { body } = await k.get(`${kind.path()}?fieldSelector=spec.mode%3Db`);
      assert.deepEqual(
        itemsOf(body).map((found) => [getString(found, 'metadata', 'name'), found['kind']]),
        [['chosen', 'Widget']],
      );
      refused(await k.get(`${kind.path()}?fieldSelector=spec.note%3Da`), {
        code: 400,
        reason: 'BadRequest',
        message: 'field label not supported: spec.note',
      });
    },
  },
  {
    id: 'table',
    title: 'printer columns',
    source: seen,
    run: async (k) => {
      const kind = await custom(k);
      await k.create(kind.path(), widget(kind, 'printed', { mode: 'a', replicas: 4 }));
      await k.patch(kind.path('printed', 'status'), { status: { sync: 'Synced' } });
      const { body } = await k.get(kind.path('printed'), { accept: table });
      const columns = getArray(body, 'columnDefinitions').filter(isObject);
      assert.deepEqual(
        columns.map((column) => [column['name'], column['type'], column['format'], column['priority']]),
        [
          ['Name', 'string', 'name', 0],
          ['Sync', 'string', '', 0],
          ['Age', 'date', '', 0],
          ['N', 'integer', '', 1],
        ],
      );
      const cells = getArray(body, 'rows', 0, 'cells');
      assert.match(String(cells[2]), /^\d+s$/);
      assert.deepEqual([cells[0], cells[1], cells[3]], ['printed', 'Synced', 4]);
    },
  },
  {
    id: 'apply',
    title: 'server-side apply knows sets and maps from the schema',
    source: seen,
    run: async (k) => {
      const kind = await custom(k);
      const first = { mode: 'a', tags: ['x'], items: [{ name: 'q' }] };
      const second = { mode: 'a', tags: ['y'], items: [{ name: 'r', v: '1' }] };
      const one = await k.apply(kind.path('applied'), 'm1', widget(kind, 'applied', first));
      assert.equal(one.code, 201, one.text);
      assert.deepEqual(getPath(getArray(one.body, 'metadata', 'managedFields')[0], 'fieldsV1'), {
        'f:spec': {
          'f:items': { 'k:{"name":"q"}': { '.': {}, 'f:name': {} } },
          'f:mode': {},
          'f:tags': { 'v:"x"': {} },
        },
      });
      const two = await k.apply(kind.path('applied'), 'm2', widget(kind, 'applied', second));
      includes(two.body['spec'], {
        tags: ['x', 'y'],
        items: [
          { name: 'q', v: 'd' },
          { name: 'r', v: '1' },
        ],
      });
      const unknown = await k.apply(kind.path('applied'), 'm1', widget(kind, 'applied', { ...first, bogus: 1 }));
      refused(unknown, {
        code: 500,
        message: `failed to create typed patch object (/applied; ${kind.apiVersion}, Kind=Widget): .spec.bogus: field not declared in schema`,
      });
    },
  },
  {
    id: 'no-op',
    title: 'a write that changes nothing keeps version and generation',
    source: seen,
    run: async (k) => {
      const kind = await custom(k);
      const first = await k.create(kind.path(), widget(kind, 'same', { mode: 'a' }));
      const put = await k.put(kind.path('same'), first);
      assert.deepEqual([put.code, versionOf(put.body)], [200, versionOf(first)]);
    },
  },
];

const definitions: Case[] = [
  {
    id: 'established',
    title: 'a definition is established, with its names filled in',
    source: seen,
    run: async (k) => {
      const { group } = await custom(k);
      const { body } = await k.get(`${crds}/widgets.${group}`);
      const conditions = getArray(body, 'status', 'conditions').filter(isObject);
      const told = conditions.map((condition) => [
        condition['type'],
        condition['status'],
        condition['reason'],
        condition['message'],
      ]);
      assert.deepEqual(told.slice(0, 2), [
        ['NamesAccepted', 'True', 'NoConflicts', 'no conflicts found'],
        ['Established', 'True', 'InitialNamesAccepted', 'the initial names have been accepted'],
      ]);
      includes(body, {
        spec: { names: { singular: 'widget', listKind: 'WidgetList' }, conversion: { strategy: 'None' } },
        status: {
          acceptedNames: {
            plural: 'widgets',
            singular: 'widget',
            kind: 'Widget',
            listKind: 'WidgetList',
            shortNames: ['wd'],
            categories: ['suite'],
          },
          storedVersions: ['v1'],
        },
      });
    },
  },
  {
    id: 'live',
    title: 'discovery and OpenAPI have the group at once',
    source: seen,
    run: async (k) => {
      const { group } = await custom(k);
      const { body } = await k.get(`/apis/${group}/v1`);
      assert.deepEqual(
        getArray(body, 'resources').map((resource) => getString(resource, 'name')),
        ['widgets', 'widgets/status', 'widgets/scale'],
      );
      const path = await k.eventually('the group in OpenAPI', async () =>
        getString((await k.get('/openapi/v3')).body, 'paths', `apis/${group}/v1`, 'serverRelativeURL'),
      );
      const { body: document } = await k.get(path);
      const schemas = Object.entries(getObject(document, 'components', 'schemas'));
      const found = schemas.find(([name]) => name.endsWith('.v1.Widget'))?.[1];
      includes(found, { 'x-kubernetes-group-version-kind': [{ group, kind: 'Widget', version: 'v1' }] });
    },
  },
  {
    id: 'not-structural',
    title: 'a schema that is not structural is refused',
    source: seen,
    run: async (k) => {
      const group = `${k.name('bad')}.example.com`;
      const schema = { type: 'object', properties: { spec: { properties: { a: { type: 'array' } } } } };
      const answer = await k.post(crds, definition(group, { schema: { openAPIV3Schema: schema } }));
      invalidInAnyOrder(answer, 'CustomResourceDefinition.apiextensions.k8s.io', `widgets.${group}`, [
        ['spec.validation.openAPIV3Schema.properties[spec].properties[a].items', 'Required value: must be specified'],
        [
          'spec.validation.openAPIV3Schema.properties[spec].type',
          'Required value: must not be empty for specified object fields',
        ],
      ]);
    },
  },
  {
    id: 'wrong-name',
    title: 'a definition is named after its plural and group',
    source: 'kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions',
    run: async (k) => {
      const group = `${k.name('named')}.example.com`;
      const body = definition(group, { schema: { openAPIV3Schema: { type: 'object' } } });
      const answer = await k.post(crds, { ...body, metadata: { name: `gadgets.${group}` } });
      assert.equal(answer.code, 422);
      assert.match(
        String(answer.body['message']),
        /metadata\.name: Invalid value: .*must be spec\.names\.plural\+"\."\+spec\.group/,
      );
    },
  },
  {
    id: 'deleted',
    title: 'a definition takes its objects along, and the path is gone',
    source: seen,
    run: async (k) => {
      const group = `${k.name('short')}.example.com`;
      const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
      await k.create(crds, definition(group, { schema }));
      const path = k.at(`${group}/v1/widgets`);
      await k.eventually('it is served', async () => ((await k.get(path)).code === 200 ? true : undefined));
      await k.create(path, { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: 'last' }, free: { a: 1 } });
      assert.equal((await k.delete(`${crds}/widgets.${group}`)).code, 200);
      await k.eventually('the path is gone', async () => {
        const { code, text } = await k.get(path);
        return code === 404 && text === '404 page not found\n' ? true : undefined;
      });
    },
  },
];

export const customResources: Area = {
  name: 'custom',
  title: 'Custom resources',
  cases: [...objects, ...refusals, ...definitions],
};
