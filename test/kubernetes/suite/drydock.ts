import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#base/log.ts';
import { startApiServer } from '#drydock/kubernetes/api/server.ts';
import { startControllers } from '#drydock/kubernetes/controllers/start.ts';
import { createTypeRegistry } from '#drydock/kubernetes/types/registry.ts';
import { testClock as clock, testEntropy as entropy } from '../../clock.ts';

export interface RunningDrydock extends AsyncDisposable {
  /** Path of the administrator's. */
  kubeconfig: string;
}

/** The API server with its controllers and no node: the suite plays the kubelet where one is needed. */
export async function startDrydock(): Promise<RunningDrydock> {
  await using stack = new AsyncDisposableStack();
  const home = mkdtempSync(join(tmpdir(), 'kubernetes-drydock-'));
  stack.defer(() => rmSync(home, { recursive: true, force: true }));
  const volumesDir = join(home, 'volumes');
  mkdirSync(volumesDir);
  const types = createTypeRegistry();
  const server = stack.use(
    await startApiServer({
      clock,
      entropy,
      logger: silentLogger,
      types,
      dataDir: undefined,
      isPortFree: async () => true,
    }),
  );
  const { api, caPem } = server;
  stack.use(startControllers({ api, clock, entropy, logger: silentLogger }, { caCertificate: caPem, volumesDir }));
  const kubeconfig = join(home, 'kubeconfig');
  writeFileSync(kubeconfig, server.kubeconfig(), { mode: 0o600 });
  const owned = stack.move();
  return { kubeconfig, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
