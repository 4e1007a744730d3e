import type { MiddlewareHandler } from 'hono';
import type { InstanceStore } from '#apps/port.ts';
import { UnsupportedTypeError } from '../problem.ts';

/**
 * Everything that may change something must say that it is JSON (or what `server.api.content.types` lists), which no
 * form of a foreign page can.
 */
export function requireJson(instance: InstanceStore): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') {
      const listed = instance.config('argocd-cmd-params-cm')['server.api.content.types'] ?? 'application/json';
      const permitted = listed.split(';').map((type) => type.trim().toLowerCase());
      const type = (c.req.header('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
      if (listed.trim() !== '' && !permitted.includes(type)) throw new UnsupportedTypeError(type);
    }
    await next();
  };
}
