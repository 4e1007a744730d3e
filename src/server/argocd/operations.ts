import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { AppError } from '#base/errors.ts';
import type { Application } from '#model/argocd/application.ts';
import type { ServerEnv } from '../auth.ts';
import { readBody } from '../body.ts';
import { noteChange } from '../changes.ts';
import { type ArgocdDeps, type AskedApplication, askedApplication, findApplication } from './access.ts';
import { about } from './application-writes.ts';
import {
  askedRevisions,
  asksForOther,
  assertSyncable,
  rollbackOperationOf,
  SyncBody,
  type SyncRequestBody,
  syncOperationOf,
} from './sync-request.ts';

const RollbackBody = z.looseObject({
  id: z.coerce.number().int().default(0),
  prune: z.boolean().nullish(),
  dryRun: z.boolean().nullish(),
  appNamespace: z.string().optional(),
  project: z.string().optional(),
});

const isOn = (data: Readonly<Record<string, string>>, key: string) => /^(?:1|t|true)$/i.test(data[key] ?? '');

/** Sync, rollback and terminate, and the windows in which they may run. */
export function operations(deps: ArgocdDeps): Hono<ServerEnv> {
  const { engine, guard, instance, sight } = deps;
  const app = new Hono<ServerEnv>();
  const at = '/applications/:name';
  const named = (name: string, body: { appNamespace?: string | undefined; project?: string | undefined }) =>
    ({ name, namespace: body.appNamespace, project: body.project }) satisfies AskedApplication;

  /** Revisions that are asked for by name must exist. */
  async function resolve(application: Application, body: SyncRequestBody, signal: AbortSignal) {
    const resolved = new Map<number, string>();
    for (const { index, source, revision } of body.manifests ? [] : askedRevisions(application, body)) {
      const found = await sight.resolve(application, { source, revision }, signal);
      resolved.set(index, found);
    }
    return resolved;
  }

  function demandSync(c: Context<ServerEnv>, application: Application, body: SyncRequestBody): void {
    const who = c.get('principal');
    const { canSync, problem } = sight.windows(application);
    if (!canSync) throw new AppError('forbidden', `cannot sync: ${problem ?? 'blocked by sync window'}`);
    const name = guard.nameOf(application);
    guard.demand(who, 'applications', 'sync', name);
    const strict = isOn(instance.config('argocd-cm'), 'application.sync.requireOverridePrivilegeForRevisionSync');
    if (body.manifests || (strict && asksForOther(application, body)))
      guard.demand(who, 'applications', 'override', name);
  }

  app.post(`${at}/sync`, async (c) => {
    const body = await readBody(c, SyncBody);
    const { application, id } = findApplication(deps, c, named(c.req.param('name'), body), 'get');
    demandSync(c, application, body);
    assertSyncable(application, body);
    const { signal } = c.req.raw;
    const resolved = await resolve(application, body, signal);
    const username = c.get('principal').name;
    const accepted = await engine.operate(id, (fresh) => syncOperationOf(fresh, body, { username, resolved }), signal);
    const to = [...resolved.values()].map((revision) => ` to ${revision}`).join(',');
    const partial = (body.resources ?? []).length > 0 ? 'partial ' : '';
    const action = `initiated ${partial}sync of ${id}${body.manifests ? ' locally' : to}`;
    noteChange(c, { ...about(deps, accepted), reason: 'OperationStarted', action });
    return c.json(accepted);
  });

  app.post(`${at}/rollback`, async (c) => {
    const { id: entry, prune, dryRun, ...body } = await readBody(c, RollbackBody);
    const strict = isOn(instance.config('argocd-cm'), 'server.rbac.rollback.enforce.enable');
    const { id } = findApplication(deps, c, named(c.req.param('name'), body), strict ? 'rollback' : 'sync');
    const request = { id: entry, prune: prune ?? false, dryRun: dryRun ?? false, username: c.get('principal').name };
    const accepted = await engine.operate(id, (fresh) => rollbackOperationOf(fresh, request), c.req.raw.signal);
    const action = `initiated rollback of ${id} to ${entry}`;
    noteChange(c, { ...about(deps, accepted), reason: 'OperationStarted', action });
    return c.json(accepted);
  });

  app.delete(`${at}/operation`, async (c) => {
    const { application, id } = findApplication(deps, c, askedApplication(c, c.req.param('name')), 'sync');
    await engine.terminate(id, c.req.raw.signal);
    const action = `terminated running operation of ${id}`;
    noteChange(c, { ...about(deps, application), reason: 'ResourceUpdated', action });
    return c.json({});
  });

  app.get(`${at}/syncwindows`, (c) => {
    const { application } = findApplication(deps, c, askedApplication(c, c.req.param('name')), 'get');
    const { active, assigned, canSync } = sight.windows(application);
    return c.json({
      ...(active.length > 0 ? { activeWindows: active } : {}),
      ...(assigned.length > 0 ? { assignedWindows: assigned } : {}),
      canSync,
    });
  });

  return app;
}
