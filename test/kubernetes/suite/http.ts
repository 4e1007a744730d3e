import { Agent, request } from 'undici';
import { isObject, type JsonObject } from '#base/json.ts';
import type { KubeTarget } from '#kube/target.ts';

export interface Answer {
  code: number;
  headers: Record<string, string | string[] | undefined>;
  /** Parsed when it is a JSON object, else `{}`. */
  body: JsonObject;
  text: string;
}

export interface Sent {
  /** Sent as it is when text or bytes, else as JSON. */
  body?: unknown;
  /** Content-Type; JSON without it. */
  type?: string;
  accept?: string;
  headers?: Record<string, string>;
  /** Without credentials. */
  anonymous?: boolean;
}

const answerMs = 30_000;

/** Plain HTTP to one cluster as one user. */
export class Http implements AsyncDisposable {
  readonly #target: KubeTarget;
  readonly #agents = new Map<boolean, Agent>();

  constructor(target: KubeTarget) {
    this.#target = target;
  }

  get server(): string {
    return this.#target.server;
  }

  async send(method: string, path: string, sent: Sent = {}): Promise<Answer> {
    const { statusCode, headers, body } = await this.#request(method, path, sent, AbortSignal.timeout(answerMs));
    const text = await body.text();
    return { code: statusCode, headers, body: parse(text), text };
  }

  async watch(path: string, sent: Sent = {}): Promise<Watch> {
    const abort = new AbortController();
    const { statusCode, headers, body } = await this.#request('GET', path, sent, abort.signal);
    return new Watch({ code: statusCode, headers, lines: body, abort });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
  }

  async #request(method: string, path: string, sent: Sent, signal: AbortSignal) {
    const { headers, tls } = await this.#target.access();
    const anonymous = sent.anonymous === true;
    const identity = anonymous ? {} : { cert: tls.cert, key: tls.key };
    let agent = this.#agents.get(anonymous);
    if (agent === undefined) {
      const { ca, servername, rejectUnauthorized } = tls;
      agent = new Agent({ connect: { ca, rejectUnauthorized, ...identity, ...(servername && { servername }) } });
      this.#agents.set(anonymous, agent);
    }
    const payload = payloadOf(sent.body);
    return request(this.#target.server + path, {
      dispatcher: agent,
      method,
      headers: {
        'user-agent': 'suite',
        accept: sent.accept ?? 'application/json',
        ...(payload === undefined ? {} : { 'content-type': sent.type ?? 'application/json' }),
        ...(anonymous ? {} : headers),
        ...sent.headers,
      },
      ...(payload === undefined ? {} : { body: payload }),
      signal,
    });
  }
}

function payloadOf(body: unknown): string | Buffer | undefined {
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) return body;
  return JSON.stringify(body);
}

function parse(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    // Plain text answers stand in `text`.
    return {};
  }
}

interface Stream {
  code: number;
  headers: Answer['headers'];
  lines: AsyncIterable<unknown>;
  abort: AbortController;
}

/** One open watch: what came so far, and waiting for more. */
export class Watch implements AsyncDisposable {
  readonly code: number;
  readonly headers: Answer['headers'];
  readonly events: JsonObject[] = [];
  readonly #abort: AbortController;
  #ended = false;
  #wake: () => void = () => {};

  constructor({ code, headers, lines, abort }: Stream) {
    this.code = code;
    this.headers = headers;
    this.#abort = abort;
    void this.#read(lines);
  }

  /** Everything up to the event that made `enough` true. Fails after `ms`, or when the server ends the watch before. */
  async until(enough: (events: JsonObject[]) => boolean, ms = 10_000): Promise<JsonObject[]> {
    await this.#wait(() => enough(this.events) || this.#ended, ms);
    if (!enough(this.events)) throw new Error(`the watch ended before: ${summary(this.events)}`);
    return this.events;
  }

  /** Everything up to the end that the server makes. Fails when it has not within `ms`. */
  async end(ms = 10_000): Promise<JsonObject[]> {
    await this.#wait(() => this.#ended, ms);
    return this.events;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
  }

  async #wait(done: () => boolean, ms: number): Promise<void> {
    const until = Date.now() + ms;
    while (!done()) {
      const left = until - Date.now();
      if (left <= 0) throw new Error(`nothing more within ${ms} ms after: ${summary(this.events)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async #read(lines: AsyncIterable<unknown>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for await (const chunk of lines) {
        rest += Buffer.isBuffer(chunk) ? decoder.decode(chunk, { stream: true }) : String(chunk);
        const whole = rest.split('\n');
        rest = whole.pop() ?? '';
        this.events.push(...whole.filter((line) => line !== '').map(parse));
        this.#wake();
      }
    } catch (error) {
      if (!this.#abort.signal.aborted) this.events.push({ type: 'BROKEN', object: { message: String(error) } });
    }
    if (rest !== '') this.events.push(parse(rest));
    this.#ended = true;
    this.#wake();
  }
}

function summary(events: JsonObject[]): string {
  return JSON.stringify(events.map(({ type, object }) => [type, isObject(object) ? object['metadata'] : object])).slice(
    0,
    1_000,
  );
}
