import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { getArray, getPath, getString, type JsonObject } from '#base/json.ts';
import type { AuditEntry } from '../../access/audit.ts';
import { type Answer, configMap, configMaps, type Sent, type TestCluster, testCluster } from '../api-fixture.test.ts';

const rbac = '/apis/rbac.authorization.k8s.io/v1';
const roles = `${rbac}/namespaces/default/roles`;
const roleBindings = `${rbac}/namespaces/default/rolebindings`;

const tokens = [
  { token: 'viewer-token', user: 'viewer', groups: [] },
  { token: 'lead-token', user: 'lead', groups: ['leads'] },
];
const viewer = { token: 'viewer-token' };
const lead = { token: 'lead-token' };

let cluster: TestCluster;
let audited: AuditEntry[] = [];
before(async () => {
  cluster = await testCluster({ tokens, audit: (entry) => audited.push(entry) });
});
after(() => cluster[Symbol.asyncDispose]());

const message = (answer: Answer): string => getString(answer.body, 'message') ?? answer.text;

async function must(code: number, method: string, path: string, sent: Sent = {}): Promise<Answer> {
  const answer = await cluster.send(method, path, sent);
  assert.equal(answer.code, code, answer.text);
  return answer;
}

function role(name: string, ...rules: JsonObject[]): JsonObject {
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name }, rules };
}

function rule(verbs: string[], resources: string[], apiGroups = [''], more: JsonObject = {}): JsonObject {
  return { verbs, apiGroups, resources, ...more };
}

function binding(name: string, roleRef: { kind: string; name: string }, ...users: string[]): JsonObject {
  return { metadata: { name }, roleRef, subjects: users.map((user) => ({ kind: 'User', name: user })) };
}

const cannot = (what: string): string => `User "viewer" cannot ${what} in API group`;
const shop = 'in the namespace "shop"';
const refusals = [
  {
    ask: ['GET', '/api/v1/namespaces/shop/secrets'],
    want: `secrets is forbidden: ${cannot('list resource "secrets"')} "" ${shop}`,
  },
  {
    ask: ['GET', '/api/v1/secrets'],
    want: `secrets is forbidden: ${cannot('list resource "secrets"')} "" at the cluster scope`,
  },
  {
    ask: ['GET', '/api/v1/namespaces/shop/pods?watch=1'],
    want: `pods is forbidden: ${cannot('watch resource "pods"')} "" ${shop}`,
  },
  {
    ask: ['GET', '/api/v1/namespaces/shop/pods/a/log'],
    want: `pods "a" is forbidden: ${cannot('get resource "pods/log"')} "" ${shop}`,
  },
  {
    ask: ['POST', '/apis/apps/v1/namespaces/shop/deployments'],
    want: `deployments.apps is forbidden: ${cannot('create resource "deployments"')} "apps" ${shop}`,
  },
  {
    ask: ['PUT', '/apis/apps/v1/namespaces/shop/deployments/web/scale'],
    want: `deployments.apps "web" is forbidden: ${cannot('update resource "deployments/scale"')} "apps" ${shop}`,
  },
  {
    ask: ['DELETE', '/api/v1/namespaces/shop/pods'],
    want: `pods is forbidden: ${cannot('deletecollection resource "pods"')} "" ${shop}`,
  },
  {
    ask: ['GET', '/api/v1/namespaces/shop'],
    want: `namespaces "shop" is forbidden: ${cannot('get resource "namespaces"')} "" ${shop}`,
  },
  {
    ask: ['GET', '/apis/no.such/v1/things'],
    want: `things.no.such is forbidden: ${cannot('list resource "things"')} "no.such" at the cluster scope`,
  },
  { ask: ['GET', '/metrics'], want: 'forbidden: User "viewer" cannot get path "/metrics"' },
  { ask: ['POST', '/version'], want: 'forbidden: User "viewer" cannot post path "/version"' },
] as const;

