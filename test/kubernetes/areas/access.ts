import assert from 'node:assert/strict';
import { getArray, getObject, getPath, getString, isObject, type JsonObject } from '#base/json.ts';
import type { Area, Case, Need } from '../suite/case.ts';
import type { Cluster } from '../suite/cluster.ts';
import { refused } from '../suite/expect.ts';
import { configMap, secret } from '../suite/objects.ts';

const seen = 'answer of kube-apiserver 1.33';
const docs = 'kubernetes.io/docs/reference/access-authn-authz/rbac';
const rbac = 'rbac.authorization.k8s.io/v1';
const needs: readonly Need[] = ['impersonation', 'rbac'];

/** The headers of a request that is made as somebody else. */
function as(user: string, ...groups: string[]) {
  const headers: Record<string, string> = { 'impersonate-user': user };
  if (groups[0] !== undefined) headers['impersonate-group'] = groups[0];
  return { headers };
}

async function grant(k: Cluster, user: string, rules: JsonObject[], name = user): Promise<void> {
  await k.create(k.at(`${rbac}/roles`), { apiVersion: rbac, kind: 'Role', metadata: { name }, rules });
  await k.create(k.at(`${rbac}/rolebindings`), {
    apiVersion: rbac,
    kind: 'RoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  });
}

/** Roles are known to who decides a moment after they are written. */
async function allowedSoon(k: Cluster, path: string, user: string): Promise<void> {
  await k.eventually(`${user} may GET ${path}`, async () =>
    (await k.get(path, as(user))).code === 403 ? undefined : true,
  );
}

const refusals: Case[] = [
  {
    id: 'forbidden-list',
    title: 'who may not list is told who he is and what he wanted',
    source: seen,
    needs,
    run: async (k) =>
      refused(await k.get(k.at('secrets'), as('viewer')), {
        code: 403,
        reason: 'Forbidden',
        message: `secrets is forbidden: User "viewer" cannot list resource "secrets" in API group "" in the namespace "${k.namespace}"`,
        details: { kind: 'secrets' },
      }),
  },
  {
    id: 'forbidden-cluster',
    title: 'for what is of the whole cluster the text says so',
    source: 'apiserver: responsewriters.Forbidden',
    needs,
    run: async (k) =>
      refused(await k.get('/api/v1/nodes', as('viewer')), {
        code: 403,
        reason: 'Forbidden',
        message: 'nodes is forbidden: User "viewer" cannot list resource "nodes" in API group "" at the cluster scope',
        details: { kind: 'nodes' },
      }),
  },
  {
    id: 'forbidden-name',
    title: 'for one object its name stands in front',
    source: 'apiserver: responsewriters.Forbidden',
    needs,
    run: async (k) =>
      refused(await k.get(k.at('secrets', 'one'), as('viewer')), {
        code: 403,
        reason: 'Forbidden',
        message: `secrets "one" is forbidden: User "viewer" cannot get resource "secrets" in API group "" in the namespace "${k.namespace}"`,
        details: { name: 'one', kind: 'secrets' },
      }),
  },
  {
    id: 'forbidden-subresource',
    title: 'a subresource is named with its resource',
    source: 'apiserver: responsewriters.Forbidden',
    needs,
    run: async (k) =>
      refused(
        await k.send('PATCH', k.at('apps/v1/deployments', 'one', 'scale'), {
          ...as('viewer'),
          body: {},
          type: 'application/merge-patch+json',
        }),
        {
          code: 403,
          reason: 'Forbidden',
          message: `deployments.apps "one" is forbidden: User "viewer" cannot patch resource "deployments/scale" in API group "apps" in the namespace "${k.namespace}"`,
          details: { name: 'one', group: 'apps', kind: 'deployments' },
        },
      ),
  },
  {
    id: 'forbidden-path',
    title: 'a path that is no resource',
    source: 'apiserver: responsewriters.Forbidden',
    needs,
    run: async (k) =>
      refused(await k.get('/metrics', as('viewer')), {
        code: 403,
        reason: 'Forbidden',
        message: 'forbidden: User "viewer" cannot get path "/metrics"',
        details: {},
      }),
  },
];

const grants: Case[] = [
  {
    id: 'role',
    title: 'a Role grants verbs on resources in its namespace, and nothing else',
    source: docs,
    needs,
    run: async (k) => {
      const user = k.name('reader');
      await k.create(k.at('configmaps'), configMap('read'));
      await grant(k, user, [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] }]);
      await allowedSoon(k, k.at('configmaps'), user);
      const codes = [
        (await k.get(k.at('configmaps', 'read'), as(user))).code,
        (await k.get(k.at('configmaps'), as(user))).code,
        (await k.get(`${k.at('configmaps')}?watch=true`, as(user))).code,
        (await k.post(k.at('configmaps'), configMap('made'), as(user))).code,
        (await k.patch(k.at('configmaps', 'read'), {}, 'merge', as(user))).code,
        (await k.send('DELETE', k.at('configmaps'), as(user))).code,
        (await k.get('/api/v1/namespaces/default/configmaps', as(user))).code,
        (await k.get(k.at('secrets'), as(user))).code,
      ];
      assert.deepEqual(codes, [200, 200, 403, 403, 403, 403, 403, 403]);
    },
  },
  {
    id: 'resource-names',
    title: 'resourceNames limit to these objects',
    source: docs,
    needs,
    run: async (k) => {
      const user = k.name('single');
      for (const name of ['mine', 'other']) await k.create(k.at('secrets'), secret(name));
      await grant(k, user, [
        { apiGroups: [''], resources: ['secrets'], resourceNames: ['mine'], verbs: ['get', 'delete'] },
      ]);
      await allowedSoon(k, k.at('secrets', 'mine'), user);
      const codes = [
        (await k.get(k.at('secrets', 'mine'), as(user))).code,
        (await k.get(k.at('secrets', 'other'), as(user))).code,
        (await k.get(k.at('secrets'), as(user))).code,
        (await k.send('DELETE', k.at('secrets', 'mine'), as(user))).code,
      ];
      assert.deepEqual(codes, [200, 403, 403, 200]);
    },
  },
  {
    id: 'group',
    title: 'a group is a subject too',
    source: docs,
    needs,
    run: async (k) => {
      const group = k.name('team');
      await k.create(k.at(`${rbac}/rolebindings`), {
        apiVersion: rbac,
        kind: 'RoleBinding',
        metadata: { name: group },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group }],
      });
      const read = () => k.get(k.at('configmaps'), as('anybody', group));
      await k.eventually('the group may read', async () => ((await read()).code === 200 ? true : undefined));
      assert.equal((await k.get(k.at('secrets'), as('anybody', group))).code, 403);
      assert.equal((await k.get(k.at('configmaps'), as('anybody'))).code, 403);
    },
  },
  {
    id: 'service-account',
    title: 'a service account is known by its name',
    source: docs,
    needs,
    run: async (k) => {
      await k.create(k.at(`${rbac}/rolebindings`), {
        apiVersion: rbac,
        kind: 'RoleBinding',
        metadata: { name: 'account' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
        subjects: [{ kind: 'ServiceAccount', name: 'worker', namespace: k.namespace }],
      });
      await allowedSoon(k, k.at('configmaps'), `system:serviceaccount:${k.namespace}:worker`);
      assert.equal((await k.get(k.at('configmaps'), as(`system:serviceaccount:${k.namespace}:idler`))).code, 403);
    },
  },
  {
    id: 'discovery-for-all',
    title: 'who is known may discover, and see the version',
    source: docs,
    needs,
    run: async (k) => {
      for (const path of ['/api', '/apis', '/apis/apps/v1', '/openapi/v3', '/version', '/healthz'])
        assert.equal((await k.get(path, as('anybody'))).code, 200, path);
    },
  },
  {
    id: 'escalation',
    title: 'nobody grants what he does not have',
    source: docs,
    needs,
    run: async (k) => {
      const user = k.name('granter');
      const rules = [
        { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'], verbs: ['create', 'get', 'list'] },
        { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] },
      ];
      await grant(k, user, rules);
      await allowedSoon(k, k.at(`${rbac}/roles`), user);
      const role = (name: string, resource: string) => ({
        apiVersion: rbac,
        kind: 'Role',
        metadata: { name },
        rules: [{ apiGroups: [''], resources: [resource], verbs: ['get'] }],
      });
      assert.equal((await k.post(k.at(`${rbac}/roles`), role('held', 'configmaps'), as(user))).code, 201);
      refused(await k.post(k.at(`${rbac}/roles`), role('not-held', 'secrets'), as(user)), {
        code: 403,
        reason: 'Forbidden',
        message: `roles.rbac.authorization.k8s.io "not-held" is forbidden: user "${user}" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}`,
      });
    },
  },
  {
    id: 'aggregation',
    title: 'an aggregating ClusterRole takes the rules of those it selects',
    source: docs,
    needs: ['controllers'],
    run: async (k) => {
      const label = k.name('aggregate');
      const rules = [{ apiGroups: ['example.com'], resources: ['things'], verbs: ['get'] }];
      const path = `/apis/${rbac}/clusterroles`;
      for (const [name, more] of [
        [`${label}-part`, { metadata: { name: `${label}-part`, labels: { [label]: 'true' } }, rules }],
        [
          label,
          {
            metadata: { name: label },
            aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [label]: 'true' } }] },
            rules: [],
          },
        ],
      ] satisfies [string, JsonObject][]) {
        await k.create(path, { apiVersion: rbac, kind: 'ClusterRole', ...more });
        k.later(() => k.delete(`${path}/${name}`));
      }
      const found = await k.eventually('the rules are there', async () => {
        const have = getArray((await k.get(`${path}/${label}`)).body, 'rules');
        return have.length > 0 ? have : undefined;
      });
      assert.deepEqual(found, rules);
    },
  },
  {
    id: 'bootstrap-roles',
    title: 'the roles that users bind are there',
    source: docs,
    needs: ['rbac'],
    run: async (k) => {
      const admin = getObject((await k.get(`/apis/${rbac}/clusterroles/cluster-admin`)).body);
      assert.deepEqual(admin['rules'], [
        { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
        { nonResourceURLs: ['*'], verbs: ['*'] },
      ]);
      for (const name of [
        'admin',
        'edit',
        'view',
        'system:discovery',
        'system:basic-user',
        'system:public-info-viewer',
      ])
        assert.equal((await k.get(`/apis/${rbac}/clusterroles/${name}`)).code, 200, name);
      const { body } = await k.get(`/apis/${rbac}/clusterroles/view`);
      const secrets = getArray(body, 'rules').filter((rule) => getArray(rule, 'resources').includes('secrets'));
      assert.deepEqual(secrets, []);
    },
  },
];

