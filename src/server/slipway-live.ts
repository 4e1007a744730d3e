import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { Guard } from './access/guard.ts';
import type { ServerEnv } from './auth.ts';
import type { Snapshot } from './contract.ts';
import type { LiveFeed, LiveMessage } from './live-feed.ts';

const heartbeatMs = 10_000;

export interface SlipwayLiveDeps {
  feed: LiveFeed;
  guard: Guard;
  version: string;
  /** Aborts when the server stops. */
  closing: AbortSignal;
}

/** The page's stream: a snapshot (unless it resumes from Last-Event-ID), then every change; a comment as heartbeat. */
export function slipwayLive({ feed, guard, version, closing }: SlipwayLiveDeps): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  app.get('/stream', (c) => {
    const who = c.get('principal');
    const mayHear = ({ access }: LiveMessage) => guard.allows(who, 'applications', 'get', access ?? '*/*');
    const { mailbox, resumed } = feed.open(c.req.header('last-event-id'));
    return streamSSE(c, async (out) => {
      const close = () => feed.close(mailbox);
      out.onAbort(close);
      closing.addEventListener('abort', close);
      try {
        if (!resumed) {
          const canWrite = who.kind !== 'anonymous';
          const applications = feed.views((application) => guard.may(who, 'get', application));
          const snapshot: Snapshot = { cursor: feed.cursor, version, canWrite, applications };
          await out.writeSSE({ id: snapshot.cursor, event: 'snapshot', data: JSON.stringify(snapshot) });
        }
        while (!closing.aborted) {
          const message = await mailbox.next(heartbeatMs);
          if (message && mayHear(message))
            await out.writeSSE({ id: message.id, event: message.event, data: message.data });
          else if (message) continue;
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
