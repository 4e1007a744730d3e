import { type Context, Hono } from 'hono';
import { stream } from 'hono/streaming';
import type { ApplicationEvent } from '#apps/port.ts';
import { AppError } from '#base/errors.ts';
import type { ServerEnv } from '../auth.ts';
import { Mailbox } from '../mailbox.ts';
import { type ArgocdDeps, askedApplication, findApplication, qualifiedName } from './access.ts';
import { maskFields } from './field-mask.ts';
import { applicationFilter } from './selection.ts';
import { resourceTreeShape } from './shapes.ts';

const mailboxLimit = 1000;
const readersMax = 500;
const heartbeatMs = 15_000;
/** Changes of a tree that come together make one answer. */
const settleMs = 50;
/** Pods change without their Application: how long a tree may be old. */
const treeMs = 1000;

/** One line of JSON each, or one server-sent event where these are asked for. */
function lineWriter(c: Context<ServerEnv>): { line: (result: unknown) => string; heartbeat: string } {
  const events = (c.req.header('accept') ?? '').includes('text/event-stream');
  c.header('content-type', events ? 'text/event-stream' : 'application/json');
  c.header('cache-control', 'no-store');
  return {
    line: (result) => {
      const json = JSON.stringify({ result });
      return events ? `data: ${json}\n\n` : `${json}\n`;
    },
    heartbeat: events ? ':\n\n' : '\n',
  };
}

/**
 * Argo CD's watches: applications (each as ADDED, then what changes) and resource trees. They end when the reader is too
 * slow; clients then connect again.
 */
export function streams(deps: ArgocdDeps, closing: AbortSignal): Hono<ServerEnv> {
  const { engine, guard, instance, resources } = deps;
  const app = new Hono<ServerEnv>();
  let readers = 0;

  /** Runs `body` with a mailbox that is fed by `wanted` events, for as long as the reader and the server are there. */
  function watch(
    c: Context<ServerEnv>,
    wanted: (event: ApplicationEvent) => boolean,
    body: (mailbox: Mailbox<ApplicationEvent>, write: (text: string) => Promise<unknown>) => Promise<void>,
  ): Response {
    if (readers >= readersMax) throw new AppError('limit', `${readersMax} watches are open already`);
    return stream(c, async (out) => {
      const mailbox = new Mailbox<ApplicationEvent>(mailboxLimit);
      const unsubscribe = engine.subscribe((event) => wanted(event) && mailbox.push(event));
      const close = () => mailbox.close();
      out.onAbort(close);
      closing.addEventListener('abort', close);
      readers += 1;
      try {
        await body(mailbox, (text) => out.write(text));
      } finally {
        readers -= 1;
        unsubscribe();
        closing.removeEventListener('abort', close);
      }
    });
  }

  const keyOf = ({ application: { metadata } }: ApplicationEvent) => `${metadata.namespace ?? ''}/${metadata.name}`;

  app.get('/stream/applications', (c) => {
    const who = c.get('principal');
    const name = c.req.query('name');
    const filter = applicationFilter({
      projects: c.req.queries('projects') ?? c.req.queries('project') ?? [],
      selector: c.req.query('selector'),
      repo: c.req.query('repo'),
      name,
      namespace: c.req.query('appNamespace') || (name ? instance.namespace : undefined),
    });
    const fields = c.req.query('fields');
    const least = Number(c.req.query('resourceVersion') ?? 0) || 0;
    const { line, heartbeat } = lineWriter(c);
    const wanted = ({ application }: ApplicationEvent) => filter(application) && guard.may(who, 'get', application);
    return watch(c, wanted, async (mailbox, write) => {
      const known = new Set<string>();
      const send = (type: string, event: ApplicationEvent) =>
        write(line(maskFields({ type, application: { ...event.application } }, fields)));
      for (const application of engine.list()) {
        const event = { type: 'upsert', application } as const;
        if (!wanted(event)) continue;
        known.add(keyOf(event));
        if (Number(application.metadata.resourceVersion ?? 0) >= least) await send('ADDED', event);
      }
      while (!closing.aborted) {
        const event = await mailbox.next(heartbeatMs);
        if (event === undefined) {
          if (mailbox.closed) return;
          await write(heartbeat);
          continue;
        }
        const type = event.type === 'delete' ? 'DELETED' : known.has(keyOf(event)) ? 'MODIFIED' : 'ADDED';
        if (type === 'DELETED') known.delete(keyOf(event));
        else known.add(keyOf(event));
        await send(type, event);
      }
    });
  });

  app.get('/stream/applications/:name/resource-tree', (c) => {
    const asked = askedApplication(c, c.req.param('name'));
    const { id } = findApplication(deps, c, asked, 'get');
    const { line, heartbeat } = lineWriter(c);
    const { signal } = c.req.raw;
    const concerns = ({ application: { metadata } }: ApplicationEvent) =>
      qualifiedName(instance, metadata.name, metadata.namespace) === id;
    return watch(c, concerns, async (mailbox, write) => {
      let last = '';
      for (let quietMs = 0; ; quietMs += treeMs) {
        const [nodes, orphans] = await Promise.all([engine.tree(id, signal), resources.orphans(id, signal)]);
        const text = line(resourceTreeShape(nodes, orphans, engine.get(id).status?.resources ?? []));
        if (text !== last || quietMs >= heartbeatMs) {
          await write(text === last ? heartbeat : text);
          quietMs = 0;
        }
        last = text;
        const event = await mailbox.next(treeMs);
        if (mailbox.closed || closing.aborted || event?.type === 'delete') return;
        while (event !== undefined && (await mailbox.next(settleMs)) !== undefined);
      }
    });
  });

  return app;
}
