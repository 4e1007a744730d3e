import type { ManagedResource, ResourceNode } from '#apps/port.ts';
import type { ErrorBody } from '#server/contract.ts';
import type { AuditEvent } from '#trace/event.ts';
import type { TraceReport } from '#trace/report.ts';

/** What the server said, to be shown as it stands. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly code: string;
  readonly hint: string | undefined;

  constructor({ code, message, hint }: ErrorBody) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

const own = '/api/slipway/v1';
const named = (name: string) => encodeURIComponent(name);

export async function fetchEvents(): Promise<AuditEvent[]> {
  return (await ask<{ items: AuditEvent[] }>(`${own}/events?limit=200`)).items;
}

export async function fetchResources(name: string): Promise<ManagedResource[]> {
  return (await ask<{ items: ManagedResource[] }>(`${own}/applications/${named(name)}/resources`)).items;
}

export async function fetchTree(name: string): Promise<ResourceNode[]> {
  return (await ask<{ items: ResourceNode[] }>(`${own}/applications/${named(name)}/tree`)).items;
}

export async function fetchTrace(query: string, namespace: string | undefined): Promise<TraceReport> {
  const search = new URLSearchParams({ query, ...(namespace ? { namespace } : {}) });
  return ask<TraceReport>(`${own}/trace?${search}`);
}

export async function requestSync(name: string): Promise<void> {
  await ask<unknown>(`/api/v1/applications/${named(name)}/sync`, {});
}

/** The status alone; 0 when the server does not answer. */
export async function statusOf(path: string): Promise<number> {
  try {
    return (await fetch(path, { cache: 'no-store' })).status;
  } catch {
    return 0;
  }
}

async function ask<T>(path: string, body?: unknown): Promise<T> {
  const answer = await fetch(path, {
    cache: 'no-store',
    ...(body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  }).catch(() => {
    throw new ApiError({ code: 'unavailable', message: 'The server does not answer.', hint: 'Is it still running?' });
  });
  if (answer.ok) return answer.json();
  const problem: Partial<ErrorBody> = await answer.json().catch(() => ({}));
  const { code = 'internal', message = `The server answered with ${answer.status}.`, hint } = problem;
  throw new ApiError({ code, message, hint });
}
