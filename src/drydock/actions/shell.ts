import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { AppError } from '#base/errors.ts';

export interface ShellCommand {
  command: string;
  args: string[];
}

/**
 * How a script is run, by `shell:` as GitHub documents it; without one it is `bash -e`, or `sh -e` where there is no
 * bash. `{0}` in a custom shell stands for the script.
 */
export function shellCommand(shell: string | undefined, script: string, path: string): ShellCommand {
  switch (shell) {
    case undefined:
      return isOnPath('bash', path)
        ? { command: 'bash', args: ['-e', script] }
        : { command: 'sh', args: ['-e', script] };
    case 'bash':
      if (!isOnPath('bash', path)) return { command: 'sh', args: ['-e', script] };
      return { command: 'bash', args: ['--noprofile', '--norc', '-eo', 'pipefail', script] };
    case 'sh':
      return { command: 'sh', args: ['-e', script] };
    case 'python':
      return { command: isOnPath('python', path) ? 'python' : 'python3', args: [script] };
    default: {
      const [command, ...args] = shell.split(/\s+/).filter(Boolean);
      if (command === undefined || !args.some((arg) => arg.includes('{0}'))) {
        throw new AppError('unsupported', `shell ${JSON.stringify(shell)} is not available on this runner`, {
          hint: 'use bash, sh, python, or a command line with {0} in place of the script',
        });
      }
      return { command, args: args.map((arg) => arg.replace('{0}', script)) };
    }
  }
}

export function isOnPath(program: string, path: string): boolean {
  return path.split(delimiter).some((directory) => {
    if (directory === '') return false;
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
