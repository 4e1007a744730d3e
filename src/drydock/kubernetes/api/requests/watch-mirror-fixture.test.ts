import assert from 'node:assert/strict';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { getArray, getObject, getString, isObject, type JsonObject } from '#base/json.ts';
import type { Pick } from '../seeds-fixture.test.ts';

export interface MirrorOptions {
  url: string;
  ca: string;
  token: string;
  /** A collection, with selectors in the query or none: ends in `?` or `&`. */
  path: string;
  accept?: string;
  pick: Pick;
}

/**
 * A client as informers are: lists in pages, watches from the list's version, goes on from the last version it saw after
 * a dropped connection, and lists again only when it is told to. Fails at any event that does not fit what it knows.
 */
export class WatchMirror implements AsyncDisposable {
  readonly #options: MirrorOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly objects = new Map<string, string>();
  #version = '';
  lists = 0;
  resumed = 0;
  events = 0;
  /** The first thing that was wrong. */
  failure: unknown;

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  get state(): [string, string][] {
    return [...this.objects].sort();
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted && this.failure === undefined) {
      try {
        if (this.#version === '') await this.#list();
        else await this.#watch();
      } catch (error) {
        if (error instanceof assert.AssertionError) this.failure = error;
        else if (!this.#stop.signal.aborted) await delay(5);
      }
    }
  }

  async #list(): Promise<void> {
    const found = new Map<string, string>();
    let version: string | undefined;
    let token = '';
    const limit = this.#options.pick(2) === 0 ? 4 : 500;
    do {
      const page = await this.#get(`${this.#options.path}limit=${limit}${token === '' ? '' : `&continue=${token}`}`);
      if (page['code'] === 410) return;
      const now = getString(page, 'metadata', 'resourceVersion');
      if (now === undefined) throw new Error(`no list: ${JSON.stringify(page).slice(0, 200)}`);
      version ??= now;
      assert.equal(now, version, 'pages are of one version');
      for (const item of getArray(page, 'items')) found.set(...seen(item));
      token = getString(page, 'metadata', 'continue') ?? '';
    } while (token !== '');
    this.lists += 1;
    this.objects.clear();
    for (const [name, at] of found) this.objects.set(name, at);
    this.#version = version;
  }

  async #watch(): Promise<void> {
    const path = `${this.#options.path}watch=true&allowWatchBookmarks=true&resourceVersion=${this.#version}`;
    this.resumed += 1;
    const dropAfter = 1 + this.#options.pick(60);
    let left = dropAfter;
    for await (const line of this.#lines(path)) {
      const event: unknown = JSON.parse(line);
      if (!isObject(event)) throw new Error(`no event: ${line}`);
      if (event['type'] === 'ERROR') {
        assert.equal(getObject(event, 'object')['code'], 410, line);
        this.#version = '';
        return;
      }
      this.#take(String(event['type']), getObject(event, 'object'));
      left -= 1;
      if (left <= 0) return;
    }
  }

  #take(type: string, object: JsonObject): void {
    const version = getString(object, 'metadata', 'resourceVersion') ?? '';
    assert.ok(Number(version) >= Number(this.#version), `${type} at ${version} after ${this.#version}`);
    if (type !== 'BOOKMARK') {
      this.events += 1;
      assert.notEqual(version, this.#version, `${type} at ${version} came twice`);
      const [name, at] = seen(object);
      assert.equal(this.objects.has(name), type !== 'ADDED', `${type} ${name} at ${version}`);
      if (type === 'DELETED') this.objects.delete(name);
      else this.objects.set(name, at);
    }
    this.#version = version;
  }

  async #get(path: string): Promise<JsonObject> {
    let text = '';
    for await (const chunk of this.#answer(path)) text += chunk;
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  }

  async *#lines(path: string): AsyncGenerator<string> {
    let rest = '';
    for await (const chunk of this.#answer(path)) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  }

  /** The body in pieces; ends the connection when whoever reads it stops. */
  async *#answer(path: string): AsyncGenerator<string> {
    const { url, ca, token, accept = 'application/json' } = this.#options;
    const headers = { authorization: `Bearer ${token}`, accept };
    const options: RequestOptions = { ca, headers, agent: false, signal: this.#stop.signal };
    const sent = httpsRequest(`${url}${path}`, options);
    const answer = await new Promise<AsyncIterable<Buffer>>((resolve, reject) => {
      sent.once('response', resolve);
      sent.once('error', reject);
      sent.end();
    });
    sent.on('error', () => sent.destroy());
    try {
      for await (const chunk of answer) yield chunk.toString('utf8');
    } finally {
      sent.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }
}

/** The name, and what tells one state from another. */
export function seen(object: unknown): [string, string] {
  const version = getString(object, 'metadata', 'resourceVersion') ?? '';
  return [getString(object, 'metadata', 'name') ?? '', `${version} ${getString(object, 'data', 'n') ?? ''}`];
}
