import { messageOf } from '#base/errors.ts';
import { globMatch } from '#base/glob.ts';
import type { SyncWindow } from '#model/argocd/app-project.ts';
import type { Application, OperationState } from '#model/argocd/application.ts';
import { parseGoDuration } from '#model/argocd/duration.ts';
import { type CronSchedule, nextCron, parseCron } from './cron-schedule.ts';

/** The windows that concern an application, and what they allow now. */
export interface WindowVerdict {
  assigned: SyncWindow[];
  active: SyncWindow[];
  /** By hand, with nothing running. */
  canSync: boolean;
  /** Why windows cannot be read: nothing may be synced then. */
  problem: string | undefined;
  /** When a window opens or closes next; undefined when none concerns the application. */
  changesAt: number | undefined;
}

export interface SyncMoment {
  manual: boolean;
  /** When the operation began that is running; undefined before one does. */
  startedAt?: number | undefined;
  now: number;
}

interface TimedWindow {
  window: SyncWindow;
  schedule: CronSchedule;
  durationMs: number;
}

function anyMatches(globs: readonly string[], text: string | undefined): boolean {
  return text !== undefined && text !== '' && globs.some((glob) => glob === '*' || globMatch(glob, text));
}

/** Whether a window speaks of an application: by any of its lists, or with `andOperator` by all that are set. */
function concerns(window: SyncWindow, application: Application): boolean {
  const { name, server, namespace = '' } = application.spec.destination;
  const byApplication = anyMatches(window.applications, application.metadata.name);
  const byCluster = anyMatches(window.clusters, name) || anyMatches(window.clusters, server);
  const byNamespace = window.namespaces.some((glob) => glob === '*' || globMatch(glob, namespace));
  if (!window.andOperator) return byApplication || byCluster || byNamespace;
  const set = [
    ...(window.applications.length > 0 ? [byApplication] : []),
    ...(window.clusters.length > 0 ? [byCluster] : []),
    ...(window.namespaces.length > 0 ? [byNamespace] : []),
  ];
  return set.length > 0 && set.every((matched) => matched);
}

export function windowsFor(windows: readonly SyncWindow[], application: Application): SyncWindow[] {
  return windows.filter((window) => concerns(window, application));
}

const zones = new Map<string, Intl.DateTimeFormat | undefined>();

function zoneFormat(timeZone: string): Intl.DateTimeFormat | undefined {
  if (!zones.has(timeZone)) {
    let format: Intl.DateTimeFormat | undefined;
    try {
      format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
    } catch {
      // A zone that is not known counts as UTC.
    }
    zones.set(timeZone, format);
  }
  return zones.get(timeZone);
}

/** What a zone's clocks are ahead of UTC by at a moment. */
function zoneOffsetMs(timeZone: string, now: number): number {
  if (timeZone === '' || timeZone === 'UTC') return 0;
  const name = zoneFormat(timeZone)
    ?.formatToParts(now)
    .find(({ type }) => type === 'timeZoneName')?.value;
  const match = /^GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(name ?? '');
  if (!match) return 0;
  const [, sign, hours, minutes, seconds = '0'] = match;
  const ms = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  return sign === '-' ? -ms : ms;
}

function timed(window: SyncWindow): TimedWindow {
  let schedule: CronSchedule;
  try {
    schedule = parseCron(window.schedule);
  } catch (error) {
    throw new Error(`cannot parse schedule '${window.schedule}': ${messageOf(error)}`);
  }
  // A bare number has no unit here.
  if (/^\d+$/.test(window.duration) && Number(window.duration) !== 0)
    throw new Error(`cannot parse duration '${window.duration}': missing unit`);
  try {
    return { window, schedule, durationMs: parseGoDuration(window.duration) };
  } catch (error) {
    throw new Error(`cannot parse duration '${window.duration}': ${messageOf(error)}`);
  }
}

/**
 * Whether a window is open at a moment: it began after `at - duration` and before `at`. The zone's offset is that of today
 * (`now`) for every moment, so that on the day on which clocks change all moments are shifted alike.
 */
function isOpen({ window, schedule, durationMs }: TimedWindow, at: number, now: number): boolean {
  const offsetMs = zoneOffsetMs(window.timeZone, now);
  const next = nextCron(schedule, at + offsetMs - durationMs);
  // A schedule that never comes counts as one long past.
  return next === undefined || next < at + offsetMs;
}

