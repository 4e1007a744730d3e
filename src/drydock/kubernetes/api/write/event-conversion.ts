import { asStored, type Conversion, memberRenaming } from './conversion.ts';

const renamed = memberRenaming({
  regarding: 'involvedObject',
  note: 'message',
  reportingController: 'reportingComponent',
  deprecatedSource: 'source',
  deprecatedFirstTimestamp: 'firstTimestamp',
  deprecatedLastTimestamp: 'lastTimestamp',
  deprecatedCount: 'count',
});

/** events.k8s.io/v1 Events are kept as core Events, so that both groups show the same ones. */
export const eventConversion: Conversion = {
  storage: 'events',
  toServed: renamed.toServed,
  toStored: (object) => asStored(renamed.toStored(object), 'v1'),
  storedPath: renamed.storedPath,
};