for (const { ask, want } of refusals)
  test(`refused: ${ask[0]} ${ask[1]}`, async () => {
    const answer = await must(403, ask[0], ask[1], viewer);
    assert.deepEqual([message(answer), answer.body['reason']], [want, 'Forbidden']);
  });

test('a refusal names group, kind and object in its details', async () => {
  const answer = await must(403, 'DELETE', '/apis/apps/v1/namespaces/shop/deployments/web', viewer);
  assert.deepEqual(answer.body['details'], { name: 'web', group: 'apps', kind: 'deployments' });
});

test('whoever is known may discover, nobody else may; health is for all', async () => {
  for (const path of ['/api', '/apis/apps/v1', '/openapi/v3', '/version']) await must(200, 'GET', path, viewer);
  const nobody = { token: '' };
  for (const path of ['/healthz', '/livez', '/readyz', '/version']) await must(200, 'GET', path, nobody);
  const answer = await must(403, 'GET', '/api', nobody);
  assert.equal(message(answer), 'forbidden: User "system:anonymous" cannot get path "/api"');
  await must(401, 'GET', '/version', { token: 'wrong-token' });
});

test('a right counts from the answer that grants it, and ends with the answer that takes it', async () => {
  await must(201, 'POST', roles, { body: role('readers', rule(['get', 'list'], ['configmaps'])) });
  await must(403, 'GET', configMaps, viewer);
  await must(201, 'POST', roleBindings, { body: binding('readers', { kind: 'Role', name: 'readers' }, 'viewer') });
  await must(200, 'GET', configMaps, viewer);
  await must(403, 'GET', '/api/v1/configmaps', viewer);
  await must(200, 'PUT', `${roles}/readers`, { body: role('readers', rule(['get'], ['configmaps'])) });
  await must(403, 'GET', configMaps, viewer);
  await must(200, 'PUT', `${roles}/readers`, { body: role('readers', rule(['list'], ['configmaps'])) });
  await must(200, 'GET', configMaps, viewer);
  await must(200, 'DELETE', `${roleBindings}/readers`);
  await must(403, 'GET', configMaps, viewer);
});

test('a binding to a role that is not there says so in the refusal', async () => {
  await must(201, 'POST', roleBindings, { body: binding('lost', { kind: 'ClusterRole', name: 'lost' }, 'viewer') });
  const answer = await must(403, 'GET', configMaps, viewer);
  assert.match(message(answer), /: RBAC: clusterrole\.rbac\.authorization\.k8s\.io "lost" not found$/);
  await must(200, 'DELETE', `${roleBindings}/lost`);
});

const writeRoles = rule(['*'], ['roles', 'rolebindings'], ['rbac.authorization.k8s.io']);

async function withLead(rules: JsonObject[], run: () => Promise<void>): Promise<void> {
  await must(201, 'POST', roles, { body: role('lead', ...rules) });
  await must(201, 'POST', roleBindings, { body: binding('lead', { kind: 'Role', name: 'lead' }, 'lead') });
  await run();
  await must(200, 'DELETE', `${roleBindings}/lead`);
  await must(200, 'DELETE', `${roles}/lead`);
}

