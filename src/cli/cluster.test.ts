import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { type CliAnswer, runTestCli } from './cli-fixture.test.ts';
import type { ClusterKubeconfigOptions, ClusterOptions } from './deps.ts';

let started: ClusterOptions[] = [];
let asked: ClusterKubeconfigOptions[] = [];
beforeEach(() => {
  started = [];
  asked = [];
});

async function slipway(...args: string[]): Promise<CliAnswer> {
  const nothing = async () => 0;
  return runTestCli(args, {
    cwd: '/',
    probe: {
      program: async () => undefined,
      nodeVersion: () => 'v24.0.0',
      dataDirectory: async () => ({ path: '.', exists: true, problem: undefined }),
      server: async () => ({ url: undefined, problem: 'none' }),
      cluster: async () => ({ server: undefined, problem: 'none' }),
      ports: async () => [],
    },
    dispatch: async () => {},
    processes: {
      up: nothing,
      demo: nothing,
      serve: nothing,
      cluster: async (options) => {
        started.push(options);
        return 0;
      },
      clusterKubeconfig: async (options) => {
        asked.push(options);
        return 'apiVersion: v1\n';
      },
    },
  });
}

const usual: ClusterOptions = {
  dataDirectory: undefined,
  inMemory: false,
  node: 'simulated',
  nodes: 1,
  speed: 1,
  imageFaults: [],
  controllers: ['*'],
  tokens: [],
  services: {},
  disableAdmission: [],
  authorization: 'rbac',
};

const rows: { args: string[]; want: Partial<ClusterOptions> }[] = [
  { args: [], want: {} },
  { args: ['--in-memory', '--nodes', '20', '--speed', '10'], want: { inMemory: true, nodes: 20, speed: 10 } },
  {
    args: ['--data', 'd', '--port', '6443', '--kubeconfig', 'k'],
    want: { dataDirectory: 'd', port: 6443, kubeconfig: 'k' },
  },
  { args: ['--node', 'none', '--controllers', 'none'], want: { node: 'none', controllers: [] } },
  { args: ['--controllers', 'all,-scheduler'], want: { controllers: ['*', '-scheduler'] } },
  {
    args: ['--user-token', 't1=admin,system:masters,x', '--user-token', 't2=kim'],
    want: {
      tokens: [
        { token: 't1', user: 'admin', groups: ['system:masters', 'x'] },
        { token: 't2', user: 'kim', groups: [] },
      ],
    },
  },
  {
    args: ['--image-fault', '*/broken:*=crash-after:2s', '--image-fault', 'x:1=log:a=b:c'],
    want: {
      imageFaults: [
        { image: '*/broken:*', knobs: { 'crash-after': '2s' } },
        { image: 'x:1', knobs: { log: 'a=b:c' } },
      ],
    },
  },
  {
    args: ['--service-cidr', '10.0.0.0/24', '--service-node-port-range', '30000-30010'],
    want: { services: { serviceCidr: '10.0.0.0/24', nodePortRange: '30000-30010' } },
  },
  { args: ['--authorization', 'always-allow'], want: { authorization: 'always-allow' } },
  { args: ['--disable-admission', 'ServiceAccount'], want: { disableAdmission: ['ServiceAccount'] } },
];

for (const { args, want } of rows)
  test(`cluster ${args.join(' ')}`, async () => {
    const { code, err } = await slipway('cluster', ...args);
    assert.deepEqual({ code, err, started }, { code: 0, err: '', started: [{ ...usual, ...want }] });
  });

const wrong: string[][] = [
  ['--node', 'docker'],
  ['--nodes', '-1'],
  ['--speed', '0'],
  ['--image-fault', 'crash'],
  ['--user-token', 'alone'],
  ['--disable-admission', 'PodSecurity'],
  ['--authorization', 'webhook'],
  ['--port', '70000'],
];

for (const args of wrong)
  test(`cluster ${args.join(' ')} is refused`, async () => {
    const { code } = await slipway('cluster', ...args);
    assert.deepEqual({ code, started }, { code: 2, started: [] });
  });

test('cluster kubeconfig asks for a user', async () => {
  const { out } = await slipway(
    'cluster',
    'kubeconfig',
    '--data',
    'd',
    '--user',
    'kim',
    '--group',
    'a',
    '--group',
    'b',
  );
  assert.equal(out, 'apiVersion: v1\n');
  assert.deepEqual(asked, [{ dataDirectory: 'd', user: 'kim', groups: ['a', 'b'], namespace: undefined }]);
  assert.equal((await slipway('cluster', 'kubeconfig')).code, 2);
});
