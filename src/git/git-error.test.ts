import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '#base/errors.ts';
import { gitError } from './git-error.ts';

test('gitError', async (t) => {
  const cases: { said: string; want: ErrorCode }[] = [
    { said: "fatal: could not read Username for 'http://h': terminal prompts disabled", want: 'unauthorized' },
    { said: "fatal: Authentication failed for 'http://h/r.git/'", want: 'unauthorized' },
    { said: 'git@h: Permission denied (publickey).', want: 'unauthorized' },
    { said: "fatal: unable to access 'http://h/r.git/': The requested URL returned error: 403", want: 'forbidden' },
    { said: 'remote: denied\n[remote rejected] (pre-receive hook declined)', want: 'forbidden' },
    { said: "fatal: repository 'http://h/r.git/' not found", want: 'not-found' },
    { said: "fatal: unable to access 'http://h/': Could not resolve host: h", want: 'unavailable' },
    {
      said: "fatal: unable to access 'http://h/': Failed to connect to h port 1: Connection refused",
      want: 'unavailable',
    },
    { said: "fatal: unable to access 'http://h/': The requested URL returned error: 502", want: 'unavailable' },
    { said: "fatal: unable to access 'http://h/r.git/': The requested URL returned error: 301", want: 'not-found' },
    { said: "fatal: unable to access 'http://h/r.git/': The requested URL returned error: 429", want: 'unavailable' },
    { said: 'error: RPC failed; curl 18 transfer closed with outstanding read data remaining', want: 'unavailable' },
    { said: 'fatal: loose object abc (stored in objects/ab/c) is corrupt', want: 'corrupt-data' },
    {
      said: 'fatal: bad object refs/heads/main\nerror: remote did not send all necessary objects',
      want: 'corrupt-data',
    },
    { said: "fatal: not a git repository: '/m/r.git'", want: 'corrupt-data' },
    { said: 'fatal: something else', want: 'tool-failed' },
  ];
  for (const { said, want } of cases) {
    await t.test(said, () => {
      const { code, message, hint } = gitError('fetch', `hint: noise\n${said}\n`);
      assert.equal(code, want);
      assert.equal(message, `fetch: ${said.split('\n').join('; ')}`);
      assert.equal(hint === undefined, want === 'corrupt-data' || want === 'tool-failed');
    });
  }
});
