import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { toolPath } from '../../tools.ts';
import { type RunningDrydock, startDrydock } from '../suite/drydock.ts';
import { helmSteps } from './helm-steps.ts';
import { kubectlSteps } from './kubectl-steps.ts';
import { runClient } from './matrix.ts';

// The other versions are run by `npm run test:clients`; this one is pinned and always there.
describe('the pinned clients against Drydock', { concurrency: true }, () => {
  let drydock: RunningDrydock;
  before(async () => {
    drydock = await startDrydock();
  });
  after(() => drydock[Symbol.asyncDispose]());

  for (const [name, steps] of [
    ['kubectl', kubectlSteps],
    ['helm', helmSteps],
  ] as const) {
    test(name, async () => {
      const { failed, passed } = await runClient(name, toolPath(name), drydock.kubeconfig);
      assert.deepEqual(failed, []);
      assert.equal(passed.length, steps.length);
    });
  }
});
