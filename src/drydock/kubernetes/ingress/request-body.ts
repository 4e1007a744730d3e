import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';

export class BodyTooLarge extends Error {
  override name = 'BodyTooLarge';
}

/** Passes a body on as fast as the backend takes it. Throws BodyTooLarge beyond `limit` bytes (0: any number). */
export async function sendBody(
  incoming: IncomingMessage,
  outgoing: ClientRequest,
  { limit, signal }: { limit: number; signal: AbortSignal },
): Promise<void> {
  let bytes = 0;
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    if (signal.aborted) return;
    bytes += chunk.length;
    if (limit > 0 && bytes > limit) throw new BodyTooLarge('the body is too large');
    if (!outgoing.write(chunk)) await once(outgoing, 'drain', { signal });
  }
  outgoing.end();
}