function every(windows: readonly TimedWindow[], which: 'manualSync' | 'syncOverrun'): boolean {
  return windows.length > 0 && windows.every(({ window }) => window[which]);
}

interface Hours {
  at: number;
  now: number;
}

/** Deny over allow; with allows of which none is open, nothing. */
function allowedAt(windows: readonly TimedWindow[], moment: SyncMoment, { at, now }: Hours): boolean {
  const open = windows.filter((window) => isOpen(window, at, now));
  const denies = open.filter(({ window }) => window.kind === 'deny');
  const began = (overrun: readonly TimedWindow[]) =>
    moment.startedAt !== undefined &&
    every(overrun, 'syncOverrun') &&
    allowedAt(windows, { ...moment, startedAt: undefined }, { at: moment.startedAt, now });
  if (denies.length > 0) return (moment.manual && every(denies, 'manualSync')) || began(denies);
  if (open.some(({ window }) => window.kind === 'allow')) return true;
  const closed = windows.filter((window) => window.window.kind === 'allow' && !open.includes(window));
  if (closed.length === 0) return true;
  return (moment.manual && every(closed, 'manualSync')) || began(closed);
}

/** Whether an application may be synced now. A window that cannot be read blocks, with the reason. */
export function canSync(
  windows: readonly SyncWindow[],
  moment: SyncMoment,
): { allowed: boolean; problem: string | undefined } {
  try {
    const all = windows.map(timed);
    return { allowed: allowedAt(all, moment, { at: moment.now, now: moment.now }), problem: undefined };
  } catch (error) {
    return { allowed: false, problem: `invalid sync windows: ${messageOf(error)}` };
  }
}

/** When a window that is open closes, or one that is closed opens. */
function changeOf({ window, schedule, durationMs }: TimedWindow, now: number): number | undefined {
  const offsetMs = zoneOffsetMs(window.timeZone, now);
  const local = now + offsetMs;
  const opened = nextCron(schedule, local - durationMs);
  if (opened === undefined) return undefined;
  // At its very begin and end it is still closed.
  return opened < local ? opened + durationMs - offsetMs : opened - offsetMs + 1;
}

/** The windows of an application as faces show them. */
export function windowsOf(windows: readonly SyncWindow[], application: Application, now: number): WindowVerdict {
  const assigned = windowsFor(windows, application);
  const { allowed, problem } = canSync(assigned, { manual: true, now });
  if (problem !== undefined) return { assigned, active: [], canSync: false, problem, changesAt: undefined };
  const all = assigned.map(timed);
  const active = all.filter((window) => isOpen(window, now, now)).map(({ window }) => window);
  return { assigned, active, canSync: allowed, problem, changesAt: nextChange(assigned, now) };
}

/** Why windows hold a sync back now: an automatic one that is not begun, or an operation. */
export function holdOf(
  windows: readonly SyncWindow[],
  state: OperationState | undefined,
  now: number,
): { message: string | undefined; changesInMs: number | undefined } {
  const manual = state !== undefined && !state.operation.initiatedBy?.automated;
  const { allowed, problem } = canSync(windows, { manual, startedAt: state && Date.parse(state.startedAt), now });
  const changesAt = nextChange(windows, now);
  const blocked = 'Sync operation blocked by sync window';
  return {
    message: allowed ? undefined : problem === undefined ? blocked : `${blocked}: ${problem}`,
    changesInMs: changesAt === undefined ? undefined : Math.max(1, changesAt - now),
  };
}

/** When the first of some windows opens or closes; those that cannot be read never do. */
export function nextChange(windows: readonly SyncWindow[], now: number): number | undefined {
  const changes = windows.flatMap((window) => {
    try {
      return changeOf(timed(window), now) ?? [];
    } catch {
      return [];
    }
  });
  return changes.length > 0 ? Math.min(...changes) : undefined;
}

/** Those of a project that are open now; ones that cannot be read are not. */
export function openWindows(windows: readonly SyncWindow[], now: number): SyncWindow[] {
  return windows.filter((window) => {
    try {
      return isOpen(timed(window), now, now);
    } catch {
      return false;
    }
  });
}
