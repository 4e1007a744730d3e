import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '#base/errors.ts';
import { openPatiently, StillReading } from './repository-watch.ts';

const repository = { url: 'https://git.example.com/a.git', project: 'default' };

/** A repository whose `open` fails so, once each, and then with the last one for ever. */
function failing(...errors: AppError[]) {
  const asked = { times: 0 };
  const open = async () => {
    const error = errors[Math.min(asked.times, errors.length - 1)];
    asked.times += 1;
    throw error ?? new Error('no error given');
  };
  return { asked, open };
}
const reading = () => new StillReading('unavailable', 'is still being read');
const missing = () => new AppError('not-found', 'there is none');

test('a repository is waited for while it is read for the first time, and no longer when it cannot be', async () => {
  const { asked, open } = failing(reading(), reading(), missing());
  await assert.rejects(openPatiently({ open }, repository, new AbortController().signal), { code: 'not-found' });
  assert.equal(asked.times, 3);
});

test('nobody waits for a repository longer than he asked to', async () => {
  const { asked, open } = failing(reading());
  await assert.rejects(openPatiently({ open }, repository, AbortSignal.abort()), StillReading);
  assert.equal(asked.times, 1);
});
