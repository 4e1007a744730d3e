import { type Context, Hono } from 'hono';
import { stream } from 'hono/streaming';
import { z } from 'zod';
import { AppError, isAppError } from '#base/errors.ts';
import { getArray, getObject, getString, isObject, type JsonObject, jsonEqual } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import { accessName } from '../access/guard.ts';
import type { ServerEnv } from '../auth.ts';
import { readBody } from '../body.ts';
import { noteChange } from '../changes.ts';
import { HiddenError } from '../problem.ts';
import { type ArgocdDeps, queryFlag } from './access.ts';
import { maskFields } from './field-mask.ts';
import { parseSelector } from './selection.ts';

type Asked = Context<ServerEnv>;
const anyObject = z.looseObject({});
const GenerateBody = z.looseObject({ applicationSet: z.looseObject({}) });
/** How often a watch compares: ApplicationSets change seldom. */
const lookMs = 1000;
const heartbeatMs = 15_000;

function projectOf(set: KubeObject): string {
  return getString(set['spec'], 'template', 'spec', 'project') || 'default';
}

/** An ApplicationSet from a request. Its project must be a plain name: access is decided by it. */
function setOf(body: unknown, namespace: string): KubeObject {
  const metadata = getObject(body, 'metadata');
  const name = getString(metadata, 'name') ?? '';
  if (!isObject(body) || name === '') throw new AppError('bad-input', 'error creating ApplicationSets: it has no name');
  const set: KubeObject = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { ...metadata, name, namespace: getString(metadata, 'namespace') || namespace },
    spec: getObject(body, 'spec'),
  };
  if (projectOf(set).includes('{{'))
    throw new AppError('bad-input', 'the API does not create ApplicationSets with templated `project` fields');
  return set;
}

