import { Hono } from 'hono';
import type { ApplicationEngine, InstanceStore } from '#apps/port.ts';
import type { Application } from '#model/argocd/application.ts';
import { projectNameOf } from '../access/guard.ts';
import type { ServerEnv } from '../auth.ts';

const colours: Record<string, string> = {
  Healthy: '#1a7f4b',
  Synced: '#1a7f4b',
  Progressing: '#0b72b9',
  Suspended: '#6b7280',
  Degraded: '#c0392b',
  Missing: '#b7791f',
  OutOfSync: '#b7791f',
  Unknown: '#6b7280',
};
const glyphPx = 7;
const paddingPx = 10;

export interface Badge {
  health: string;
  sync: string;
  revision: string | undefined;
  name: string | undefined;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** A small picture of how an application stands: health, then sync, as text on two colours. */
export function badgeSvg({ health, sync, revision, name }: Badge): string {
  const parts = [
    ...(name === undefined ? [] : [{ text: name, colour: '#24292f' }]),
    { text: health, colour: colours[health] ?? '#6b7280' },
    { text: revision === undefined ? sync : `${sync} (${revision})`, colour: colours[sync] ?? '#6b7280' },
  ];
  let x = 0;
  const shapes = parts.map(({ text, colour }) => {
    const width = text.length * glyphPx + 2 * paddingPx;
    const shape =
      `<rect x="${x}" width="${width}" height="20" fill="${colour}"/>` +
      `<text x="${x + width / 2}" y="14" fill="#fff" text-anchor="middle">${escapeXml(text)}</text>`;
    x += width;
    return shape;
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${x}" height="20" role="img" aria-label="${escapeXml(parts.map(({ text }) => text).join(', '))}" ` +
    `font-family="Verdana,Geneva,sans-serif" font-size="11">${shapes.join('')}</svg>`
  );
}

function worst(
  all: readonly Application[],
  of: (application: Application) => string,
  order: readonly string[],
): string {
  const found = new Set(all.map(of));
  return order.find((status) => found.has(status)) ?? 'Unknown';
}

/** `GET /api/badge`, for pages of other sites; only where `statusbadge.enabled` says so does it tell anything. */
export function badge({ engine, instance }: { engine: ApplicationEngine; instance: InstanceStore }): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  app.get('/badge', (c) => {
    const enabled = /^true$/i.test(instance.config('argocd-cm')['statusbadge.enabled'] ?? '');
    const name = c.req.query('name');
    const namespace = c.req.query('namespace') || instance.namespace;
    const projects = c.req.queries('project') ?? [];
    const chosen = enabled
      ? engine
          .list()
          .filter((application) =>
            name
              ? application.metadata.name === name &&
                (application.metadata.namespace ?? instance.namespace) === namespace
              : projects.includes(projectNameOf(application)),
          )
      : [];
    const health = worst(chosen, ({ status }) => status?.health?.status ?? 'Unknown', [
      'Degraded',
      'Missing',
      'Unknown',
      'Progressing',
      'Suspended',
      'Healthy',
    ]);
    const sync = worst(chosen, ({ status }) => status?.sync?.status ?? 'Unknown', ['OutOfSync', 'Unknown', 'Synced']);
    const wantsRevision = c.req.query('revision') === 'true' && chosen.length === 1;
    const revision = wantsRevision ? chosen[0]?.status?.operationState?.syncResult?.revision?.slice(0, 7) : undefined;
    const shown = c.req.query('showAppName') === 'true' && chosen.length === 1 ? name : undefined;
    c.header('content-type', 'image/svg+xml');
    c.header('cache-control', 'private, no-store');
    return c.body(badgeSvg({ health, sync, revision, name: shown }));
  });
  return app;
}
