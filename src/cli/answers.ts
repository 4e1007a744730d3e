import type { ManagedResource, RollbackResult } from '#apps/port.ts';
import type { Reason } from '#apps/why/reason.ts';
import { AppError } from '#base/errors.ts';
import { getArray, getNumber, getString, isObject } from '#base/json.ts';
import type { Application } from '#model/argocd/application.ts';
import type { AuditEvent } from '#trace/event.ts';
import type { TraceReport } from '#trace/report.ts';

/** The server's answers, looked at as far as a command line of another version would stumble over them. */
export function parseApplication(value: unknown): Application {
  if (!isObject(value) || !isObject(value['spec']) || getString(value, 'metadata', 'name') === undefined)
    throw strange('an Application');
  return value as unknown as Application;
}

export function parseResources(value: unknown): ManagedResource[] {
  return getArray(value, 'items').map((item) => {
    if (getString(item, 'kind') === undefined || getString(item, 'name') === undefined) throw strange('a resource');
    return item as ManagedResource;
  });
}

export function parseReasons(value: unknown): Reason[] {
  return getArray(value, 'items').map((item) => {
    if (getString(item, 'problem') === undefined || getString(item, 'next') === undefined) throw strange('a reason');
    return item as Reason;
  });
}

export function parseRollback(value: unknown): RollbackResult {
  const [commit, reverted, message] = ['commit', 'reverted', 'message'].map((field) => getString(value, field));
  if (commit === undefined || reverted === undefined || message === undefined) throw strange('a rollback');
  return { commit, reverted, message };
}

export function parseEvents(value: unknown): AuditEvent[] {
  return getArray(value, 'items').map((item) => {
    if (getNumber(item, 'id') === undefined || getNumber(item, 'at') === undefined) throw strange('an event');
    if (getString(item, 'actor', 'name') === undefined) throw strange('an event');
    return item as AuditEvent;
  });
}

export function parseTrace(value: unknown): TraceReport {
  const linked = getArray(value, 'steps').every((step) => getString(step, 'link') !== undefined);
  if (getString(value, 'subject') === undefined || !linked) throw strange('a trace');
  return value as TraceReport;
}

function strange(what: string): AppError {
  return new AppError('unavailable', `the server answered with something that is not ${what}`, {
    hint: 'are the command line and the server of the same version?',
  });
}
