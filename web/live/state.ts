import type { ApplicationView, Snapshot } from '#server/contract.ts';
import type { AuditEvent } from '#trace/event.ts';

export type Connection = 'connecting' | 'live' | 'lost' | 'unauthorized';

/** All that the page knows; replaced as a whole, never changed in place. */
export interface LiveState {
  connection: Connection;
  /** When it was last known to be live, for the note that it is not any more. */
  liveAt: number | undefined;
  version: string | undefined;
  canWrite: boolean;
  /** Undefined until the first snapshot. */
  applications: ReadonlyMap<string, ApplicationView> | undefined;
  /** Newest first. */
  events: readonly AuditEvent[];
}

export type LiveMessage =
  | { kind: 'connection'; connection: Connection; at: number }
  | { kind: 'snapshot'; snapshot: Snapshot }
  | { kind: 'application'; application: ApplicationView }
  | { kind: 'gone'; name: string }
  | { kind: 'events'; events: AuditEvent[] };

const eventsKept = 500;

export const firstState: LiveState = {
  connection: 'connecting',
  liveAt: undefined,
  version: undefined,
  canWrite: false,
  applications: undefined,
  events: [],
};

export function applyMessage(state: LiveState, message: LiveMessage): LiveState {
  switch (message.kind) {
    case 'connection': {
      const { connection, at } = message;
      const wasLive = state.connection === 'live' || connection === 'live';
      return { ...state, connection, liveAt: wasLive ? at : state.liveAt };
    }
    case 'snapshot': {
      const { applications, version, canWrite } = message.snapshot;
      return { ...state, version, canWrite, applications: byName(applications) };
    }
    case 'application':
      return { ...state, applications: byName([...(state.applications?.values() ?? []), message.application]) };
    case 'gone':
      return {
        ...state,
        applications: byName([...(state.applications?.values() ?? [])].filter(({ name }) => name !== message.name)),
      };
    case 'events':
      return { ...state, events: mergeEvents(state.events, message.events) };
  }
}

/** The later of two of the same name wins. */
function byName(applications: Iterable<ApplicationView>): Map<string, ApplicationView> {
  const found = new Map<string, ApplicationView>();
  for (const application of applications) found.set(application.name, application);
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function mergeEvents(known: readonly AuditEvent[], more: AuditEvent[]): AuditEvent[] {
  const byId = new Map([...known, ...more].map((event) => [event.id, event]));
  return [...byId.values()].sort((a, b) => b.id - a.id).slice(0, eventsKept);
}
