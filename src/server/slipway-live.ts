import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { ServerEnv } from './auth.ts';
import type { Snapshot } from './contract.ts';
import type { LiveFeed } from './live-feed.ts';

const heartbeatMs = 10_000;

/** The page's stream: a snapshot (unless it resumes from Last-Event-ID), then every change; a comment as heartbeat. */
export function slipwayLive(feed: LiveFeed, version: string, closing: AbortSignal): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  app.get('/stream', (c) => {
    const { mailbox, resumed } = feed.open(c.req.header('last-event-id'));
    return streamSSE(c, async (out) => {
      const close = () => feed.close(mailbox);
      out.onAbort(close);
      closing.addEventListener('abort', close);
      try {
        if (!resumed) {
          const canWrite = c.get('principal').kind !== 'anonymous';
          const snapshot: Snapshot = { cursor: feed.cursor, version, canWrite, applications: feed.views() };
          await out.writeSSE({ id: snapshot.cursor, event: 'snapshot', data: JSON.stringify(snapshot) });
        }
        while (!closing.aborted) {
          const message = await mailbox.next(heartbeatMs);
          if (message) await out.writeSSE(message);
          else if (mailbox.closed) return;
          else await out.write(': still here\n\n');
        }
      } finally {
        feed.close(mailbox);
        closing.removeEventListener('abort', close);
      }
    });
  });
  return app;
}
