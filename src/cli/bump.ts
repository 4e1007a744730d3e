import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { AppError } from '#base/errors.ts';
import { type OutputOption, type Session, withOutput } from './session.ts';

interface BumpOptions extends OutputOption {
  set: string[];
}

export function registerBump(program: Command, session: Session): void {
  withOutput(program.command('bump <file...>'))
    .description('write a value into YAML files; comments, order and everything else stay byte for byte')
    .requiredOption('--set <path=value>', 'what to write, for example image.tag=1.5.0; may be repeated', collect)
    .action(async (files: string[], options: BumpOptions) => {
      const { bumpYaml } = await import('#desired/bump-yaml.ts');
      const edits = options.set.map(parseSet);
      const changed: { file: string; changed: boolean }[] = [];
      for (const file of files) {
        const full = resolve(session.deps.cwd, file);
        const before = await read(full, file);
        const after = edits.reduce((content, edit) => bumpYaml(content, edit), before);
        if (after !== before) await writeFile(full, after);
        changed.push({ file, changed: after !== before });
      }
      const text = changed.map((entry) => `${entry.file}: ${entry.changed ? 'changed' : 'already so'}\n`).join('');
      session.show({ data: changed, text: () => text }, options);
    });
}

function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

export function parseSet(text: string): { path: string; value: string } {
  const at = text.indexOf('=');
  if (at <= 0) throw new AppError('bad-input', `--set ${text} is not of the form path=value`);
  return { path: text.slice(0, at).replace(/^\./, ''), value: text.slice(at + 1) };
}

async function read(full: string, file: string): Promise<string> {
  try {
    return await readFile(full, 'utf8');
  } catch (cause) {
    throw new AppError('not-found', `${file} cannot be read`, { cause });
  }
}
