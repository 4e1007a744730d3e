import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startKubernetes } from '#main/kubernetes.ts';

export interface RunningDrydock extends AsyncDisposable {
  /** Path of the administrator's. */
  kubeconfig: string;
}

/** Drydock as it starts without options: its controllers, and one simulated node. */
export async function startDrydock(): Promise<RunningDrydock> {
  await using stack = new AsyncDisposableStack();
  const home = mkdtempSync(join(tmpdir(), 'kubernetes-drydock-'));
  stack.defer(() => rmSync(home, { recursive: true, force: true }));
  const cluster = stack.use(await startKubernetes());
  const kubeconfig = join(home, 'kubeconfig');
  writeFileSync(kubeconfig, cluster.kubeconfig, { mode: 0o600 });
  const owned = stack.move();
  return { kubeconfig, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
