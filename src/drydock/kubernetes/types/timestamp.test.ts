import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalTime } from './timestamp.ts';

test('times are UTC, to the second or the microsecond', () => {
  const rows: [string, 0 | 6, string][] = [
    ['2026-03-04T05:06:07Z', 0, '2026-03-04T05:06:07Z'],
    ['2026-03-04T05:06:07.9Z', 0, '2026-03-04T05:06:07Z'],
    ['2026-03-04T01:00:00+02:00', 0, '2026-03-03T23:00:00Z'],
    ['2026-03-04T05:06:07.123456+01:00', 6, '2026-03-04T04:06:07.123456Z'],
    ['2028-02-29T00:00:00Z', 0, '2028-02-29T00:00:00Z'],
  ];
  for (const [text, digits, want] of rows) assert.equal(canonicalTime(text, digits), want);
});

test('what is no time is refused in the words of Go', () => {
  const layout = '"2006-01-02T15:04:05Z07:00"';
  const rows: [string, string][] = [
    ['tomorrow', `parsing time "tomorrow" as ${layout}: cannot parse "tomorrow" as "2006"`],
    ['2026-03-04', `parsing time "2026-03-04" as ${layout}: cannot parse "" as "T"`],
    ['2026-13-04T00:00:00Z', 'parsing time "2026-13-04T00:00:00Z": month out of range'],
    ['2026-02-30T00:00:00Z', 'parsing time "2026-02-30T00:00:00Z": day out of range'],
  ];
  const micro = '"2006-01-02T15:04:05.000000Z07:00"';
  assert.throws(() => canonicalTime('2026-03-04T05:06:07Z', 6), {
    message: `parsing time "2026-03-04T05:06:07Z" as ${micro}: cannot parse "Z" as ".000000"`,
  });
  for (const [text, message] of rows) assert.throws(() => canonicalTime(text, 0), { message });
});
