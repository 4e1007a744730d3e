import { Hono } from 'hono';
import { stream } from 'hono/streaming';
import type { ApplicationEngine, ApplicationEvent } from '#apps/port.ts';
import { AppError } from '#base/errors.ts';
import type { ServerEnv } from './auth.ts';
import { Mailbox } from './mailbox.ts';

const mailboxLimit = 1000;
const readersMax = 500;
const heartbeatMs = 15_000;

/**
 * Argo CD's watch: every application as ADDED, then what changes, as `{"result":{"type","application"}}`: one per line,
 * or as server-sent events when these are asked for. Ends when the reader is too slow; clients then connect again.
 */
export function argocdStream(engine: ApplicationEngine, closing: AbortSignal): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  let readers = 0;
  app.get('/stream/applications', (c) => {
    if (readers >= readersMax) throw new AppError('limit', `${readersMax} watches are open already`);
    const name = c.req.query('name');
    const events = (c.req.header('accept') ?? '').includes('text/event-stream');
    c.header('content-type', events ? 'text/event-stream' : 'application/json');
    c.header('cache-control', 'no-store');
    const line = (type: string, application: unknown) => {
      const json = JSON.stringify({ result: { type, application } });
      return events ? `data: ${json}\n\n` : `${json}\n`;
    };
    return stream(c, async (out) => {
      const mailbox = new Mailbox<ApplicationEvent>(mailboxLimit);
      const wanted = (event: ApplicationEvent) => !name || event.application.metadata.name === name;
      const unsubscribe = engine.subscribe((event) => wanted(event) && mailbox.push(event));
      const close = () => mailbox.close();
      out.onAbort(close);
      closing.addEventListener('abort', close);
      readers += 1;
      try {
        const known = new Set<string>();
        for (const application of engine.list()) {
          if (!wanted({ type: 'upsert', application })) continue;
          known.add(application.metadata.name);
          await out.write(line('ADDED', application));
        }
        while (!closing.aborted) {
          const event = await mailbox.next(heartbeatMs);
          if (event === undefined) {
            if (mailbox.closed) return;
            await out.write(events ? ':\n\n' : '\n');
            continue;
          }
          const key = event.application.metadata.name;
          const type = event.type === 'delete' ? 'DELETED' : known.has(key) ? 'MODIFIED' : 'ADDED';
          if (type === 'DELETED') known.delete(key);
          else known.add(key);
          await out.write(line(type, event.application));
        }
      } finally {
        readers -= 1;
        unsubscribe();
        closing.removeEventListener('abort', close);
      }
    });
  });
  return app;
}
