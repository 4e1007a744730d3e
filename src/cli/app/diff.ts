import type { Command } from 'commander';
import type { ManagedResource } from '#apps/port.ts';
import { renderHunks, unifiedDiff } from '#base/unified-diff.ts';
import { paintDiff } from '../paint.ts';
import type { Result } from '../printer.ts';
import { type OutputOption, type Session, withOutput } from '../session.ts';

interface DiffOptions extends OutputOption {
  refresh?: boolean;
  hardRefresh?: boolean;
  exitCode: boolean;
  diffExitCode: string;
}

export function registerAppDiff(app: Command, session: Session): void {
  withOutput(app.command('diff <name>'))
    .description('live state against what Git wants; exits 1 when they differ')
    .option('--refresh', 'compare with Git first')
    .option('--hard-refresh', 'compare with Git first and render anew')
    .option('--no-exit-code', 'exit 0 even when there are differences')
    .option('--diff-exit-code <code>', 'exit code when there are differences', '1')
    .action(async (name: string, options: DiffOptions) => {
      const level = options.hardRefresh ? 'hard' : options.refresh ? 'normal' : undefined;
      if (level !== undefined) await session.client.application(name, level);
      const result = diffResult(await session.client.resources(name), session.deps.settings.color);
      const code = options.exitCode ? Number(options.diffExitCode) || 1 : 0;
      session.show({ ...result, exit: result.exit === 0 ? 0 : code }, options);
    });
}

/** One unified diff per differing resource; hooks are no part of the comparison. `exit` is 1 when something differs. */
export function diffResult(resources: ManagedResource[], color: boolean): Result {
  const diffs = resources
    .filter(({ hook }) => !hook)
    .map((resource) => ({
      group: resource.group,
      kind: resource.kind,
      namespace: resource.namespace,
      name: resource.name,
      diff: renderHunks(unifiedDiff(resource.liveText ?? '', resource.desiredText ?? '')),
    }))
    .filter(({ diff }) => diff !== '');
  const text = diffs
    .map(({ group, kind, namespace, name, diff }) => {
      const shown = namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
      return `===== ${group}/${kind} ${shown} ======\n${color ? paintDiff(diff) : diff}`;
    })
    .join('\n');
  return { data: diffs, text: () => text, exit: diffs.length > 0 ? 1 : 0 };
}
