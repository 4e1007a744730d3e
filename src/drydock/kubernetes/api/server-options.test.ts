import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getPath, isObject } from '#base/json.ts';
import { testCluster } from './api-fixture.test.ts';
import { serviceNetwork } from './write/service-network.ts';

const ranges = [
  { cidr: undefined, want: ['10.96.0.0/16', '10.96.0.1', 65_536, 256] },
  { cidr: '10.0.0.0/24', want: ['10.0.0.0/24', '10.0.0.1', 256, 16] },
  { cidr: '10.0.0.77/20', want: ['10.0.0.0/20', '10.0.0.1', 4096, 256] },
  { cidr: '192.168.5.16/28', want: ['192.168.5.16/28', '192.168.5.17', 16, 16] },
];

for (const { cidr, want } of ranges)
  test(`the service range ${cidr ?? 'by default'}`, () => {
    const network = serviceNetwork(cidr === undefined ? {} : { serviceCidr: cidr });
    assert.deepEqual([network.cidr, network.apiServerIp, network.size, network.firstDynamic], want);
    const last = network.ipAt(network.size - 1);
    assert.deepEqual([network.contains(last), network.contains('10.97.0.1')], [true, false]);
  });

test('ranges that are none are refused', () => {
  for (const serviceCidr of ['10.0.0.0', '10.0.0/16', '10.0.0.0/8', '10.0.0.0/30', '300.0.0.0/16', 'fd00::/112'])
    assert.throws(() => serviceNetwork({ serviceCidr }), { code: 'bad-input' }, serviceCidr);
  for (const nodePortRange of ['30000', '5-4', '0-10', '1-70000'])
    assert.throws(() => serviceNetwork({ nodePortRange }), { code: 'bad-input' }, nodePortRange);
});

test('services get addresses and ports of the ranges given', async () => {
  const services = { serviceCidr: '10.0.0.0/24', nodePortRange: '31000-31001' };
  await using cluster = await testCluster({ services });
  const path = '/api/v1/namespaces/default/services';
  const create = async (name: string, spec: Record<string, unknown>): Promise<unknown> =>
    (await cluster.send('POST', path, { body: { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } } })).body;
  const own = await cluster.send('GET', `${path}/kubernetes`);
  const first = await create('a', {});
  const ported = await create('b', { type: 'NodePort' });
  const foreign = await create('c', { clusterIP: '10.96.0.9' });
  assert.equal(getPath(own.body, 'spec', 'clusterIP'), '10.0.0.1');
  assert.equal(getPath(first, 'spec', 'clusterIP'), '10.0.0.16');
  const ports = getPath(ported, 'spec', 'ports');
  assert.equal(Array.isArray(ports) && isObject(ports[0]) && ports[0]['nodePort'], 31_000);
  assert.match(String(getPath(foreign, 'message')), /the provided network does not match the current range/);
});

test('admissions that change pods can be switched off', async () => {
  const body = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'x:1' }] } };
  const shown = async (podAdmission: { serviceAccount?: boolean; defaultTolerationSeconds?: boolean }) => {
    await using cluster = await testCluster({ podAdmission });
    const { body: pod } = await cluster.send('POST', '/api/v1/namespaces/default/pods', { body });
    return [getPath(pod, 'spec', 'serviceAccountName'), Array.isArray(getPath(pod, 'spec', 'tolerations'))];
  };
  assert.deepEqual(await shown({}), ['default', true]);
  assert.deepEqual(await shown({ serviceAccount: false, defaultTolerationSeconds: false }), [undefined, false]);
});

test('tokens given at the start are who they say', async () => {
  const tokens = [
    { token: 'admin-token', user: 'admin', groups: ['system:masters'] },
    { token: 'viewer-token', user: 'viewer', groups: ['viewers'] },
  ];
  await using cluster = await testCluster({ tokens });
  const who = async (token: string) => {
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const answer = await cluster.send('POST', path, { token, body: {} });
    return answer.code === 201 ? getPath(answer.body, 'status', 'userInfo', 'username') : answer.code;
  };
  assert.equal(await who('admin-token'), 'admin');
  assert.equal(await who('nobody-token'), 401);
  const secrets = await cluster.send('GET', '/api/v1/namespaces/default/secrets', { token: 'viewer-token' });
  assert.equal(secrets.code, 403);
  assert.match(secrets.text, /User \\"viewer\\" cannot list/);
});

test('tokens that cannot be sent, or are nobody’s, are refused', async () => {
  for (const wrong of [{ token: '' }, { token: 'two words' }, { user: '' }]) {
    const tokens = [{ token: 'good-token', user: 'ana', groups: [], ...wrong }];
    await assert.rejects(testCluster({ tokens }), { code: 'bad-input' });
  }
});