test('nobody gives in a role what he has not, but for the verb escalate', async () => {
  const some = rule(['create', 'update', 'patch'], ['roles'], ['rbac.authorization.k8s.io']);
  const grants =
    'user "lead" (groups=["leads" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:';
  await withLead([some, rule(['get'], ['pods'])], async () => {
    const refused = await must(403, 'POST', roles, {
      ...lead,
      body: role('r', rule(['get', 'list'], ['pods', 'nodes'])),
    });
    assert.equal(
      message(refused),
      `roles.rbac.authorization.k8s.io "r" is forbidden: ${grants}\n{APIGroups:[""], Resources:["nodes"], Verbs:["get" "list"]}\n{APIGroups:[""], Resources:["pods"], Verbs:["list"]}`,
    );
    await must(201, 'POST', roles, { ...lead, body: role('r', rule(['get'], ['pods'])) });
    const widened = { ...lead, body: { rules: [rule(['*'], ['pods'])] }, type: 'application/merge-patch+json' };
    assert.match(message(await must(403, 'PATCH', `${roles}/r`, widened)), /Verbs:\["\*"\]/);
  });
  await must(200, 'PUT', `${roles}/r`, { body: role('r', rule(['*'], ['secrets'])) });
  await withLead([some], async () => {
    const owners = { metadata: { finalizers: ['x.io/f'] } };
    await must(200, 'PATCH', `${roles}/r`, { ...lead, body: owners, type: 'application/merge-patch+json' });
    const labels = { metadata: { labels: { a: 'b' } } };
    await must(403, 'PATCH', `${roles}/r`, { ...lead, body: labels, type: 'application/merge-patch+json' });
  });
  await withLead([writeRoles], async () => {
    await must(201, 'POST', roles, { ...lead, body: role('all', rule(['*'], ['*'], ['*'])) });
  });
});

test('nobody binds a role with more than he has, but for the verb bind', async () => {
  const some = rule(['create'], ['rolebindings'], ['rbac.authorization.k8s.io']);
  const admin = { kind: 'ClusterRole', name: 'cluster-admin' };
  await withLead([some], async () => {
    const refused = await must(403, 'POST', roleBindings, { ...lead, body: binding('b', admin, 'lead') });
    assert.match(message(refused), /\n\{APIGroups:\["\*"\], Resources:\["\*"\], Verbs:\["\*"\]\}\n\{NonResourceURLs/);
    const lost = await must(404, 'POST', roleBindings, { ...lead, body: binding('b', { ...admin, name: 'no' }, 'x') });
    assert.equal(message(lost), 'clusterroles.rbac.authorization.k8s.io "no" not found');
  });
  const bind = rule(['bind'], ['clusterroles'], ['rbac.authorization.k8s.io'], { resourceNames: ['cluster-admin'] });
  await withLead([some, bind], async () => {
    await must(201, 'POST', roleBindings, { ...lead, body: binding('b', admin, 'someone') });
    const other = binding('c', { kind: 'ClusterRole', name: 'system:node' }, 'someone');
    await must(403, 'POST', roleBindings, { ...lead, body: other });
  });
});

test('a role that collects those of others takes all rights to make', async () => {
  const cluster1 = {
    metadata: { name: 'makers' },
    rules: [rule(['create'], ['clusterroles'], ['rbac.authorization.k8s.io'])],
  };
  await must(201, 'POST', `${rbac}/clusterroles`, { body: cluster1 });
  const bound = binding('makers', { kind: 'ClusterRole', name: 'makers' }, 'lead');
  await must(201, 'POST', `${rbac}/clusterrolebindings`, { body: bound });
  const body = {
    metadata: { name: 'net' },
    rules: [],
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] },
  };
  const refused = await must(403, 'POST', `${rbac}/clusterroles`, { ...lead, body });
  assert.equal(
    message(refused),
    'clusterroles.rbac.authorization.k8s.io "net" is forbidden: must have cluster-admin privileges to use the aggregationRule',
  );
  await must(200, 'DELETE', `${rbac}/clusterrolebindings/makers`);
});

test('an apply that creates takes the right to create', async () => {
  const apply = { ...lead, body: configMap('applied'), type: 'application/apply-patch+yaml' };
  const path = `${configMaps}/applied?fieldManager=x`;
  await withLead([rule(['patch', 'get'], ['configmaps'])], async () => {
    assert.match(
      message(await must(403, 'PATCH', path, apply)),
      /^configmaps "applied" is forbidden: User "lead" cannot create /,
    );
    await must(201, 'PATCH', path, { ...apply, ...{ token: undefined } });
    await must(200, 'PATCH', path, apply);
  });
});

