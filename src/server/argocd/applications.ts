import { Hono } from 'hono';
import { z } from 'zod';
import { AppError } from '#base/errors.ts';
import { isObject, type JsonObject, parseJson } from '#base/json.ts';
import { applyJsonPatch, JsonPatchFailure } from '#base/json-patch.ts';
import { mergePatch } from '#base/merge-patch.ts';
import type { Application } from '#model/argocd/application.ts';
import type { ServerEnv } from '../auth.ts';
import { readBody } from '../body.ts';
import { noteChange } from '../changes.ts';
import { type ArgocdDeps, askedApplication, findApplication, queryFlag } from './access.ts';
import {
  about,
  applicationOf,
  createApplication,
  finalizersForDeletion,
  updateApplication,
} from './application-writes.ts';
import { maskFields } from './field-mask.ts';
import { applicationFilter } from './selection.ts';

const anyObject = z.looseObject({});

const PatchBody = z.looseObject({
  patch: z.string(),
  patchType: z.string().default('json'),
  appNamespace: z.string().optional(),
  project: z.string().optional(),
});

/** Argo CD's REST API for applications themselves: list, read, create, change, delete. */
export function applications(deps: ArgocdDeps): Hono<ServerEnv> {
  const { engine, guard, instance } = deps;
  const app = new Hono<ServerEnv>();
  const at = '/applications/:name';

  app.get('/applications', async (c) => {
    const level = refreshLevel(c.req.query('refresh'));
    const who = c.get('principal');
    const filter = applicationFilter({
      projects: c.req.queries('projects') ?? c.req.queries('project') ?? [],
      selector: c.req.query('selector'),
      repo: c.req.query('repo'),
      name: c.req.query('name'),
      namespace: c.req.query('appNamespace'),
    });
    const all = engine.list();
    let items = all.filter((application) => filter(application) && guard.may(who, 'get', application));
    if (level !== undefined) items = await Promise.all(items.map((item) => refreshed(item, level, c.req.raw.signal)));
    const list = { metadata: { resourceVersion: newestVersion(all) }, items: items.length > 0 ? items : null };
    return c.json(maskFields(list, c.req.query('fields')));
  });

  async function refreshed(application: Application, level: 'normal' | 'hard', signal: AbortSignal) {
    const { name, namespace } = application.metadata;
    return await engine.refresh(namespace === instance.namespace ? name : `${namespace}/${name}`, level, signal);
  }

  app.post('/applications', async (c) => {
    const application = applicationOf(await readBody(c, anyObject), instance);
    const upsert = queryFlag(c, 'upsert') ?? false;
    return c.json(
      await createApplication(deps, c, application, { upsert, validate: queryFlag(c, 'validate') ?? true }),
    );
  });

  app.get(at, async (c) => {
    const level = refreshLevel(c.req.query('refresh'));
    const { application, id } = findApplication(deps, c, askedApplication(c, c.req.param('name')), 'get');
    const projects = c.req.queries('projects') ?? [];
    if (projects.length > 0 && !projects.includes(application.spec.project || 'default'))
      throw new AppError('not-found', `applications.argoproj.io "${c.req.param('name')}" not found`);
    const answer = level === undefined ? application : await engine.refresh(id, level, c.req.raw.signal);
    return c.json(maskFields({ ...answer }, c.req.query('fields')));
  });

  app.put(at, async (c) => {
    const body = await readBody(c, anyObject);
    const metadata = isObject(body['metadata']) ? body['metadata'] : {};
    const wanted = applicationOf({ ...body, metadata: { ...metadata, name: c.req.param('name') } }, instance);
    const { namespace } = wanted.metadata;
    findApplication(deps, c, { ...askedApplication(c, wanted.metadata.name), namespace }, 'update');
    return c.json(await updateApplication(deps, c, wanted, { validate: queryFlag(c, 'validate') ?? true }));
  });

  app.put(`${at}/spec`, async (c) => {
    const { application } = findApplication(deps, c, askedApplication(c, c.req.param('name')), 'update');
    const spec = await readBody(c, anyObject);
    const wanted = applicationOf({ ...application, spec }, instance);
    const updated = await updateApplication(deps, c, wanted, { validate: queryFlag(c, 'validate') ?? true });
    return c.json({ ...updated.spec });
  });

  app.patch(at, async (c) => {
    const { patch, patchType, appNamespace: namespace, project } = await readBody(c, PatchBody);
    const { application } = findApplication(deps, c, { name: c.req.param('name'), namespace, project }, 'get');
    guard.demand(c.get('principal'), 'applications', 'update', guard.nameOf(application));
    const patched = patchOf({ ...application }, patch, patchType);
    return c.json(await updateApplication(deps, c, applicationOf(patched, instance), { validate: true }));
  });

  app.delete(at, async (c) => {
    const { application } = findApplication(deps, c, askedApplication(c, c.req.param('name')), 'get');
    guard.demand(c.get('principal'), 'applications', 'delete', guard.nameOf(application));
    const options = { cascade: queryFlag(c, 'cascade'), policy: c.req.query('propagationPolicy') };
    const present = application.metadata.finalizers ?? [];
    const finalizers = finalizersForDeletion(present, options);
    const { name, namespace } = application.metadata;
    const { signal } = c.req.raw;
    // Kubernetes forbids new finalizers on an object that is being deleted.
    if (finalizers.join() !== present.join() && application.metadata.deletionTimestamp === undefined)
      await instance.patch('Application', { name, namespace }, { metadata: { finalizers } }, signal);
    await instance.delete('Application', { name, namespace }, {}, signal);
    noteChange(c, { ...about(deps, application), reason: 'ResourceDeleted', action: `deleted application ${name}` });
    return c.json({});
  });

  return app;
}

function patchOf(application: JsonObject, text: string, type: string): unknown {
  const patch = parseJson(text, 'the patch');
  if (type === 'merge') return mergePatch(application, patch);
  if (type !== 'json' && type !== '') throw new AppError('bad-input', `Patch type '${type}' is not supported`);
  if (!Array.isArray(patch)) throw new AppError('bad-input', 'error decoding json patch: it is no list of operations');
  try {
    return applyJsonPatch(application, patch);
  } catch (error) {
    if (!(error instanceof JsonPatchFailure)) throw error;
    throw new AppError('bad-input', `error applying patch: ${error.message}`, { cause: error });
  }
}

function refreshLevel(text: string | undefined): 'normal' | 'hard' | undefined {
  if (text === undefined || text === '' || text === 'false') return undefined;
  if (text === 'normal' || text === 'true') return 'normal';
  if (text === 'hard') return 'hard';
  throw new AppError('bad-input', `?refresh=${text} is neither normal nor hard`);
}

/** The greatest resourceVersion there is: a watch may begin from it. */
function newestVersion(all: readonly Application[]): string {
  let newest = 0;
  for (const { metadata } of all) newest = Math.max(newest, Number(metadata.resourceVersion ?? 0) || 0);
  return newest === 0 ? '' : String(newest);
}
