/**
 * The small programs that hosted workflow runners have preinstalled and pipelines take for granted, for jobs of the
 * laptop's runner: `gh api` and `yq -i`, and `slipway` itself. Run as `node toolbox.ts NAME ARGUMENTS...`.
 */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, errorTable, explain, isAppError } from '#base/errors.ts';
import { runGh } from '#cli/toolbox/gh.ts';
import { editYaml, parseYq } from '#cli/toolbox/yq.ts';
import { githubEnvironment } from './github-environment.ts';

const programs: Record<string, (args: string[]) => Promise<string>> = {
  gh: (args) => runGh(args, githubEnvironment(process.env), AbortSignal.timeout(60_000)),
  yq: async (args) => {
    const edit = parseYq(args);
    for (const file of edit.files) writeFileSync(file, editYaml(readFileSync(file, 'utf8'), edit));
    return '';
  },
};

/** Writes launchers for the toolbox and for `slipway` into a directory to be put first on the PATH of jobs. */
export function writeToolbox(directory: string, node: string): void {
  mkdirSync(directory, { recursive: true });
  const launch = (name: string, command: string) => {
    const path = join(directory, name);
    writeFileSync(path, `#!/bin/sh\nexec ${command} "$@"\n`);
    chmodSync(path, 0o755);
  };
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  for (const name of Object.keys(programs)) launch(name, `${quoted(node)} ${quoted(import.meta.filename)} ${name}`);
  launch('slipway', `${quoted(node)} ${quoted(join(import.meta.dirname, 'cli.ts'))}`);
  launch('node', quoted(node));
}

if (process.argv[1] === import.meta.filename) {
  const [name = '', ...args] = process.argv.slice(2);
  try {
    const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
    if (!program) throw new AppError('bad-input', `the toolbox has no ${name}`);
    process.stdout.write(await program(args));
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exitCode = isAppError(error) ? errorTable[error.code].exit : 1;
  }
}