const reviews = '/apis/authorization.k8s.io/v1';
const questions = [
  {
    name: 'by user',
    body: {
      user: 'system:serviceaccount:kube-system:job-controller',
      resourceAttributes: { verb: 'list', resource: 'pods' },
    },
    want: {
      allowed: true,
      reason:
        'RBAC: allowed by ClusterRoleBinding "system:controller:job-controller" of ClusterRole "system:controller:job-controller" to ServiceAccount "job-controller/kube-system"',
    },
  },
  {
    name: 'by group',
    body: { groups: ['system:masters'], resourceAttributes: { verb: 'x', resource: 'y' } },
    want: { allowed: true },
  },
  {
    name: 'for a path',
    body: { user: 'u', groups: ['system:monitoring'], nonResourceAttributes: { verb: 'get', path: '/metrics' } },
    want: {
      allowed: true,
      reason:
        'RBAC: allowed by ClusterRoleBinding "system:monitoring" of ClusterRole "system:monitoring" to Group "system:monitoring"',
    },
  },
  {
    name: 'in vain',
    body: { user: 'u', resourceAttributes: { verb: 'get', resource: 'pods' } },
    want: { allowed: false },
  },
] as const;

for (const { name, body, want } of questions)
  test(`an access review ${name}`, async () => {
    const answer = await must(201, 'POST', `${reviews}/subjectaccessreviews`, { body: { spec: body } });
    assert.deepEqual(answer.body['status'], want);
  });

const either = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
const wrongQuestions = [
  {
    path: `${reviews}/selfsubjectaccessreviews`,
    spec: {},
    code: 422,
    want: `SelfSubjectAccessReview.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: "null": ${either}`,
  },
  {
    path: `${reviews}/subjectaccessreviews`,
    spec: { resourceAttributes: { verb: 'get' } },
    code: 422,
    want: 'SubjectAccessReview.authorization.k8s.io "" is invalid: spec.user: Invalid value: "": at least one of user or group must be specified',
  },
  {
    path: `${reviews}/namespaces/shop/localsubjectaccessreviews`,
    spec: { user: 'u', resourceAttributes: { verb: 'get', namespace: 'other' } },
    code: 400,
    want: 'spec.resourceAttributes.namespace must match namespace: shop',
  },
  { path: `${reviews}/selfsubjectrulesreviews`, spec: {}, code: 400, want: 'no namespace on request' },
  {
    path: '/apis/authentication.k8s.io/v1/tokenreviews',
    spec: {},
    code: 400,
    want: 'token is required for TokenReview in authentication',
  },
];

for (const { path, spec, code, want } of wrongQuestions)
  test(`refused with ${code}: ${path.split('/').at(-1)} of ${JSON.stringify(spec)}`, async () => {
    assert.equal(message(await must(code, 'POST', path, { body: { spec } })), want);
  });

test('who am I', async () => {
  const headers = { 'impersonate-user': 'ana', 'impersonate-uid': '7', 'impersonate-extra-team': 'x' };
  const { body } = await must(201, 'POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', { headers, body: {} });
  assert.deepEqual(getPath(body, 'status', 'userInfo'), {
    username: 'ana',
    uid: '7',
    groups: ['system:authenticated'],
    extra: { team: ['x'] },
  });
  assert.match(getString(body, 'metadata', 'creationTimestamp') ?? '', /Z$/);
});

test('a review is asked by POST only', async () => {
  await must(405, 'GET', `${reviews}/selfsubjectaccessreviews`);
  await must(404, 'POST', `${reviews}/localsubjectaccessreviews`, { body: {} });
  const known = await must(201, 'POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
    body: { spec: { token: 'lead-token' } },
  });
  assert.deepEqual(known.body['status'], {
    authenticated: true,
    user: { username: 'lead', groups: ['leads', 'system:authenticated'] },
  });
});

