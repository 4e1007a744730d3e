import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { runProgram } from '#main/demo/program.ts';
import { kubectl } from '#main/demo/tools.ts';
import { person } from './shared-world.ts';

test('somebody with few rights looks at one namespace of the running world, and changes nothing', async () => {
  const me = await person();
  const data = dirname(me.world.kubernetes.kubeconfig);
  const args = ['cluster', '--data', data, 'kubeconfig', '--user', 'ines', '--group', 'auditors'];
  const { stdout } = await runProgram(me.programs.node, [me.programs.slipway, ...args], { signal: me.signal });
  const own = join(me.workDir, 'kubeconfig');
  writeFileSync(own, stdout, { mode: 0o600 });
  const namespace = ['-n', 'few-rights'];
  const ines = (...command: string[]): Promise<string> => kubectl(me, ['--kubeconfig', own, ...command]);

  await kubectl(me, ['create', 'namespace', 'few-rights']);
  await kubectl(me, ['create', 'configmap', 'seen', ...namespace]);
  await assert.rejects(ines('get', 'configmaps', ...namespace), /User "ines" cannot list resource "configmaps"/);
  await kubectl(me, ['create', 'role', 'look', '--verb=get,list', '--resource=configmaps', ...namespace]);
  await kubectl(me, ['create', 'rolebinding', 'look', '--role=look', '--group=auditors', ...namespace]);
  assert.match(await ines('get', 'configmaps', ...namespace), /^seen /m);
  await assert.rejects(ines('get', 'secrets', ...namespace), /cannot list resource "secrets"/);
  await assert.rejects(ines('delete', 'configmap', 'seen', ...namespace), /cannot delete resource "configmaps"/);
  await assert.rejects(ines('get', 'configmaps', '-n', 'kube-system'), /in the namespace "kube-system"/);
  await kubectl(me, ['delete', 'namespace', 'few-rights', '--wait=false']);
});
