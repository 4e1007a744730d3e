import { z } from 'zod';
import { AppError } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import type {
  Application,
  ApplicationSource,
  Operation,
  RetryStrategy,
  SyncOperation,
} from '#model/argocd/application.ts';

const strings = z.array(z.string());
const force = z.looseObject({ force: z.boolean().optional() }).nullish();

/** Members that say nothing count as absent, as in Go. */
function compact<T>(value: unknown): T {
  const strip = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(strip);
    if (!isObject(part)) return part;
    const told = Object.entries(part).filter(([, member]) => member !== null && member !== undefined);
    return Object.fromEntries(told.map(([key, member]) => [key, strip(member)]));
  };
  return strip(value) as T;
}

export const SyncBody = z.looseObject({
  appNamespace: z.string().optional(),
  project: z.string().optional(),
  revision: z.string().nullish(),
  revisions: strings.nullish(),
  sourcePositions: z.array(z.coerce.number().int()).nullish(),
  prune: z.boolean().nullish(),
  dryRun: z.boolean().nullish(),
  strategy: z
    .looseObject({ apply: force, hook: force })
    .transform((block) => compact<NonNullable<SyncOperation['syncStrategy']>>(block))
    .nullish(),
  resources: z
    .array(
      z
        .looseObject({
          group: z.string().default(''),
          kind: z.string(),
          name: z.string(),
          namespace: z.string().optional(),
        })
        .nullable(),
    )
    .transform((list) => compact<NonNullable<SyncOperation['resources']>>(list.filter((item) => item !== null)))
    .nullish(),
  manifests: strings.nullish(),
  infos: z.array(z.looseObject({ name: z.string().default(''), value: z.string().default('') })).nullish(),
  retryStrategy: z
    .looseObject({
      limit: z.coerce.number().int().optional(),
      backoff: z
        .looseObject({
          duration: z.string().optional(),
          factor: z.coerce.number().optional(),
          maxDuration: z.string().optional(),
        })
        .nullish(),
      refresh: z.boolean().optional(),
    })
    .transform((block) => compact<RetryStrategy>(block))
    .nullish(),
  syncOptions: z.looseObject({ items: strings.nullish() }).nullish(),
});

export type SyncRequestBody = z.infer<typeof SyncBody>;

function hasSeveralSources({ spec }: Application): boolean {
  return spec.sources !== undefined && spec.sources.length > 0;
}

export function isAutomatic({ spec }: Application): boolean {
  const automated = spec.syncPolicy?.automated;
  return automated !== undefined && automated !== null && automated.enabled !== false;
}

function precondition(message: string): AppError {
  return new AppError('conflict', message);
}

/** A revision that the request names, for the source it is meant for. */
export interface AskedRevision {
  index: number;
  source: ApplicationSource;
  revision: string;
}

function isOther(revision: string, source: ApplicationSource): boolean {
  return revision !== '' && revision !== (source.targetRevision || 'HEAD');
}

/** The revisions that a request asks for by name. Throws `bad-input` for a position that does not exist. */
export function askedRevisions(application: Application, body: SyncRequestBody): AskedRevision[] {
  const { spec } = application;
  if (!hasSeveralSources(application)) {
    const revision = body.revision ?? '';
    return revision === '' || !spec.source ? [] : [{ index: 0, source: spec.source, revision }];
  }
  return (body.sourcePositions ?? []).flatMap((position, at) => {
    const source = spec.sources?.[position - 1];
    if (!source) throw new AppError('bad-input', 'source position is out of range');
    const revision = body.revisions?.[at] ?? '';
    return revision === '' ? [] : [{ index: position - 1, source, revision }];
  });
}

/** Whether the request leaves the revisions that the specification names, which needs more rights in some instances. */
export function asksForOther(application: Application, body: SyncRequestBody): boolean {
  return askedRevisions(application, body).some(({ source, revision }) => isOther(revision, source));
}

