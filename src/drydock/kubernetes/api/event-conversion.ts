/** Two served forms of one stored kind, whose members have other names. */
export interface Conversion {
  /** Served name to stored name, of the members that differ. */
  members: Record<string, string>;
  stored: { apiVersion: string; kind: string };
}

/** events.k8s.io/v1 Events are kept as core Events, so that both groups show the same ones. */
export const eventConversion: Conversion = {
  stored: { apiVersion: 'v1', kind: 'Event' },
  members: {
    regarding: 'involvedObject',
    note: 'message',
    reportingController: 'reportingComponent',
    deprecatedSource: 'source',
    deprecatedFirstTimestamp: 'firstTimestamp',
    deprecatedLastTimestamp: 'lastTimestamp',
    deprecatedCount: 'count',
  },
};