/** ApplicationSets by Argo CD's API. */
export function applicationSets(deps: ArgocdDeps, closing: AbortSignal): Hono<ServerEnv> {
  const { engine, guard, instance, sight } = deps;
  const app = new Hono<ServerEnv>();
  const at = '/applicationsets/:name';

  const nameOf = (set: KubeObject) =>
    accessName(instance, { project: projectOf(set), namespace: set.metadata.namespace, name: set.metadata.name });

  /** Notes what was done to a set, and gives it back. */
  function told(c: Asked, set: KubeObject, verb: 'created' | 'updated' | 'deleted'): KubeObject {
    const reason = ({ created: 'ResourceCreated', updated: 'ResourceUpdated', deleted: 'ResourceDeleted' } as const)[
      verb
    ];
    const { metadata } = set;
    noteChange(c, {
      reason,
      action: `${verb} ApplicationSet ${metadata.name}`,
      object: { kind: 'ApplicationSet', metadata },
    });
    return set;
  }

  async function find(c: Asked, action: string): Promise<KubeObject> {
    const name = c.req.param('name') ?? '';
    const who = c.get('principal');
    const namespace = c.req.query('appsetNamespace') || instance.namespace;
    const found = await instance.get('ApplicationSet', { name, namespace }, c.req.raw.signal);
    if (!found) {
      const mayKnow = guard.allows(who, 'applicationsets', 'get', `*/${name}`);
      throw new HiddenError(`applicationsets.argoproj.io "${name}" not found`, { mayKnow });
    }
    guard.demand(who, 'applicationsets', action, nameOf(found));
    return found;
  }

  /** What list and watch select of those that the caller may see. */
  async function select(c: Asked, namespace: string | undefined): Promise<KubeObject[]> {
    const who = c.get('principal');
    const projects = c.req.queries('projects') ?? [];
    const matches = parseSelector(c.req.query('selector') ?? '');
    const all = await instance.list('ApplicationSet', { namespace: namespace || undefined }, c.req.raw.signal);
    return all
      .filter(
        (set) =>
          (projects.length === 0 || projects.includes(projectOf(set))) &&
          matches(set.metadata.labels ?? {}) &&
          sight.follows(set.metadata.namespace ?? '', 'ApplicationSet') &&
          guard.allows(who, 'applicationsets', 'get', nameOf(set)),
      )
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }

  app.get('/applicationsets', async (c) => {
    const items = await select(c, c.req.query('appsetNamespace'));
    const newest = Math.max(0, ...items.map(({ metadata }) => Number(metadata.resourceVersion ?? 0) || 0));
    const metadata = { resourceVersion: newest === 0 ? '' : String(newest) };
    return c.json(maskFields({ metadata, items: items.length > 0 ? items : null }, c.req.query('fields')));
  });

  app.post('/applicationsets/generate', async (c) => {
    const { applicationSet } = await readBody(c, GenerateBody);
    const set = setOf(applicationSet, instance.namespace);
    guard.demand(c.get('principal'), 'applicationsets', 'create', nameOf(set));
    return c.json({ applications: await sight.generate(set, c.req.raw.signal) });
  });

  app.post('/applicationsets', async (c) => {
    const set = setOf(await readBody(c, anyObject), instance.namespace);
    const who = c.get('principal');
    const { signal } = c.req.raw;
    guard.demand(who, 'applicationsets', 'create', nameOf(set));
    if (!sight.follows(set.metadata.namespace ?? '', 'ApplicationSet'))
      throw new AppError('forbidden', `namespace '${set.metadata.namespace}' is not permitted`);
    const project = projectOf(set);
    if (project !== 'default' && !instance.projects().some(({ metadata }) => metadata.name === project))
      throw new AppError('bad-input', `error validating ApplicationSets: project ${project} does not exist`);
    if (queryFlag(c, 'dryRun')) {
      const made = await sight.generate(set, signal);
      const resources = made.map(({ metadata }) => ({
        group: 'argoproj.io',
        version: 'v1alpha1',
        kind: 'Application',
        name: metadata.name,
        namespace: metadata.namespace,
      }));
      return c.json({ ...set, status: { resources } });
    }
    try {
      return c.json(told(c, await instance.create(set, signal), 'created'));
    } catch (error) {
      if (!isAppError(error, 'conflict')) throw error;
    }
    const { name, namespace } = set.metadata;
    const current = await instance.get('ApplicationSet', { name, namespace }, signal);
    if (!current) throw new AppError('conflict', `applicationsets.argoproj.io "${name}" already exists`);
    if (jsonEqual(current['spec'], set['spec'])) return c.json(current);
    if (!queryFlag(c, 'upsert'))
      throw new AppError('bad-input', 'existing ApplicationSet spec is different, use upsert flag to force update');
    guard.demand(who, 'applicationsets', 'update', nameOf(current));
    guard.demand(who, 'applicationsets', 'update', nameOf(set));
    const { labels, annotations } = set.metadata;
    const metadata = {
      ...current.metadata,
      ...(labels ? { labels: { ...current.metadata.labels, ...labels } } : {}),
      ...(annotations ? { annotations: { ...current.metadata.annotations, ...annotations } } : {}),
    };
    return c.json(told(c, await instance.replace({ ...current, metadata, spec: set['spec'] }, signal), 'updated'));
  });

  app.get(at, async (c) => c.json(await find(c, 'get')));

  app.delete(at, async (c) => {
    const found = await find(c, 'delete');
    const { name, namespace } = found.metadata;
    await instance.delete('ApplicationSet', { name, namespace }, {}, c.req.raw.signal);
    told(c, found, 'deleted');
    return c.json({});
  });

  app.get(`${at}/events`, async (c) => {
    const { name, namespace } = (await find(c, 'get')).metadata;
    const fieldSelector = `involvedObject.name=${name},involvedObject.kind=ApplicationSet`;
    const items = await instance.list('Event', { namespace, fieldSelector }, c.req.raw.signal);
    return c.json({ metadata: {}, items: items.length > 0 ? items : null });
  });

  app.get(`${at}/resource-tree`, async (c) => {
    const { uid } = (await find(c, 'get')).metadata;
    const who = c.get('principal');
    const owned = engine
      .list()
      .filter((application) =>
        getArray(application.metadata, 'ownerReferences').some((owner) => getString(owner, 'uid') === uid),
      );
    const nodes = owned
      .filter((application) => guard.may(who, 'get', application))
      .map(({ metadata, status }) => ({
        group: 'argoproj.io',
        version: 'v1alpha1',
        kind: 'Application',
        name: metadata.name,
        namespace: metadata.namespace,
        uid: metadata.uid,
        ...(status?.health ? { health: { status: status.health.status } } : {}),
      }));
    return c.json({ nodes });
  });

  app.get('/stream/applicationsets', (c) => {
    const events = (c.req.header('accept') ?? '').includes('text/event-stream');
    c.header('content-type', events ? 'text/event-stream' : 'application/json');
    c.header('cache-control', 'no-store');
    const name = c.req.query('name');
    return stream(c, async (out) => {
      const stop = new AbortController();
      out.onAbort(() => stop.abort());
      const send = async (type: string, applicationSet: KubeObject) => {
        const json = JSON.stringify({ result: { type, applicationSet: { ...applicationSet } satisfies JsonObject } });
        await out.write(events ? `data: ${json}\n\n` : `${json}\n`);
      };
      let known = new Map<string, KubeObject>();
      for (let quietMs = 0; !stop.signal.aborted && !closing.aborted; quietMs += lookMs) {
        const found = (await select(c, c.req.query('appSetNamespace'))).filter(
          ({ metadata }) => !name || metadata.name === name,
        );
        const now = new Map(found.map((set) => [`${set.metadata.namespace}/${set.metadata.name}`, set]));
        for (const [key, set] of now) {
          const before = known.get(key);
          if (before?.metadata.resourceVersion === set.metadata.resourceVersion) continue;
          await send(before ? 'MODIFIED' : 'ADDED', set);
          quietMs = 0;
        }
        for (const [key, set] of known) if (!now.has(key)) await send('DELETED', set);
        known = now;
        if (quietMs >= heartbeatMs) {
          await out.write(events ? ':\n\n' : '\n');
          quietMs = 0;
        }
        await out.sleep(lookMs);
      }
    });
  });

  return app;
}
