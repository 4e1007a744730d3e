import type { Command } from 'commander';
import type { TraceLink, TraceReport, TraceStep } from '#trace/report.ts';
import { type Result, renderTable } from './printer.ts';
import { type OutputOption, type Session, withOutput } from './session.ts';

export function registerTrace(program: Command, session: Session): void {
  withOutput(program.command('trace <what>'))
    .description('who shipped it, when and by which commit: pod/NAME, an application or an image')
    .option('-n, --namespace <namespace>', 'of the pod')
    .action(async (what: string, options: OutputOption & { namespace?: string }) => {
      session.show(traceResult(await session.client.trace(what, options.namespace)), options);
    });
}

const names: Record<TraceLink, string> = {
  container: 'container',
  image: 'image',
  'workflow-run': 'workflow run',
  commit: 'commit',
  'pull-request': 'pull request',
  tag: 'tag',
  approval: 'approved',
  'manifest-commit': 'manifest commit',
  sync: 'sync',
};

/** The chain, aligned: link, time, what and who; below it, with -o wide, the facts of each link. */
export function traceResult(report: TraceReport): Result {
  return {
    data: report,
    text: (wide) => {
      const rows = report.steps.flatMap((step) => [stepRow(step), ...(wide ? factRows(step) : [])]);
      const of = report.application === undefined ? '' : `  (application ${report.application})`;
      return `${report.subject}${of}\n${renderTable([], rows)}`;
    },
  };
}

function stepRow(step: TraceStep): string[] {
  const name = `  ${names[step.link]}`;
  if (!step.found) return [name, '-', `unknown: ${step.reason}`];
  const at =
    step.at === undefined
      ? ''
      : new Date(step.at)
          .toISOString()
          .replace('T', ' ')
          .replace(/\.\d+Z$/, 'Z');
  return [name, at, step.by === undefined ? step.title : `${step.title}  by ${step.by}`];
}

function factRows(step: TraceStep): string[][] {
  if (!step.found) return [];
  const facts = Object.entries(step.facts).map(([key, value]) => ['', '', `${key}: ${value}`]);
  return step.url === undefined ? facts : [...facts, ['', '', step.url]];
}
