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

const queueLimit = 1000;
const knownLimit = 4096;
const messageLimit = 1024;

/**
 * Writes core/v1 Events in order. The same event again raises `count` and `lastTimestamp` of the first. When more than
 * 1000 wait, further ones are dropped and counted in the log. Disposing writes what waits.
 */
export class ApiEventRecorder implements EventRecorder {
  readonly #deps: { api: ApiServer; clock: Clock; entropy: Entropy; logger: Logger };
  readonly #known = new Map<string, Known>();
  readonly #waiting: { component: string; object: ApiObject; event: EventInput; at: number }[] = [];
  #working: Promise<void> | undefined;
  #dropped = 0;

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
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      try {
        await this.#write(next);
      } catch (error) {
        this.#deps.logger.debug({ object: next.object.metadata.name, reason: next.event.reason }, messageOf(error));
      }
    }
    if (this.#dropped > 0)
      this.#deps.logger.warn({ dropped: this.#dropped }, 'too many events at once; some were dropped');
    this.#dropped = 0;
    this.#working = undefined;
  }

  async #write(item: { component: string; object: ApiObject; event: EventInput; at: number }): Promise<void> {
    const { component, object, event, at } = item;
    const { api } = this.#deps;
    const message = event.message.slice(0, messageLimit);
    const key = [component, object.metadata.uid, event.type, event.reason, message, event.fieldPath].join('\u0000');
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

  #eventObject(
    item: { component: string; object: ApiObject; event: EventInput; at: number },
    message: string,
  ): ApiObject {
    const { component, object, event, at } = item;
    const { namespace, name, uid, resourceVersion } = object.metadata;
    const time = timestamp(at);
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name: `${name}.${this.#deps.entropy.bytes(8).toString('hex')}`.slice(-253),
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
