import type { AuditEvent, AuditKind } from '#trace/event.ts';
import type { IconName } from '../../parts/icon-paths.ts';

export interface Look {
  icon: IconName;
  tone: 'good' | 'wait' | 'bad' | 'busy' | 'drift' | 'quiet';
  title: string;
}

const looks: Record<AuditKind, Look> = {
  'sync-started': { icon: 'sync', tone: 'busy', title: 'Sync started' },
  'sync-succeeded': { icon: 'check', tone: 'good', title: 'Synced' },
  'sync-failed': { icon: 'cross', tone: 'bad', title: 'Sync failed' },
  'drift-detected': { icon: 'drift', tone: 'drift', title: 'Drift' },
  'drift-healed': { icon: 'heal', tone: 'good', title: 'Drift healed' },
  'manifest-commit': { icon: 'commit', tone: 'quiet', title: 'Manifest commit' },
  rollback: { icon: 'undo', tone: 'wait', title: 'Rollback' },
  'revision-observed': { icon: 'eye', tone: 'quiet', title: 'New revision' },
  'health-changed': { icon: 'pulse', tone: 'quiet', title: 'Health' },
  'application-created': { icon: 'plus', tone: 'quiet', title: 'Application created' },
  'application-deleted': { icon: 'dash', tone: 'quiet', title: 'Application deleted' },
  'webhook-received': { icon: 'bell', tone: 'quiet', title: 'Push' },
  request: { icon: 'eye', tone: 'quiet', title: 'Request' },
  approval: { icon: 'seal', tone: 'good', title: 'Approval' },
};

export function lookOf(event: AuditEvent): Look {
  const look = looks[event.kind];
  if (event.kind !== 'health-changed') return look;
  const to = healthAfter(event);
  if (to === 'Healthy') return { ...look, tone: 'good' };
  return { ...look, tone: to === 'Degraded' ? 'bad' : to === 'Progressing' ? 'busy' : 'quiet' };
}

function healthAfter({ detail, message }: AuditEvent): string {
  const to = detail?.['to'];
  return typeof to === 'string' ? to : (/(?:->|to) (\w+)/.exec(message)?.[1] ?? '');
}

export type Filter = 'overview' | 'git' | 'trouble' | 'all';

const gitKinds: AuditKind[] = ['manifest-commit', 'revision-observed', 'webhook-received', 'rollback', 'approval'];
const troubleKinds: AuditKind[] = ['sync-failed', 'drift-detected', 'drift-healed'];

/** Newest first in, newest first out. */
export function filterEvents(events: readonly AuditEvent[], filter: Filter): AuditEvent[] {
  switch (filter) {
    case 'all':
      return [...events];
    case 'git':
      return events.filter(({ kind }) => gitKinds.includes(kind));
    case 'trouble':
      return events.filter((event) => troubleKinds.includes(event.kind) || lookOf(event).tone === 'bad');
    case 'overview':
      return foldEvents(events);
  }
}

/**
 * What a person wants to hear of: a step on the way is left out once its end is known, and health only speaks of
 * failing and of recovering.
 */
function foldEvents(events: readonly AuditEvent[]): AuditEvent[] {
  const at = ({ application, commit }: AuditEvent) => `${application} ${commit}`;
  const synced = new Set(events.filter(({ kind }) => kind.startsWith('sync-')).map(at));
  const ended = new Set<string | undefined>();
  return events.filter((event) => {
    const { kind, application, detail } = event;
    switch (kind) {
      case 'sync-succeeded':
      case 'sync-failed':
        ended.add(application);
        return true;
      case 'sync-started':
        return !ended.has(application);
      case 'revision-observed':
        return !synced.has(at(event));
      case 'health-changed':
        return lookOf(event).tone === 'bad' || detail?.['from'] === 'Degraded';
      default:
        return true;
    }
  });
}

/** Events by day, newest day first; `label` is Today, Yesterday or the date. */
export function groupByDay(events: AuditEvent[], now: number): { label: string; events: AuditEvent[] }[] {
  const groups: { label: string; events: AuditEvent[] }[] = [];
  for (const event of events) {
    const label = dayLabel(event.at, now);
    const last = groups.at(-1);
    if (last?.label === label) last.events.push(event);
    else groups.push({ label, events: [event] });
  }
  return groups;
}

function dayLabel(at: number, now: number): string {
  const day = (ms: number) => new Date(ms).toDateString();
  if (day(at) === day(now)) return 'Today';
  if (day(at) === day(now - 24 * 3600 * 1000)) return 'Yesterday';
  return new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric' });
}
