import { silentLogger } from '#base/log.ts';
import { startApiServer } from '#drydock/kubernetes/api/server.ts';
import { createTypeRegistry } from '#drydock/kubernetes/types/registry.ts';
import { kubeContract } from '#kube/contract.ts';
import { loadKubeTarget } from '#kube/kubeconfig.ts';
import { testClock, testEntropy } from '../clock.ts';

const sources = { clock: testClock, entropy: testEntropy };

kubeContract('Drydock', sources, async () => {
  const server = await startApiServer({
    ...sources,
    logger: silentLogger,
    types: createTypeRegistry(),
    dataDir: undefined,
  });
  const target = await loadKubeTarget({ text: server.kubeconfig() });
  return { target, close: async () => server[Symbol.asyncDispose]() };
});

// Any other cluster: the suite makes a namespace and a CustomResourceDefinition of its own there, and removes them.
const path = process.env['SLIPWAY_TEST_KUBECONFIG'];
if (path) kubeContract(path, sources, async () => ({ target: await loadKubeTarget({ path }), close: async () => {} }));
