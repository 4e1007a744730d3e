import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent, request } from 'undici';
import { getArray, getPath, getString } from '#base/json.ts';
import { type KubernetesCluster, startKubernetes } from './kubernetes.ts';

async function ask(cluster: KubernetesCluster, path: string, token = cluster.adminToken): Promise<unknown> {
  const agent = new Agent({ connect: { ca: cluster.caPem } });
  const headers = { authorization: `Bearer ${token}` };
  try {
    const { body } = await request(cluster.url + path, { dispatcher: agent, headers });
    return await body.json();
  } finally {
    await agent.destroy();
  }
}

async function names(cluster: KubernetesCluster, path: string): Promise<(string | undefined)[]> {
  return getArray(await ask(cluster, path), 'items').map((item) => getString(item, 'metadata', 'name'));
}

test('clusters beside each other know nothing of each other', async () => {
  await using first = await startKubernetes({ simulator: { nodes: 2 } });
  await using second = await startKubernetes({ simulator: { nodes: ['other'] } });
  await using third = await startKubernetes({ node: 'none', nodeNames: ['127.0.0.1'] });
  assert.equal(new Set([first.port, second.port, third.port]).size, 3);
  assert.deepEqual(await names(first, '/api/v1/nodes'), ['sim-1', 'sim-2']);
  assert.deepEqual(await names(second, '/api/v1/nodes'), ['other']);
  assert.deepEqual(await names(third, '/api/v1/nodes'), ['127.0.0.1']);
  assert.equal(getPath(await ask(second, '/api/v1/nodes', first.adminToken), 'code'), 401);
});

test('a server without controllers only stores', async () => {
  const tokens = [{ token: 'admin-token', user: 'admin', groups: ['system:masters'] }];
  const options = { node: 'none', controllers: [], services: { serviceCidr: '10.0.0.0/24' }, tokens } as const;
  await using cluster = await startKubernetes(options);
  const services = await ask(cluster, '/api/v1/services', 'admin-token');
  assert.equal(getPath(services, 'items', 0, 'spec', 'clusterIP'), '10.0.0.1');
  assert.deepEqual(await names(cluster, '/api/v1/serviceaccounts'), []);
});

test('what is kept is there again, simulated pods too', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'kubernetes-'));
  try {
    let port: number;
    let kubeconfig: string;
    {
      await using cluster = await startKubernetes({ dataDir });
      ({ port, kubeconfig } = cluster);
    }
    await using cluster = await startKubernetes({ dataDir, port });
    assert.equal(cluster.kubeconfig, kubeconfig);
    assert.deepEqual(await names(cluster, '/api/v1/nodes'), ['sim-1']);
    await assert.rejects(startKubernetes({ port }), { code: 'port-taken' });
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
});

test('a process node comes and goes with its cluster', async () => {
  await using cluster = await startKubernetes({ node: 'process' });
  assert.deepEqual(await names(cluster, '/api/v1/nodes'), ['drydock']);
  assert.equal(cluster.serviceUrl('default', 'nothing', 80), undefined);
});

test('options that mean nothing are refused, and leave nothing running', async () => {
  await assert.rejects(startKubernetes({ controllers: ['nobody'] }), { code: 'bad-input', message: /"nobody"/ });
  await assert.rejects(startKubernetes({ simulator: { nodes: 1e6 } }), { code: 'bad-input' });
  await assert.rejects(startKubernetes({ services: { serviceCidr: 'x' } }), { code: 'bad-input' });
});
