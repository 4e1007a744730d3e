import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { getPath, getString, type JsonObject } from '#base/json.ts';
import { type Answer, type Sent, type TestCluster, testCluster } from '../api-fixture.test.ts';

const path = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const rbac = '/apis/rbac.authorization.k8s.io/v1';
const signerName = 'kubernetes.io/kube-apiserver-client';
const tokens = [{ token: 'lead-token', user: 'lead', groups: ['leads'], uid: '7' }];
/** PKCS #10 in base64: O=team, CN=ana, and O=system:masters, CN=eve. */
const asked =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIWU1IOENBUUF3SFRFTk1Bc0dBMVVFQ2d3RWRHVmhiVEVNTUFvR0ExVUVBd3dEWVc1aE1Ga3dFd1lIS29aSQp6ajBDQVFZSUtvWkl6ajBEQVFjRFFnQUVGdlVudC80ZFRnL3l0OWQzdTNTdERMZzNBWkp5cXdRb3B6bk1vZTQrCmhiY1I2UVNIcjZidkFEZGV5c1lndFhrM0RkbG91KzM5dDB3bUVyTVNSTTd1SHFBQU1Bb0dDQ3FHU000OUJBTUMKQTBrQU1FWUNJUURpb0pDcXZWME5reitqVG5QRFVNK2NtZXEyQk9wVFlQRUtJTVMzZ3hoSEZRSWhBTThBaTY4dQpYT1BoVWgwZENMeFNvdW5iNjcvb3VKVzNzbjZKZ3ZVTTRJSTMKLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==';
const askedForAll =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIaE1JR0pBZ0VBTUNjeEZ6QVZCZ05WQkFvTURuTjVjM1JsYlRwdFlYTjBaWEp6TVF3d0NnWURWUVFEREFObApkbVV3V1RBVEJnY3Foa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNBQVFXOVNlMy9oMU9EL0szMTNlN2RLME11RGNCCmtuS3JCQ2luT2N5aDdqNkZ0eEhwQklldnB1OEFOMTdLeGlDMWVUY04yV2k3N2YyM1RDWVNzeEpFenU0ZW9BQXcKQ2dZSUtvWkl6ajBFQXdJRFJ3QXdSQUlnTHhmejJMU08zTkE0RmovelZuZE1wVkU0bTlhdmg2S25XbTVnYm5BMApvbzRDSUR6U0hlTzczL1VieHBodHVxZCtrQ0lLWWdocmdCMVRDUFFGZ0twMTRiV3IKLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg==';
const lead = { token: 'lead-token' };

let cluster: TestCluster;
before(async () => {
  cluster = await testCluster({ tokens });
  const rules = [
    {
      verbs: ['*'],
      apiGroups: ['certificates.k8s.io'],
      resources: ['certificatesigningrequests', '*/approval', '*/status'],
    },
  ];
  await must(201, 'POST', `${rbac}/clusterroles`, { body: { metadata: { name: 'requests' }, rules } });
  await bind('requests');
});
after(() => cluster[Symbol.asyncDispose]());

async function must(code: number, method: string, target: string, sent: Sent = {}): Promise<Answer> {
  const answer = await cluster.send(method, target, sent);
  assert.equal(answer.code, code, answer.text);
  return answer;
}

function bind(role: string): Promise<Answer> {
  const body = {
    metadata: { name: `lead-${role.replaceAll(':', '-')}` },
    roleRef: { kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'User', name: 'lead' }],
  };
  return must(201, 'POST', `${rbac}/clusterrolebindings`, { body });
}

function request(name: string, more: JsonObject = {}): JsonObject {
  return { metadata: { name }, spec: { request: asked, signerName, usages: ['client auth'], ...more } };
}

test('a certificate is asked for in the name of who sends the request, for good', async () => {
  const headers = { 'impersonate-user': 'lead', 'impersonate-group': 'b', 'impersonate-extra-why': 'x' };
  const body = request('own', { username: 'root', groups: ['system:masters'] });
  const made = await must(201, 'POST', path, { body, headers });
  const { username, groups, extra } = Object(made.body['spec']);
  assert.deepEqual([username, groups, extra], ['lead', ['b', 'system:authenticated'], { why: ['x'] }]);
  const patch = { body: { spec: { username: 'root' } }, type: 'application/merge-patch+json' };
  const kept = await must(200, 'PATCH', `${path}/own`, patch);
  assert.equal(getPath(kept.body, 'spec', 'username'), 'lead');
});

test('what is no request, or one for all rights, is refused', async () => {
  const damaged = await must(422, 'POST', path, { body: request('damaged', { request: 'AAE=' }) });
  assert.equal(
    getString(damaged.body, 'message'),
    'CertificateSigningRequest.certificates.k8s.io "damaged" is invalid: spec.request: Invalid value: []byte{0x0, 0x1}: PEM block type must be CERTIFICATE REQUEST',
  );
  const all = await must(403, 'POST', path, { body: request('all', { request: askedForAll }) });
  assert.equal(
    getString(all.body, 'message'),
    `certificatesigningrequests.certificates.k8s.io "all" is forbidden: use of ${signerName} signer with system:masters group is not allowed`,
  );
});

test('approval takes the right to approve for the signer, and writes the conditions alone', async () => {
  const made = await must(201, 'POST', path, { ...lead, body: request('decided') });
  assert.equal(getPath(made.body, 'spec', 'uid'), '7');
  const condition = { type: 'Approved', status: 'True', reason: 'Asked', message: 'm' };
  const body = {
    ...made.body,
    spec: { ...Object(made.body['spec']), usages: [] },
    status: { conditions: [condition], certificate: 'AA==' },
  };
  const refused = await must(403, 'PUT', `${path}/decided/approval`, { ...lead, body });
  assert.equal(
    getString(refused.body, 'message'),
    `certificatesigningrequests.certificates.k8s.io "decided" is forbidden: user not permitted to approve requests with signerName "${signerName}"`,
  );
  await bind('system:certificates.k8s.io:kube-apiserver-client-approver');
  const decided = await must(200, 'PUT', `${path}/decided/approval`, { ...lead, body });
  assert.deepEqual(getPath(decided.body, 'spec', 'usages'), ['client auth']);
  assert.equal(getPath(decided.body, 'status', 'certificate'), undefined);
  await must(409, 'PUT', `${path}/decided/approval`, { ...lead, body });
  const { lastUpdateTime, lastTransitionTime, ...rest } = Object(getPath(decided.body, 'status', 'conditions', 0));
  assert.deepEqual(rest, condition);
  assert.match(`${lastUpdateTime} ${lastTransitionTime}`, /^\S+Z \S+Z$/);
  const signed = { body: { status: { certificate: 'AA==' } }, type: 'application/merge-patch+json' };
  const unsigned = await must(403, 'PATCH', `${path}/decided/status`, { ...lead, ...signed });
  assert.match(getString(unsigned.body, 'message') ?? '', /user not permitted to sign requests with signerName/);
});

test('in the mode always-allow whoever is known may do everything, and nobody unknown anything', async () => {
  await using open = await testCluster({ tokens, authorization: 'always-allow' });
  const role = { metadata: { name: 'r' }, rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] };
  const made = await open.send('POST', `${rbac}/clusterroles`, { ...lead, body: role });
  const other = await open.send('GET', '/api/v1/secrets', { headers: { 'impersonate-user': 'bob' } });
  const nobody = await open.send('GET', '/api', { token: '' });
  const health = await open.send('GET', '/readyz', { token: '' });
  assert.deepEqual([made.code, other.code, nobody.code, health.code], [201, 200, 401, 200]);
});
