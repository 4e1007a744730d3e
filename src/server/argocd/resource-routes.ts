import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { ResourceName } from '#apps/port.ts';
import { AppError, isAppError } from '#base/errors.ts';
import { parseJson } from '#base/json.ts';
import type { Application } from '#model/argocd/application.ts';
import type { ServerEnv } from '../auth.ts';
import { readBody } from '../body.ts';
import { noteChange } from '../changes.ts';
import { type ArgocdDeps, type AskedApplication, askedApplication, findApplication, queryFlag } from './access.ts';
import { about } from './application-writes.ts';
import { managedResourceShape, manifestText, resourceTreeShape } from './shapes.ts';

type Asked = Context<ServerEnv>;

const RunBody = z.looseObject({
  appNamespace: z.string().optional(),
  project: z.string().optional(),
  namespace: z.string().optional(),
  resourceName: z.string().default(''),
  version: z.string().optional(),
  group: z.string().default(''),
  kind: z.string().default(''),
  action: z.string().default(''),
  resourceActionParameters: z.array(z.looseObject({ name: z.string(), value: z.string().default('') })).nullish(),
});

const patchTypes: Record<string, 'json' | 'merge' | 'strategic'> = {
  json: 'json',
  merge: 'merge',
  strategic: 'strategic',
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
};

function resourceAsked(c: Asked): ResourceName {
  const { req } = c;
  return {
    group: req.query('group') ?? '',
    version: req.query('version') || undefined,
    kind: req.query('kind') ?? '',
    namespace: req.query('namespace') || undefined,
    name: req.query('resourceName') ?? '',
  };
}

function described({ group, kind, name }: ResourceName): string {
  return `${group === '' ? '' : `${group}/`}${kind}/${name}`;
}

function isWanted(c: Asked, of: { group: string; kind: string; namespace: string | undefined; name: string }): boolean {
  const wants = (key: string, value: string) => (c.req.query(key) || value) === value;
  return (
    wants('name', of.name) &&
    wants('namespace', of.namespace ?? '') &&
    wants('group', of.group) &&
    wants('kind', of.kind)
  );
}

/** The whole body as one JSON text, or the bare text that some clients send. */
async function textBody(c: Asked): Promise<string> {
  const raw = await c.req.text();
  if (!raw.trimStart().startsWith('"')) return raw;
  const value = parseJson(raw, 'the body');
  return typeof value === 'string' ? value : raw;
}

