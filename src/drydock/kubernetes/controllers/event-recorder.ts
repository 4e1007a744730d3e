import { type Clock, type Entropy, timestamp } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { ApiObject, ApiServer } from '../api/port.ts';
import { isNotFound } from './loop.ts';

export interface EventInput {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  /** As `spec.containers{web}`. */
  fieldPath?: string;
}

/** Records what happened to an object; never fails and never waits. */
export interface EventRecorder {
  record(component: string, object: ApiObject, event: EventInput): void;
}

interface Known {
  namespace: string;
  name: string;
  count: number;
}

interface Waiting {
  component: string;
  object: ApiObject;
  event: EventInput;
  at: number;
}

const queueLimit = 10_000;
const together = 16;
const knownLimit = 4096;
const messageLimit = 1024;

/**
 * Writes core/v1 Events in order. The same event again raises `count` and `lastTimestamp` of the first. When more than
 * 10,000 wait, further ones are dropped and counted in the log. Disposing writes what waits.
 */
export class ApiEventRecorder implements EventRecorder {
  readonly #deps: { api: ApiServer; clock: Clock; entropy: Entropy; logger: Logger };
  readonly #known = new Map<string, Known>();
  readonly #waiting: Waiting[] = [];
  #working: Promise<void> | undefined;
  #dropped = 0;
  #named = { at: 0, nanos: 0 };

  constructor(deps: { api: ApiServer; clock: Clock; entropy: Entropy; logger: Logger }) {
    this.#deps = deps;
  }

  record(component: string, object: ApiObject, event: EventInput): void {
    if (this.#waiting.length >= queueLimit) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push({ component, object, event, at: this.#deps.clock.now() });
    this.#working ??= this.#work();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting.length > 0) await Promise.all(this.#nextBatch().map((item) => this.#tryWrite(item)));
    if (this.#dropped > 0)
      this.#deps.logger.warn({ dropped: this.#dropped }, 'too many events at once; some were dropped');
    this.#dropped = 0;
    this.#working = undefined;
  }

  /** The next few that are not the same event: only those may be written at once. */
  #nextBatch(): Waiting[] {
    const keys = new Set<string>();
    let count = 0;
    for (const item of this.#waiting) {
      const key = sameness(item);
      if (count >= together || keys.has(key)) break;
      keys.add(key);
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #tryWrite(item: Waiting): Promise<void> {
    try {
      await this.#write(item);
    } catch (error) {
      this.#deps.logger.debug({ object: item.object.metadata.name, reason: item.event.reason }, messageOf(error));
    }
  }

  async #write(item: Waiting): Promise<void> {
    const { component, event, at } = item;
    const { api } = this.#deps;
    const message = event.message.slice(0, messageLimit);
    const key = sameness(item);
    const known = this.#known.get(key);
    if (known) {
      known.count += 1;
      try {
        const patch = { count: known.count, lastTimestamp: timestamp(at) };
        await api.mergePatch('events', known.namespace, known.name, patch, { manager: component });
        return;
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    const created = this.#eventObject(item, message);
    await api.create(created, component);
    if (this.#known.size >= knownLimit) this.#known.delete(this.#known.keys().next().value ?? '');
    this.#known.set(key, { namespace: created.metadata.namespace ?? 'default', name: created.metadata.name, count: 1 });
  }

  /** Names are in the order of time, as lists are in that of names. */
  #name(object: string, at: number): string {
    const nanos = at === this.#named.at ? this.#named.nanos + 1 : Math.floor(this.#deps.entropy.fraction() * 900_000);
    this.#named = { at, nanos };
    return `${object}.${(BigInt(at) * 1_000_000n + BigInt(nanos)).toString(16)}`.slice(-253);
  }

  #eventObject(item: Waiting, message: string): ApiObject {
    const { component, object, event, at } = item;
    const { namespace, name, uid, resourceVersion } = object.metadata;
    const time = timestamp(at);
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name: this.#name(name, at),
        namespace: namespace ?? 'default',
      },
      involvedObject: {
        kind: object.kind,
        ...(namespace === undefined ? {} : { namespace }),
        name,
        ...(uid === undefined ? {} : { uid }),
        apiVersion: object.apiVersion,
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
        ...(event.fieldPath === undefined ? {} : { fieldPath: event.fieldPath }),
      },
      reason: event.reason,
      message,
      source: { component },
      firstTimestamp: time,
      lastTimestamp: time,
      count: 1,
      type: event.type,
      reportingComponent: component,
    };
  }
}

/** What makes two of them one event that came twice. */
function sameness({ component, object, event }: Waiting): string {
  const { type, reason, message, fieldPath } = event;
  return [component, object.metadata.uid, type, reason, message.slice(0, messageLimit), fieldPath].join('\u0000');
}
