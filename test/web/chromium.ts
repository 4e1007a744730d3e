import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';

const places = [
  process.env['CHROMIUM_PATH'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/opt/google/chrome/chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

export const chromiumArgs = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/**
 * A Chromium to look at pages with: CHROMIUM_PATH, else where systems keep one, else Debian's, installed here when this
 * is Debian and we may. Otherwise the reason why there is none, for the test to give as it stands aside.
 */
export function findChromium(): { path: string } | { reason: string } {
  const found = places.find(isExecutable);
  if (found !== undefined) return { path: found };
  if (!isDebian()) return { reason: 'no Chromium was found: set CHROMIUM_PATH' };
  if (process.getuid?.() !== 0)
    return { reason: 'no Chromium was found: apt-get install chromium, or set CHROMIUM_PATH' };
  const options = {
    encoding: 'utf8',
    timeout: 300_000,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  } as const;
  const install = () => spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], options);
  let result = install();
  if (result.status !== 0) {
    spawnSync('apt-get', ['update'], options);
    result = install();
  }
  if (isExecutable('/usr/bin/chromium')) return { path: '/usr/bin/chromium' };
  const last = `${result.stderr ?? ''}`.trim().split('\n').at(-1) ?? '';
  return { reason: `Debian's Chromium could not be installed: ${last || result.error?.message}` };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return path !== '';
  } catch {
    return false;
  }
}

function isDebian(): boolean {
  try {
    return /^ID(?:_LIKE)?=.*debian/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}
