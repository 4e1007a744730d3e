import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return path !== '';
  } catch {
    return false;
  }
}

/**
 * A program that only tests need: where it is already, else Debian's package, installed here when this is Debian and we
 * may. Otherwise the reason why there is none, for the test to give as it stands aside.
 */
export function findOrInstall(program: {
  packageName: string;
  places: string[];
}): { path: string } | { reason: string } {
  const { packageName, places } = program;
  const found = places.find(isExecutable);
  if (found !== undefined) return { path: found };
  if (!isDebian()) return { reason: `${packageName} was not found` };
  if (process.getuid?.() !== 0) return { reason: `${packageName} was not found: apt-get install ${packageName}` };
  const options = {
    encoding: 'utf8',
    timeout: 300_000,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  } as const;
  const install = () => spawnSync('apt-get', ['install', '-y', '--no-install-recommends', packageName], options);
  let result = install();
  if (result.status !== 0) {
    spawnSync('apt-get', ['update'], options);
    result = install();
  }
  const installed = places.find(isExecutable);
  if (installed !== undefined) return { path: installed };
  const last = `${result.stderr ?? ''}`.trim().split('\n').at(-1) ?? '';
  return { reason: `Debian's ${packageName} could not be installed: ${last || result.error?.message}` };
}

function isDebian(): boolean {
  try {
    return /^ID(?:_LIKE)?=.*debian/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}
