import type { Exchange } from '../protocol/exchange.ts';

const checks = ['ping', 'log', 'store', 'poststarthook/builtin-objects'];
const paths = new Set(['/healthz', '/livez', '/readyz']);

/** What anybody may ask, whatever the roles say. */
export function isOpenToAll(pathname: string): boolean {
  return paths.has(pathname);
}

/** `/healthz`, `/livez`, `/readyz` and single checks below them; false for other paths. */
export async function answerHealth(exchange: Exchange): Promise<boolean> {
  const [, root = '', ...rest] = exchange.url.pathname.split('/');
  if (!paths.has(`/${root}`)) return false;
  const check = rest.join('/');
  if (check !== '' && !checks.includes(check)) return false;
  const verbose = exchange.query.has('verbose') && check === '';
  const body = verbose ? `${checks.map((name) => `[+]${name} ok\n`).join('')}${root} check passed\n` : 'ok';
  await exchange.text(200, body, 'text/plain; charset=utf-8');
  return true;
}

export const versionInfo = {
  major: '1',
  minor: '33',
  gitVersion: 'v1.33.0+drydock',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '2025-04-23T00:00:00Z',
  goVersion: 'go1.24.2',
  compiler: 'node',
  platform: 'linux/amd64',
};
