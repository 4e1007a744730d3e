import { getString } from '#base/json.ts';
import type { ApiObject } from '../api/port.ts';
import { parseTime } from './condition.ts';
import { keyOf, splitKey } from './key.ts';
import { type Controller, type ControllerDeps, deleteIfPresent } from './loop.ts';

/** Deletes each Event `keepMs` after it was last seen. */
export function eventExpiryController(deps: ControllerDeps, keepMs: number): Controller {
  return {
    name: 'event-expiry',
    watches: [{ resource: 'events', names: (event) => [keyOf(event)] }],
    async tick(key) {
      const { namespace, name } = splitKey(key);
      const event = deps.api.get('events', namespace, name);
      if (!event) return { kind: 'done' };
      const leftMs = (lastSeen(event) ?? deps.clock.now()) + keepMs - deps.clock.now();
      if (leftMs > 0) return { kind: 'done', recheckAfterMs: leftMs };
      await deleteIfPresent(deps.api, 'events', event);
      return { kind: 'done' };
    },
  };
}

function lastSeen(event: ApiObject): number | undefined {
  return (
    parseTime(getString(event, 'series', 'lastObservedTime')) ??
    parseTime(getString(event, 'lastTimestamp')) ??
    parseTime(getString(event, 'eventTime')) ??
    parseTime(event.metadata.creationTimestamp)
  );
}