/** Throws what the state of an application forbids. */
export function assertSyncable(application: Application, body: SyncRequestBody): void {
  if (application.metadata.deletionTimestamp !== undefined) throw precondition('application is deleting');
  if (!isAutomatic(application) || body.dryRun) return;
  if (body.manifests)
    throw precondition('cannot use local sync when Automatic Sync Policy is enabled unless for dry run');
  for (const { source, revision } of askedRevisions(application, body))
    if (isOther(revision, source)) {
      const what = hasSeveralSources(application) ? `source ${source.repoURL} to ${revision}` : `to ${revision}`;
      throw precondition(`Cannot sync ${what}: auto-sync currently set to ${source.targetRevision ?? ''}`);
    }
}

/** The operation that a request asks for; `resolved` has the commits of the revisions that it names. */
export function syncOperationOf(
  application: Application,
  body: SyncRequestBody,
  asked: { username: string; resolved: ReadonlyMap<number, string> },
): Operation {
  const { spec } = application;
  const several = hasSeveralSources(application);
  const syncOptions = body.syncOptions ? (body.syncOptions.items ?? []) : spec.syncPolicy?.syncOptions;
  const retry = body.retryStrategy ?? spec.syncPolicy?.retry;
  const resources = body.resources ?? [];
  const first = asked.resolved.get(0);
  const { sources = [] } = spec;
  return {
    sync: {
      ...(several ? { sources } : spec.source ? { source: spec.source } : {}),
      ...(!several && first !== undefined ? { revision: first } : {}),
      ...(several && asked.resolved.size > 0
        ? { revisions: sources.map((source, at) => asked.resolved.get(at) ?? source.targetRevision ?? 'HEAD') }
        : {}),
      ...(body.prune ? { prune: true } : {}),
      ...(body.dryRun ? { dryRun: true } : {}),
      ...(syncOptions && syncOptions.length > 0 ? { syncOptions } : {}),
      ...(body.strategy ? { syncStrategy: body.strategy } : {}),
      ...(resources.length > 0 ? { resources } : {}),
      ...(body.manifests ? { manifests: body.manifests } : {}),
    },
    initiatedBy: { username: asked.username },
    ...(body.infos && body.infos.length > 0 ? { info: body.infos } : {}),
    ...(retry ? { retry } : {}),
  };
}

/** The operation that brings back what history entry `id` had: its sources and revisions, without hooks. */
export function rollbackOperationOf(
  application: Application,
  request: { id: number; prune: boolean; dryRun: boolean; username: string },
): Operation {
  const { metadata, spec, status } = application;
  if (metadata.deletionTimestamp !== undefined) throw precondition('application is deleting');
  if (isAutomatic(application)) throw precondition('rollback cannot be initiated when auto-sync is enabled');
  const entry = status?.history?.find(({ id }) => id === request.id);
  if (!entry)
    throw new AppError('bad-input', `application ${metadata.name} does not have deployment with id ${request.id}`, {
      hint: `it has: ${(status?.history ?? []).map(({ id }) => id).join(', ') || 'none'}`,
    });
  if (!entry.source?.repoURL && !(entry.sources && entry.sources.length > 0))
    throw precondition(`the deployment with id ${request.id} does not say which source it had`);
  const { syncOptions } = spec.syncPolicy ?? {};
  return {
    sync: {
      ...(entry.revision ? { revision: entry.revision } : {}),
      ...(entry.revisions ? { revisions: entry.revisions } : {}),
      ...(entry.source ? { source: entry.source } : {}),
      ...(entry.sources ? { sources: entry.sources } : {}),
      ...(request.prune ? { prune: true } : {}),
      ...(request.dryRun ? { dryRun: true } : {}),
      ...(syncOptions ? { syncOptions } : {}),
      syncStrategy: { apply: {} },
    },
    initiatedBy: { username: request.username },
  };
}