/** The objects of an application: tree, states, and what a person does with one of them. */
export function resourceRoutes(deps: ArgocdDeps): Hono<ServerEnv> {
  const { engine, resources, instance } = deps;
  const app = new Hono<ServerEnv>();
  const at = '/applications/:name';
  const find = (c: Asked, action: string) =>
    findApplication(deps, c, askedApplication(c, c.req.param('name') ?? ''), action);

  /**
   * Changing an object needs `update/<group>/<kind>/<namespace>/<name>`; where the instance says so, `update` of the
   * application does as well. Deleting likewise.
   */
  function findToChange(
    c: Asked,
    action: 'update' | 'delete',
    of: ResourceName,
  ): { application: Application; id: string } {
    const fine = `${action}/${of.group}/${of.kind}/${of.namespace ?? ''}/${of.name}`;
    const inherits = /^false$/i.test(
      instance.config('argocd-cm')['server.rbac.disableApplicationFineGrainedRBACInheritance'] ?? '',
    );
    if (!inherits) return find(c, fine);
    try {
      return find(c, action);
    } catch (error) {
      if (!isAppError(error, 'forbidden')) throw error;
      return find(c, fine);
    }
  }

  app.get(`${at}/managed-resources`, async (c) => {
    const { id } = find(c, 'get');
    const all = await engine.managedResources(id, c.req.raw.signal, { states: true });
    const shown = all.filter((resource) => !resource.hook && isWanted(c, resource));
    return c.json({ items: shown.map(managedResourceShape) });
  });

  app.get(`${at}/resource-tree`, async (c) => {
    const { id, application } = find(c, 'get');
    const { signal } = c.req.raw;
    const [nodes, orphans] = await Promise.all([engine.tree(id, signal), resources.orphans(id, signal)]);
    return c.json(resourceTreeShape(nodes, orphans, application.status?.resources ?? []));
  });

  app.get(`${at}/resource`, async (c) => {
    const { id } = find(c, 'get');
    const object = await resources.get(id, resourceAsked(c), c.req.raw.signal);
    return c.json({ manifest: manifestText(object) });
  });

  app.post(`${at}/resource`, async (c) => {
    const of = resourceAsked(c);
    const { application, id } = findToChange(c, 'update', of);
    const type = patchTypes[c.req.query('patchType') || 'merge'];
    if (type === undefined)
      throw new AppError('bad-input', `Patch type '${c.req.query('patchType')}' is not supported`);
    const body = parseJson(await textBody(c), 'the patch');
    const object = await resources.patch(id, of, { type, body }, c.req.raw.signal);
    const action = `patched resource ${described(of)}`;
    noteChange(c, { ...about(deps, application), reason: 'ResourceUpdated', action });
    return c.json({ manifest: manifestText(object) });
  });

  app.delete(`${at}/resource`, async (c) => {
    const of = resourceAsked(c);
    const { application, id } = findToChange(c, 'delete', of);
    const orphan = queryFlag(c, 'orphan') ?? false;
    const force = queryFlag(c, 'force') ?? false;
    const propagationPolicy = orphan ? 'Orphan' : force ? 'Background' : 'Foreground';
    const options = { propagationPolicy, ...(force && !orphan ? { gracePeriodSeconds: 0 } : {}) } as const;
    await resources.delete(id, of, options, c.req.raw.signal);
    const action = `deleted resource ${described(of)}`;
    noteChange(c, { ...about(deps, application), reason: 'ResourceDeleted', action });
    return c.json({});
  });

  app.get(`${at}/resource/actions`, async (c) => {
    const { id } = find(c, 'get');
    const actions = await resources.actions(id, resourceAsked(c), c.req.raw.signal);
    return c.json({ actions });
  });

  async function run(
    c: Asked,
    asked: AskedApplication,
    of: ResourceName,
    action: { name: string; parameters: Record<string, string> },
  ) {
    if (action.name === '') throw new AppError('bad-input', 'the request names no action');
    const right = `action/${of.group}/${of.kind}/${action.name}`;
    const { application, id } = findApplication(deps, c, asked, right);
    await resources.runAction(id, of, action, c.req.raw.signal);
    const what = `ran action ${action.name} on resource ${described(of)}`;
    noteChange(c, { ...about(deps, application), reason: 'ResourceActionRan', action: what });
    return c.json({});
  }

  app.post(`${at}/resource/actions`, async (c) => {
    const name = (await textBody(c)).trim();
    return await run(c, askedApplication(c, c.req.param('name')), resourceAsked(c), { name, parameters: {} });
  });

  app.post(`${at}/resource/actions/v2`, async (c) => {
    const body = await readBody(c, RunBody);
    const { group, version, kind, namespace, resourceName } = body;
    const parameters = Object.fromEntries(
      (body.resourceActionParameters ?? []).map(({ name, value }) => [name, value]),
    );
    const asked = { name: c.req.param('name'), namespace: body.appNamespace, project: body.project };
    const of = { group, version: version || undefined, kind, namespace: namespace || undefined, name: resourceName };
    return await run(c, asked, of, { name: body.action, parameters });
  });

  app.get(`${at}/events`, async (c) => {
    const { id } = find(c, 'get');
    const { req } = c;
    const name = req.query('resourceName');
    const of = name
      ? { name, namespace: req.query('resourceNamespace') || undefined, uid: req.query('resourceUID') ?? '' }
      : {};
    const items = await resources.events(id, of, req.raw.signal);
    return c.json({ metadata: {}, items: items.length > 0 ? items : null });
  });

  app.get(`${at}/server-side-diff`, async (c) => {
    const { id } = find(c, 'get');
    if ((c.req.queries('targetManifests') ?? []).length > 0)
      throw new AppError('unsupported', 'a comparison with manifests of the request is not served', {
        hint: 'without targetManifests the answer compares with Git',
      });
    const all = (await engine.managedResources(id, c.req.raw.signal, { states: true })).filter(({ hook }) => !hook);
    const items = all.map(managedResourceShape);
    return c.json({ items, modified: all.some(({ sync }) => sync === 'OutOfSync') });
  });

  return app;
}
