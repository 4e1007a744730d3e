import { Hono } from 'hono';
import type { InstanceStore } from '#apps/port.ts';
import { AppError } from '#base/errors.ts';
import type { Guard } from '../access/guard.ts';
import type { ServerEnv } from '../auth.ts';

const notifications = [
  { path: 'services', form: /^service\.(.+)$/ },
  { path: 'templates', form: /^template\.(.+)$/ },
  { path: 'triggers', form: /^trigger\.(.+)$/ },
];

/** What the instance declares for notifications and signatures, by name; and what is not served, said so. */
export function instanceLists({ instance, guard }: { instance: InstanceStore; guard: Guard }): Hono<ServerEnv> {
  const app = new Hono<ServerEnv>();
  for (const { path, form } of notifications)
    app.get(`/notifications/${path}`, (c) => {
      const names = Object.keys(instance.config('argocd-notifications-cm')).flatMap((key) => form.exec(key)?.[1] ?? []);
      return c.json({ items: names.sort().map((name) => ({ name })) });
    });

  const keys = () => Object.entries(instance.config('argocd-gpg-keys-cm')).filter(([id]) => /^[0-9A-F]{16}$/.test(id));
  app.get('/gpgkeys', (c) => {
    const wanted = c.req.query('keyID');
    const found = keys().filter(([id]) => !wanted || id === wanted);
    const items = found.filter(([id]) => guard.allows(c.get('principal'), 'gpgkeys', 'get', id));
    return c.json({ metadata: {}, items: items.length > 0 ? items.map(([keyID]) => ({ keyID })) : null });
  });
  app.get('/gpgkeys/:id', (c) => {
    const id = c.req.param('id');
    guard.demand(c.get('principal'), 'gpgkeys', 'get', id);
    const found = keys().find(([key]) => key === id || id.endsWith(key));
    if (!found) throw new AppError('not-found', `no such key: ${id}`);
    return c.json({ keyID: found[0], keyData: found[1] });
  });
  app.on(['POST', 'DELETE'], '/gpgkeys', (c) => {
    guard.demand(
      c.get('principal'),
      'gpgkeys',
      c.req.method === 'POST' ? 'create' : 'delete',
      c.req.query('keyID') ?? '',
    );
    throw new AppError('unsupported', 'keys of signatures are not changed by this API', {
      hint: 'they stand in the ConfigMap argocd-gpg-keys-cm',
    });
  });

  app.get('/settings/plugins', (c) => c.json({ plugins: [] }));
  return app;
}
