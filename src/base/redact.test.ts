import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redact, registerSecret } from './redact.ts';

const rows = [
  { name: 'a URL with a password', text: 'https://me:pa55word@host/r.git', want: 'https://me:******@host/r.git' },
  { name: 'a bearer header', text: 'Authorization: Bearer abc.def-ghi_jkl', want: 'Authorization: Bearer ******' },
  { name: 'a GitHub token', text: `token=ghp_${'a1'.repeat(18)}!`, want: 'token=******!' },
  { name: 'a JWT', text: 'got eyJhbGciOiJSUzI1.eyJzdWIiOiJ4eXoi.c2lnbmF0dXJl ok', want: 'got ****** ok' },
  { name: 'plain text', text: 'image myshop-api:1.5.0 of 3 replicas', want: 'image myshop-api:1.5.0 of 3 replicas' },
];

for (const { name, text, want } of rows) test(`redact: ${name}`, () => assert.equal(redact(text), want));

test('a registered value is masked everywhere; a short one would mask prose and is not taken', () => {
  registerSecret('correct horse');
  registerSecret('prod');
  assert.equal(redact('correct horse in prod, correct horse'), '****** in prod, ******');
});
