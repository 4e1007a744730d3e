import type { Clock, Entropy } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Outcome } from '#base/outcome.ts';
import { WorkQueue } from '#base/work-queue.ts';
import { ApiError, type ApiObject, type ApiServer, type GroupResource } from '../api/port.ts';
import type { EventRecorder } from './event-recorder.ts';

export interface ControllerDeps {
  api: ApiServer;
  clock: Clock;
  entropy: Entropy;
  logger: Logger;
  events: EventRecorder;
}

export interface Watch {
  resource: GroupResource | '*';
  /** Queue names to look at when this object came, changed or went. */
  names(object: ApiObject): Iterable<string>;
}

/** One loop: a name is looked at when an object of a watched kind changes, and all names once at the start. */
export interface Controller {
  name: string;
  watches: Watch[];
  tick(name: string, signal: AbortSignal): Promise<Outcome>;
  /** Called on every change beside `watches`, for controllers that keep an index. */
  concurrency?: number;
}

const conflictRetryMs = 5;
const goneRetryMs = 200;

/**
 * Runs a controller until disposed. A write conflict is an expected outcome: the tick runs again at once on what is
 * stored now. So is an object that went away in the middle: what is left is looked at again a little later.
 */
export function startLoop(
  deps: { api: ApiServer; clock: Clock; logger: Logger },
  controller: Controller,
): AsyncDisposable {
  const { api, clock, logger } = deps;
  const queue = new WorkQueue({
    name: controller.name,
    clock,
    logger,
    concurrency: controller.concurrency ?? 4,
    tick: async (name, signal) => {
      try {
        return withinTimers(await controller.tick(name, signal));
      } catch (error) {
        if (isConflict(error))
          return { kind: 'waiting', reason: 'Conflict', message: '', retryAfterMs: conflictRetryMs };
        if (isNotFound(error)) {
          logger.debug({ controller: controller.name, name }, messageOf(error));
          return { kind: 'waiting', reason: 'NotFound', message: '', retryAfterMs: goneRetryMs };
        }
        throw error;
      }
    },
  });
  const stops = controller.watches.map((watch) =>
    api.onChange(watch.resource, (change) => {
      for (const name of watch.names(change.object)) queue.add(name);
      if (change.old) for (const name of watch.names(change.old)) queue.add(name);
    }),
  );
  for (const watch of controller.watches) {
    if (watch.resource === '*') continue;
    for (const object of api.list(watch.resource)) for (const name of watch.names(object)) queue.add(name);
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const stop of stops) stop();
      await queue[Symbol.asyncDispose]();
    },
  };
}

/** A timer longer than this fires at once: looking again too early costs nothing. */
const longestTimerMs = 2 ** 31 - 1;

export function withinTimers(outcome: Outcome): Outcome {
  if (outcome.kind !== 'done' || outcome.recheckAfterMs === undefined) return outcome;
  return { kind: 'done', recheckAfterMs: Math.min(outcome.recheckAfterMs, longestTimerMs) };
}

/** The stored object is newer than the one that was written. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.code === 409 && error.reason === 'Conflict';
}

export function isAlreadyExists(error: unknown): boolean {
  return error instanceof ApiError && error.code === 409 && error.reason === 'AlreadyExists';
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.code === 404;
}

/** Deletes, and is content when it was already gone or is another object of that name. */
export async function deleteIfPresent(
  api: ApiServer,
  resource: GroupResource,
  object: ApiObject,
  options: Parameters<ApiServer['delete']>[3] = {},
): Promise<void> {
  const { namespace, name, uid } = object.metadata;
  try {
    await api.delete(resource, namespace, name, {
      ...options,
      ...(uid === undefined ? {} : { preconditions: { uid } }),
    });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}
