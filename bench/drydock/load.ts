/** The load, a process of its own: does one order at a time and reports what it took. */
import { performance } from 'node:perf_hooks';
import { connect as connectTls } from 'node:tls';
import { Pool } from 'undici';
import { isObject } from '#base/json.ts';

export interface Order {
  name: string;
  /** Requests are built from these with `{n}` replaced by their number. */
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  path: string;
  body?: string;
  type?: string;
  accept?: string;
  first?: number;
  count: number;
  connections: number;
  /** At most so many a second; unlimited when absent. */
  perSecond?: number;
  /** Follows continue tokens until a list ends; `count` lists. */
  paged?: boolean;
}

export interface Outcome {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  failed: number;
  firstFailure: string | undefined;
  bytes: number;
}

export interface WatchOrder {
  watch: string;
  accept?: string;
  watchers: number;
}

export interface WatchOutcome {
  /** Watchers that saw the end, and how many events each had seen at least. */
  complete: number;
  closed: number;
  fewestEvents: number;
  /** From the write to the last watcher, for the writes that all saw. */
  lastP50Ms: number;
  lastP99Ms: number;
}

const [url = '', token = '', ca = ''] = process.argv.slice(2);
const connect = { ca };

function text(template: string, n: number): string {
  return template
    .replaceAll('{n}', String(n))
    .replaceAll('{now}', (performance.timeOrigin + performance.now()).toFixed(3));
}

async function storm(order: Order): Promise<Outcome> {
  const pool = new Pool(url, { connect, connections: order.connections, pipelining: 1 });
  const headers = {
    authorization: `Bearer ${token}`,
    accept: order.accept ?? 'application/json',
    'user-agent': 'bench/1',
    ...(order.body === undefined ? {} : { 'content-type': order.type ?? 'application/json' }),
  };
  const times: number[] = [];
  let next = 0;
  let failed = 0;
  let firstFailure: string | undefined;
  let bytes = 0;
  const send = async (path: string, body: string | undefined): Promise<string> => {
    const answer = await pool.request({ method: order.method, path, headers, ...(body === undefined ? {} : { body }) });
    const got = order.paged || answer.statusCode >= 300 ? await answer.body.text() : undefined;
    if (got === undefined) for await (const chunk of answer.body) bytes += chunk.length;
    if (answer.statusCode >= 300) {
      failed += 1;
      firstFailure ??= `${answer.statusCode} ${(got ?? '').slice(0, 300)}`;
    }
    bytes += got?.length ?? 0;
    return got ?? '';
  };
  const one = async (n: number): Promise<void> => {
    const path = text(order.path, n);
    let page = await send(path, order.body === undefined ? undefined : text(order.body, n));
    while (order.paged) {
      const more = /"continue":"([^"]+)"/.exec(page.slice(0, 1000))?.[1];
      if (more === undefined) return;
      page = await send(`${path}&continue=${more}`, undefined);
    }
  };
  const began = performance.now();
  const lane = async (): Promise<void> => {
    while (next < order.count) {
      const n = (order.first ?? 0) + next;
      if (order.perSecond !== undefined) {
        const due = began + (next * 1000) / order.perSecond;
        next += 1;
        const wait = due - performance.now();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      } else next += 1;
      const from = performance.now();
      await one(n);
      times.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: order.connections }, lane));
  const seconds = (performance.now() - began) / 1000;
  await pool.close();
  times.sort((a, b) => a - b);
  return {
    perSecond: order.count / seconds,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    failed,
    firstFailure,
    bytes,
  };
}

function quantile(sorted: number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

interface Watcher {
  events: number;
  done: boolean;
  closed: boolean;
}

interface Seen {
  at: number;
  count: number;
  delay: number;
}

/**
 * Opens the watchers, says so, then waits until all saw the mark `0` or were closed. Plain TLS sockets, and of
 * the answers only the marks are looked at: a thousand real clients would take more of the machine than the server.
 */
async function watchAll(order: WatchOrder): Promise<WatchOutcome> {
  const { hostname, port } = new URL(url);
  const head = `GET ${order.watch} HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${token}\r\nAccept: ${order.accept ?? 'application/json'}\r\n\r\n`;
  const seen = new Map<string, Seen>();
  const all: Watcher[] = [];
  const ended: Promise<void>[] = [];
  const open = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const watcher: Watcher = { events: 0, done: false, closed: false };
      all.push(watcher);
      const socket = connectTls({ host: hostname, port: Number(port), ca, servername: 'localhost' }, () =>
        socket.write(head),
      );
      socket.once('data', () => resolve());
      socket.once('error', reject);
      ended.push(
        new Promise((end) => {
          let tail = '';
          socket.on('data', (chunk: Buffer) => {
            tail = note(watcher, tail + chunk.toString('latin1'), seen);
            if (watcher.done) socket.destroy();
          });
          socket.once('close', () => {
            watcher.closed = !watcher.done;
            end();
          });
        }),
      );
    });
  for (let opened = 0; opened < order.watchers; opened += 50)
    await Promise.all(Array.from({ length: Math.min(50, order.watchers - opened) }, open));
  process.send?.({ watching: all.length });
  await Promise.all(ended);
  const delays = [...seen.values()].filter(({ count }) => count === all.length).map(({ delay }) => delay);
  delays.sort((a, b) => a - b);
  return {
    complete: all.filter(({ done }) => done).length,
    closed: all.filter(({ closed }) => closed).length,
    fewestEvents: Math.min(...all.map(({ events }) => events)),
    lastP50Ms: quantile(delays, 0.5),
    lastP99Ms: quantile(delays, 0.99),
  };
}

const mark = '"at":"';
const markLength = 40;

/** Looks for the times in the events; returns what may be the beginning of one. */
function note(watcher: Watcher, text: string, seen: Map<string, Seen>): string {
  const now = performance.timeOrigin + performance.now();
  let from = 0;
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, from)) {
    const end = text.indexOf('"', at + mark.length);
    if (end < 0) break;
    from = end;
    const stamp = text.slice(at + mark.length, end);
    watcher.events += 1;
    const known = seen.get(stamp) ?? { at: Number(stamp), count: 0, delay: 0 };
    known.count += 1;
    known.delay = now - known.at;
    seen.set(stamp, known);
    if (stamp === '0') watcher.done = true;
  }
  return text.slice(Math.max(from, text.length - markLength));
}

process.on('message', (message) => {
  if (!isObject(message)) return;
  const work = 'watch' in message ? watchAll(message as unknown as WatchOrder) : storm(message as unknown as Order);
  work.then(
    (outcome) => process.send?.(outcome),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));
