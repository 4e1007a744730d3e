import type { Command } from 'commander';
import { errorTable } from '#base/errors.ts';
import { type Result, renderTable } from '../printer.ts';
import { type OutputOption, type Session, withOutput } from '../session.ts';
import { type Check, runChecks } from './checks.ts';

export function registerDoctor(program: Command, session: Session): void {
  withOutput(program.command('doctor'))
    .description('what Slipway needs on this machine, what was found, and what to do')
    .action(async (options: OutputOption) => {
      session.show(doctorResult(await runChecks(session.deps.probe, session.signal)), options);
    });
}

const marks: Record<Check['state'], string> = { ok: 'ok', missing: 'MISSING', bad: 'BAD', optional: '-' };

export function doctorResult(found: Check[]): Result {
  const wrong = found.filter(({ state }) => state === 'missing' || state === 'bad');
  return {
    data: found,
    text: () => {
      const table = renderTable(
        ['CHECK', 'STATE', 'FOUND', 'NEEDED BECAUSE IT'],
        found.map(({ name, state, found: what, why }) => [name, marks[state], what, why]),
      );
      const todo = found.filter((check) => check.todo !== undefined);
      const lines = todo.map(
        ({ name, todo: text, state }) => `${state === 'optional' ? 'if you want' : 'to do'}: ${name}: ${text}\n`,
      );
      const verdict = wrong.length === 0 ? 'Everything needed is there.\n' : `${wrong.length} thing(s) to put right.\n`;
      return `${table}\n${lines.join('')}${verdict}`;
    },
    exit: wrong.some(({ state }) => state === 'missing') ? errorTable['missing-tool'].exit : wrong.length > 0 ? 1 : 0,
  };
}
