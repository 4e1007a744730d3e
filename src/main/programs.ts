import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { AppError } from '#base/errors.ts';

export const projectRoot = join(import.meta.dirname, '..', '..');

export interface FoundProgram {
  path: string;
  /** Why this copy was taken. */
  source: 'configuration' | '.tools' | 'PATH' | 'npm';
}

const hints: Record<string, string> = {
  git: 'install git 2.38 or newer',
  helm: 'run npm run setup, or install helm 3.14 or newer on PATH',
  kubectl: 'run npm run setup, or install kubectl 1.29 or newer on PATH',
  bash: 'install bash; workflow steps run in it',
  npm: 'install npm; it comes with Node',
};

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Where an outside program is: the path configured (`SLIPWAY_<NAME>`), the copy that the set-up made, then PATH.
 * Undefined when there is none.
 */
export function findProgram(name: string, env: NodeJS.ProcessEnv = process.env): FoundProgram | undefined {
  const configured = env[`SLIPWAY_${name.toUpperCase()}`];
  if (configured) {
    if (executable(configured)) return { path: configured, source: 'configuration' };
    throw new AppError('missing-tool', `SLIPWAY_${name.toUpperCase()} names ${configured}, which cannot be run`);
  }
  const own = join(projectRoot, '.tools', 'bin', name);
  if (executable(own)) return { path: own, source: '.tools' };
  for (const place of (env['PATH'] ?? '').split(delimiter).filter(Boolean)) {
    if (executable(join(place, name))) return { path: join(place, name), source: 'PATH' };
  }
  return undefined;
}

/** As `findProgram`; throws AppError missing-tool saying what to install. */
export function requireProgram(name: string): string {
  const found = findProgram(name);
  if (found) return found.path;
  throw new AppError('missing-tool', `${name} was not found`, { hint: hints[name] ?? `install ${name}` });
}