test('a rules review lists what one may, and says when it could not find all', async () => {
  const ask = { ...viewer, body: { spec: { namespace: 'default' } } };
  const path = `${reviews}/selfsubjectrulesreviews`;
  const { body } = await must(201, 'POST', path, ask);
  const resources = getArray(body, 'status', 'resourceRules').map((item) => getPath(item, 'resources', 0));
  assert.deepEqual(resources, ['selfsubjectaccessreviews', 'selfsubjectreviews']);
  assert.deepEqual([getPath(body, 'status', 'incomplete'), getPath(body, 'spec')], [false, {}]);
  await must(201, 'POST', roleBindings, { body: binding('gone', { kind: 'Role', name: 'gone' }, 'viewer') });
  const partly = await must(201, 'POST', path, ask);
  assert.equal(getPath(partly.body, 'status', 'evaluationError'), 'role.rbac.authorization.k8s.io "gone" not found');
  await must(200, 'DELETE', `${roleBindings}/gone`);
});

test('each write is told once, with who and why and never with what', async () => {
  audited = [];
  const secret = { metadata: { generateName: 's-' }, stringData: { key: 'hunter2-hunter2' } };
  const asLead = { 'impersonate-user': 'lead', 'impersonate-group': 'leads' };
  const made = await must(201, 'POST', '/api/v1/namespaces/default/secrets?dryRun=All', { body: secret });
  await withLead([rule(['create', 'get'], ['secrets'])], async () => {
    await must(201, 'POST', '/api/v1/namespaces/default/secrets', { body: secret, headers: asLead });
    await must(200, 'GET', '/api/v1/namespaces/default/secrets', {});
    await must(403, 'GET', '/api/v1/namespaces/default/secrets', { headers: asLead });
  });
  await must(201, 'POST', `${reviews}/selfsubjectaccessreviews`, { body: { spec: { resourceAttributes: {} } } });
  await must(401, 'GET', configMaps, { token: 'no-such-token' });
  await must(404, 'DELETE', `${configMaps}/nothing`, { body: { dryRun: ['All'] } });
  const shown = audited.map(
    ({ user, impersonatedBy = '-', verb, resource, name = '-', code, decision, dryRun = false }) =>
      [user, impersonatedBy, verb, resource, name.replace(/^s-.*/, 's-*'), code, decision, dryRun].join(' '),
  );
  const root = 'kubernetes-admin -';
  assert.deepEqual(shown, [
    `${root} create secrets s-* 201 allow true`,
    `${root} create roles.rbac.authorization.k8s.io lead 201 allow false`,
    `${root} create rolebindings.rbac.authorization.k8s.io lead 201 allow false`,
    'lead kubernetes-admin create secrets s-* 201 allow false',
    'lead kubernetes-admin list secrets - 403 forbid false',
    `${root} delete rolebindings.rbac.authorization.k8s.io lead 200 allow false`,
    `${root} delete roles.rbac.authorization.k8s.io lead 200 allow false`,
    'system:anonymous - list configmaps - 401 forbid false',
    `${root} delete configmaps nothing 404 allow true`,
  ]);
  assert.equal(getString(made.body, 'metadata', 'name'), audited[0]?.name);
  assert.equal(audited[3]?.reason, 'RBAC: allowed by RoleBinding "lead/default" of Role "lead" to User "lead"');
  assert.doesNotMatch(JSON.stringify(audited), /hunter2|aHVudGVyMi/);
});

test('whose certificates count is published', async () => {
  const { body } = await must(
    200,
    'GET',
    '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication',
  );
  assert.deepEqual(body['data'], { 'client-ca-file': cluster.server.caPem });
  const tracking = '/api/v1/namespaces/kube-system/configmaps/kube-apiserver-legacy-service-account-token-tracking';
  const since = getString((await must(200, 'GET', tracking)).body, 'data', 'since');
  assert.match(since ?? '', /^\d{4}-\d{2}-\d{2}$/);
});
