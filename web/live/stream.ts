import type { ApplicationView, Snapshot } from '#server/contract.ts';
import type { AuditEvent } from '#trace/event.ts';
import { fetchEvents, statusOf } from '../api/client.ts';
import { applyMessage, firstState, type LiveMessage, type LiveState } from './state.ts';

const streamUrl = '/api/slipway/v1/stream';
const retryMs = [500, 1000, 2000, 4000, 8000];

/**
 * Keeps the page's state live. The browser resumes a broken stream by itself; one that was refused is opened again
 * here, more and more slowly.
 */
export class LiveStream {
  #state = firstState;
  #source: EventSource | undefined;
  #retries = 0;
  #timer: number | undefined;
  readonly #listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#open();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#close();
    };
  };

  readonly current = (): LiveState => this.#state;

  #apply(message: LiveMessage): void {
    this.#state = applyMessage(this.#state, message);
    for (const listener of this.#listeners) listener();
  }

  #connection(connection: LiveState['connection']): void {
    if (this.#state.connection === connection) return;
    this.#apply({ kind: 'connection', connection, at: Date.now() });
  }

  #open(): void {
    const source = new EventSource(streamUrl);
    this.#source = source;
    const on = <T>(event: string, handle: (value: T) => void) =>
      source.addEventListener(event, (message) => handle(parse<T>(message)));
    source.onopen = () => {
      this.#retries = 0;
      this.#connection('live');
    };
    source.onerror = () => this.#failed(source);
    on<Snapshot>('snapshot', (snapshot) => {
      this.#apply({ kind: 'snapshot', snapshot });
      void this.#loadEvents();
    });
    on<ApplicationView>('application', (application) => this.#apply({ kind: 'application', application }));
    on<{ name: string }>('gone', ({ name }) => this.#apply({ kind: 'gone', name }));
    on<AuditEvent>('audit', (event) => this.#apply({ kind: 'events', events: [event] }));
  }

  #close(): void {
    this.#source?.close();
    this.#source = undefined;
    window.clearTimeout(this.#timer);
  }

  #failed(source: EventSource): void {
    if (source !== this.#source) return;
    if (this.#state.connection !== 'unauthorized') this.#connection('lost');
    if (source.readyState !== EventSource.CLOSED) return;
    source.close();
    const waitMs = retryMs[Math.min(this.#retries, retryMs.length - 1)] ?? 8000;
    this.#retries += 1;
    void this.#checkAccess();
    this.#timer = window.setTimeout(() => this.#open(), waitMs);
  }

  /** A stream only says that it failed; another request says why. */
  async #checkAccess(): Promise<void> {
    const status = await statusOf('/api/slipway/v1/whoami');
    if (status === 401 || status === 403) this.#connection('unauthorized');
  }

  async #loadEvents(): Promise<void> {
    try {
      this.#apply({ kind: 'events', events: await fetchEvents() });
    } catch {
      // The next snapshot asks again; until then the timeline holds what came by the stream.
    }
  }
}

function parse<T>(message: Event): T {
  const data: unknown = message instanceof MessageEvent ? message.data : 'null';
  const value: T = JSON.parse(String(data));
  return value;
}
