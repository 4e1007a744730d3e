import { AppError } from '#base/errors.ts';
import type { BuiltinAction } from '../action.ts';

export interface InstalledNode {
  /** Directory with the `node` program, and npm if there is one. */
  binDir: string;
  /** Such as `24.21.0`. */
  version: string;
}

const words = new Set(['', 'latest', 'current', 'node', '*', 'lts/*']);

/** `actions/setup-node` with the one Node this runner has; a request for another major version is refused. */
export function setupNode(installed: InstalledNode): BuiltinAction {
  return async (context) => {
    const wanted = (context.inputs['node-version'] ?? '').trim();
    const major = installed.version.split('.')[0] ?? '';
    if (!words.has(wanted) && !acceptsMajor(wanted, major)) {
      throw new AppError(
        'unsupported',
        `${context.uses} asks for Node ${wanted}; this runner has ${installed.version}`,
        {
          hint: `set node-version to ${major}, or run the job on another runner`,
        },
      );
    }
    if (context.inputs['node-version-file']) {
      throw new AppError('unsupported', `${context.uses}: node-version-file is not supported here; use node-version`);
    }
    context.addPath(installed.binDir);
    context.log(`Node ${installed.version} from ${installed.binDir}`);
    return { outputs: { 'node-version': `v${installed.version}`, 'cache-hit': 'false' } };
  };
}

/** `24`, `v24.1`, `24.x`, `^24.1.0`, `~24`, and `>=20` with an older or equal number. */
function acceptsMajor(wanted: string, major: string): boolean {
  const match = /^(>=|\^|~|=|v)?\s*v?(\d+)(?:\.(?:\d+|x|\*)){0,2}$/.exec(wanted);
  if (!match) return false;
  return match[1] === '>=' ? Number(major) >= Number(match[2]) : match[2] === major;
}
