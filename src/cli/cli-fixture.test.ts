import { AppError } from '#base/errors.ts';
import { builtinTypeKnowledge } from '#main/type-knowledge.ts';
import { testClock } from '../../test/clock.ts';
import { runCli } from './cli.ts';
import type { CliDeps } from './deps.ts';

export interface CliAnswer {
  code: number;
  out: string;
  err: string;
}

/** Runs a command as `kim`, without colours, in a process that does only what `parts` say. */
export async function runTestCli(
  args: string[],
  parts: Pick<CliDeps, 'cwd' | 'probe' | 'dispatch' | 'processes'> &
    Partial<CliDeps> &
    Partial<Pick<CliDeps, 'openRenderer'>>,
): Promise<CliAnswer> {
  let out = '';
  let err = '';
  const deps: CliDeps = {
    openRenderer: () => Promise.reject(new AppError('unsupported', 'this test renders nothing')),
    clusterAccess: async () => {
      throw new Error('no cluster is added here');
    },
    ...parts,
    version: '0.1.0',
    types: async () => builtinTypeKnowledge(),
    clock: testClock,
    settings: { actor: 'kim', columns: undefined, color: false },
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  };
  const code = await runCli(args, deps, AbortSignal.timeout(10_000));
  return { code, out, err };
}
