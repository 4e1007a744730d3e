import { after, before, describe, test } from 'node:test';
import { subjects } from './subjects.ts';
import { Suite } from './suite.ts';

const wanted = process.env['SLIPWAY_TEST_SUBJECTS']?.split(',');
/** Among all other tests the corpus has one of its own already, `test/engine/corpus.test.ts`. */
const isWanted = (name: string) =>
  wanted === undefined ? name !== 'corpus' : wanted.includes('all') || wanted.includes(name);

describe('cluster', () => {
  let suite: Suite;
  before(async () => {
    suite = await Suite.start(process.env['SLIPWAY_TEST_KUBECONFIG']);
  });
  after(async () => await suite?.[Symbol.asyncDispose]());

  for (const { name, cases } of subjects) {
    if (!isWanted(name)) continue;
    describe(`cluster: ${name}`, { concurrency: 4 }, () => {
      for (const { title, run } of cases)
        test(title, async () => {
          await using stage = await suite.stage();
          await run(stage);
        });
    });
  }
});