async function review(
  k: Cluster,
  kind: string,
  spec: JsonObject,
  sent: { headers?: Record<string, string>; local?: boolean } = {},
) {
  const group = /^(?:SelfSubjectReview|TokenReview)$/.test(kind) ? 'authentication.k8s.io' : 'authorization.k8s.io';
  const plural = `${kind.toLowerCase()}s`;
  const path = sent.local ? k.at(`${group}/v1/${plural}`) : `/apis/${group}/v1/${plural}`;
  const metadata = sent.local ? { namespace: k.namespace } : {};
  const answer = await k.post(
    path,
    { apiVersion: `${group}/v1`, kind, metadata, ...(kind === 'SelfSubjectReview' ? {} : { spec }) },
    {
      ...(sent.headers && { headers: sent.headers }),
    },
  );
  assert.equal(answer.code, 201, answer.text);
  return getObject(answer.body, 'status');
}

const reviews: Case[] = [
  {
    id: 'self-access',
    title: 'SelfSubjectAccessReview: what the asker may',
    source: 'kubernetes.io/docs/reference/access-authn-authz/authorization: checking API access',
    needs,
    run: async (k) => {
      const resourceAttributes = { namespace: k.namespace, verb: 'get', resource: 'secrets' };
      assert.equal((await review(k, 'SelfSubjectAccessReview', { resourceAttributes }))['allowed'], true);
      const other = await review(k, 'SelfSubjectAccessReview', { resourceAttributes }, as('viewer'));
      assert.equal(other['allowed'], false);
      const nonResourceAttributes = { path: '/version', verb: 'get' };
      assert.equal(
        (await review(k, 'SelfSubjectAccessReview', { nonResourceAttributes }, as('viewer')))['allowed'],
        true,
      );
    },
  },
  {
    id: 'subject-access',
    title: 'SubjectAccessReview and LocalSubjectAccessReview: what somebody may',
    source: 'kubernetes.io/docs/reference/access-authn-authz/authorization: checking API access',
    needs,
    run: async (k) => {
      const user = k.name('asked');
      await grant(k, user, [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['list'] }]);
      await allowedSoon(k, k.at('apps/v1/deployments'), user);
      const ask = async (verb: string, local: boolean) => {
        const resourceAttributes = { namespace: k.namespace, group: 'apps', resource: 'deployments', verb };
        const kind = local ? 'LocalSubjectAccessReview' : 'SubjectAccessReview';
        return (await review(k, kind, { user, resourceAttributes }, { local }))['allowed'];
      };
      assert.deepEqual(
        [await ask('list', false), await ask('delete', false), await ask('list', true), await ask('delete', true)],
        [true, false, true, false],
      );
    },
  },
  {
    id: 'rules',
    title: 'SelfSubjectRulesReview lists the rules',
    source: 'kubernetes.io/docs/reference/access-authn-authz/authorization: checking API access',
    needs,
    run: async (k) => {
      const user = k.name('listed');
      const rule = { apiGroups: ['apps'], resources: ['deployments'], verbs: ['list'] };
      await grant(k, user, [rule]);
      await allowedSoon(k, k.at('apps/v1/deployments'), user);
      const status = await review(k, 'SelfSubjectRulesReview', { namespace: k.namespace }, as(user));
      const found = getArray(status, 'resourceRules')
        .filter(isObject)
        .filter((item) => getArray(item, 'resources').includes('deployments'));
      assert.deepEqual(found, [{ verbs: ['list'], apiGroups: ['apps'], resources: ['deployments'] }]);
    },
  },
  {
    id: 'whoami',
    title: 'SelfSubjectReview: who asks',
    source: 'kubernetes.io/docs/reference/access-authn-authz/authentication: self subject review',
    needs: ['impersonation'],
    run: async (k) => {
      const status = await review(k, 'SelfSubjectReview', {}, as('some.one', 'some-team'));
      assert.equal(getString(status, 'userInfo', 'username'), 'some.one');
      assert.deepEqual(getPath(status, 'userInfo', 'groups'), ['some-team', 'system:authenticated']);
    },
  },
  {
    id: 'token',
    title: 'TokenReview of a token that is none',
    source: 'kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1',
    run: async (k) => {
      assert.notEqual((await review(k, 'TokenReview', { token: 'not-a-token' }))['authenticated'], true);
    },
  },
];

export const access: Area = { name: 'access', title: 'Who may what', cases: [...refusals, ...grants, ...reviews] };
