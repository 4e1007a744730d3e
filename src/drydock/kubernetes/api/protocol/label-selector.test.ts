import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesLabels, parseLabelSelector } from './label-selector.ts';

const labels = { app: 'web', tier: 'front', empty: '' };
const rows = [
  { selector: '', want: true },
  { selector: 'app=web', want: true },
  { selector: 'app==web,tier=front', want: true },
  { selector: 'app=db', want: false },
  { selector: 'app!=db', want: true },
  { selector: 'missing!=x', want: true },
  { selector: 'app', want: true },
  { selector: '!app', want: false },
  { selector: '!missing', want: true },
  { selector: 'app in (web, db)', want: true },
  { selector: 'app in (db)', want: false },
  { selector: 'app notin (db),tier', want: true },
  { selector: 'missing notin (x)', want: true },
  { selector: 'empty=', want: true },
  { selector: 'empty in ()', want: true },
  { selector: 'example.com/x!=1 , app = web', want: true },
];
for (const { selector, want } of rows)
  test(`labels: ${selector || '(empty)'}`, () => {
    assert.equal(matchesLabels(parseLabelSelector(selector), labels), want);
  });

for (const selector of ['a=b c', '=x', 'a in b', 'a in (b', 'a=b,', '!', 'a>1'])
  test(`labels refuse: ${selector}`, () => {
    assert.throws(() => parseLabelSelector(selector), { code: 400 });
  });
