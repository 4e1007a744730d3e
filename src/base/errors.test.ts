import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError, errorTable, explain, isAppError, messageOf, throwIfAborted } from './errors.ts';
import { registerSecret } from './redact.ts';

test('an error explains itself: message, causes once each, what to do', () => {
  const error = new AppError('unavailable', 'the registry did not answer', {
    hint: 'is it running?',
    cause: new Error('connect ECONNREFUSED', { cause: new Error('port 5000') }),
  });
  assert.equal(
    explain(error),
    'the registry did not answer\nbecause: connect ECONNREFUSED\nbecause: port 5000\nto do: is it running?',
  );
});

test('secrets are masked when the error is made, in the hint and in foreign causes too', () => {
  registerSecret('s3cret-value');
  const error = new AppError('unauthorized', 'login with s3cret-value failed', {
    hint: 'git clone https://me:s3cret-value@host/x',
    cause: new Error('Authorization: Bearer abcdef0123456789'),
  });
  assert.doesNotMatch(explain(error), /s3cret-value|abcdef0123456789/);
  assert.match(error.message, /login with \*{6} failed/);
});

test('an abort becomes a canceled error, or the error it was aborted with', () => {
  const controller = new AbortController();
  throwIfAborted(controller.signal);
  controller.abort(new Error('enough'));
  assert.throws(
    () => throwIfAborted(controller.signal),
    (error) => isAppError(error, 'canceled'),
  );
  const timeout = AbortSignal.abort(new AppError('timeout', 'helm took too long'));
  assert.throws(
    () => throwIfAborted(timeout),
    (error) => isAppError(error, 'timeout'),
  );
});

test('a thrown string is a message too, and every code has a status and an exit code', () => {
  assert.equal(messageOf('plain'), 'plain');
  for (const [code, { status, exit }] of Object.entries(errorTable)) {
    assert.ok(status >= 400 && status < 600 && exit > 0, code);
  }
});
