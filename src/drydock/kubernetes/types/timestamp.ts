const patterns = {
  0: /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|[+-]\d{2}:\d{2})$/,
  6: /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})\.(\d{6})(Z|[+-]\d{2}:\d{2})$/,
};

/** RFC 3339 to UTC; `digits` 0 cuts to seconds, 6 wants and keeps microseconds. Throws Error with Go's text. */
export function canonicalTime(text: string, digits: 0 | 6): string {
  const match = patterns[digits].exec(text);
  if (match === null) throw new Error(parseFailure(text, digits));
  const [, , month, day, hour, minute, second, fraction = '', zone = 'Z'] = match;
  for (const [value, limit, part] of [
    [month, 12, 'month'],
    [hour, 23, 'hour'],
    [minute, 59, 'minute'],
    [second, 59, 'second'],
  ] as const) {
    if (Number(value) > limit) throw new Error(`parsing time ${JSON.stringify(text)}: ${part} out of range`);
  }
  const millis = Date.parse(`${text.slice(0, 19)}${zone}`);
  if (Number.isNaN(millis) || Number(month) < 1 || Number(day) < 1 || Number(day) > daysIn(text)) {
    throw new Error(`parsing time ${JSON.stringify(text)}: day out of range`);
  }
  const utc = new Date(millis).toISOString().slice(0, 19);
  return digits === 0 ? `${utc}Z` : `${utc}.${fraction.slice(0, 6).padEnd(6, '0')}Z`;
}

function daysIn(text: string): number {
  return new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
}

const seconds: Record<0 | 6, [RegExp, string][]> = {
  0: [[/^\d{2}(?:[.,]\d+)?/, '05']],
  6: [
    [/^\d{2}/, '05'],
    [/^\.\d{6}/, '.000000'],
  ],
};

/** Go names the first layout element that does not fit. */
function parseFailure(text: string, digits: 0 | 6): string {
  const layout = digits === 0 ? '2006-01-02T15:04:05Z07:00' : '2006-01-02T15:04:05.000000Z07:00';
  const parts: [RegExp, string][] = [
    [/^\d{4}/, '2006'],
    [/^-/, '-'],
    [/^\d{2}/, '01'],
    [/^-/, '-'],
    [/^\d{2}/, '02'],
    [/^T/, 'T'],
    [/^\d{2}/, '15'],
    [/^:/, ':'],
    [/^\d{2}/, '04'],
    [/^:/, ':'],
    ...seconds[digits],
    [/^(?:Z|[+-]\d{2}:\d{2})/, 'Z07:00'],
  ];
  let rest = text;
  for (const [part, name] of parts) {
    const match = part.exec(rest);
    if (match === null) return `parsing time ${q(text)} as ${q(layout)}: cannot parse ${q(rest)} as ${q(name)}`;
    rest = rest.slice(match[0].length);
  }
  return `parsing time ${q(text)}: extra text: ${q(rest)}`;
}

function q(text: string): string {
  return JSON.stringify(text);
}
