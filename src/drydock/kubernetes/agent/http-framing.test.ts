import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResponseTracker, requestMethod } from './http-framing.ts';

for (const [text, want] of [
  ['GET / HTTP/1.1\r\nhost: x\r\n\r\n', 'GET'],
  ['POST /a HTTP/1.0\r\n\r\n', 'POST'],
  ['PRI * HTTP/2.0\r\n\r\n', undefined],
  ['\u0016\u0003\u0001', undefined],
  ['some body', undefined],
] as const)
  test(`method of ${JSON.stringify(text.slice(0, 12))}`, () => assert.equal(requestMethod(Buffer.from(text)), want));

const head = (headers: string, status = '200 OK'): string => `HTTP/1.1 ${status}\r\n${headers}\r\n`;
const rows: { name: string; method?: string; response: string; want: string; closes?: boolean }[] = [
  { name: 'length', response: `${head('Content-Length: 3\r\n')}abc`, want: 'complete' },
  { name: 'length, not all', response: `${head('Content-Length: 3\r\n')}ab`, want: 'body' },
  { name: 'chunked', response: `${head('Transfer-Encoding: chunked\r\n')}1\r\na\r\n0\r\n\r\n`, want: 'complete' },
  { name: 'chunked, not all', response: `${head('Transfer-Encoding: chunked\r\n')}1\r\na\r\n`, want: 'body' },
  { name: 'until the end', response: `${head('')}abc`, want: 'body' },
  { name: 'no content', response: head('', '204 No Content'), want: 'complete' },
  { name: 'HEAD', method: 'HEAD', response: head('Content-Length: 9\r\n'), want: 'complete' },
  { name: 'continue', response: `${head('', '100 Continue')}${head('Content-Length: 0\r\n')}`, want: 'complete' },
  { name: 'switched', response: head('Upgrade: websocket\r\n', '101 Switching Protocols'), want: 'opaque' },
  { name: 'not HTTP', response: 'hello there\r\n\r\n', want: 'opaque' },
  {
    name: 'closing',
    response: `${head('Connection: close\r\nContent-Length: 1\r\n')}a`,
    want: 'complete',
    closes: true,
  },
];
for (const { name, method = 'GET', response, want, closes = false } of rows)
  test(`response: ${name}`, () => {
    const whole = new ResponseTracker(method);
    whole.feed(Buffer.from(response));
    assert.deepEqual([whole.state, whole.closes], [want, closes]);
    const bytewise = new ResponseTracker(method);
    for (const byte of Buffer.from(response)) bytewise.feed(Buffer.from([byte]));
    assert.deepEqual([bytewise.state, bytewise.closes], [want, closes]);
  });
