import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { projectRoot } from '#main/programs.ts';
import { ProcessMeter } from './process-meter.ts';

export interface BenchCluster extends AsyncDisposable {
  kubeconfig: string;
  /** Of the API server, when the bench started it. */
  meter: ProcessMeter | undefined;
}

/** The cluster of a kubeconfig, or Drydock's as a process of its own: durable, with its controllers, without nodes. */
export async function openCluster(kubeconfig: string | undefined): Promise<BenchCluster> {
  if (kubeconfig !== undefined) return { kubeconfig, meter: undefined, [Symbol.asyncDispose]: () => Promise.resolve() };
  const data = mkdtempSync(join(tmpdir(), 'bench-cluster-'));
  const file = join(data, 'admin.kubeconfig');
  const cli = join(projectRoot, 'src', 'main', 'cli.ts');
  const args = ['cluster', '--data', join(data, 'cluster'), '--node', 'none', '--kubeconfig', file];
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  for (let tries = 0; !existsSync(file); tries += 1) {
    if (child.exitCode !== null || tries > 3000) throw new Error('the cluster did not start');
    await delay(10);
  }
  return {
    kubeconfig: file,
    meter: new ProcessMeter(child.pid ?? 0),
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        await exited;
      }
      rmSync(data, { recursive: true, force: true });
    },
  };
}
