import type { Hono } from 'hono';
import type { JsonObject } from '#base/json.ts';
import type { ServerEnv } from '../auth.ts';

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** The routes that are really there, as OpenAPI 2: what is not listed is not served. */
export function openApi(app: Hono<ServerEnv>, version: string): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const { method, path } of app.routes) {
    if (!methods.includes(method) || !path.startsWith('/api/')) continue;
    const names = [...path.matchAll(/:([A-Za-z]+)(?:\{[^}]*\})?/g)].map((match) => match[1] ?? '');
    const shown = path.replaceAll(/:([A-Za-z]+)(?:\{[^}]*\})?/g, '{$1}');
    const parameters = names.map((name) => ({ name, in: 'path', required: true, type: 'string' }));
    const body =
      method === 'GET' || method === 'DELETE' ? [] : [{ name: 'body', in: 'body', schema: { type: 'object' } }];
    paths[shown] = {
      ...paths[shown],
      [method.toLowerCase()]: {
        operationId: `${method.toLowerCase()}${shown.replaceAll(/[^A-Za-z0-9]+/g, '_')}`,
        parameters: [...parameters, ...body],
        responses: { 200: { description: 'A successful response.' }, default: { description: 'What went wrong.' } },
      },
    };
  }
  const sorted = Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    swagger: '2.0',
    info: { title: 'Slipway, with the API of Argo CD', version },
    consumes: ['application/json'],
    produces: ['application/json'],
    securityDefinitions: { bearer: { type: 'apiKey', name: 'Authorization', in: 'header' } },
    security: [{ bearer: [] }],
    paths: sorted,
  };
}
