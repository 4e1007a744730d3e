import type { Command } from 'commander';
import { AppError } from '#base/errors.ts';
import type { DispatchRequest } from './deps.ts';
import { type OutputOption, type Session, withOutput } from './session.ts';

export function registerDispatch(program: Command, session: Session): void {
  withOutput(program.command('dispatch <repository> <type> [values...]'))
    .description('send a repository_dispatch to OWNER/REPO with a payload of key=value pairs')
    .action(async (repository: string, type: string, values: string[], options: OutputOption) => {
      const request = parseDispatch(repository, type, values);
      await session.deps.dispatch(request, session.signal);
      session.show({ data: request, text: () => `${repository}: ${type} was dispatched\n` }, options);
    });
}

/** GitHub accepts at most ten members at the top of a payload. */
const membersMax = 10;

export function parseDispatch(repository: string, eventType: string, values: string[]): DispatchRequest {
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository))
    throw new AppError('bad-input', `"${repository}" is not of the form OWNER/REPO`);
  if (eventType === '' || eventType.length > 100)
    throw new AppError('bad-input', 'the event type has 1 to 100 characters');
  const pairs = values.map((text): [string, string] => {
    const at = text.indexOf('=');
    if (at <= 0) throw new AppError('bad-input', `"${text}" is not of the form key=value`);
    return [text.slice(0, at), text.slice(at + 1)];
  });
  const payload = Object.fromEntries(pairs);
  if (Object.keys(payload).length > membersMax)
    throw new AppError(
      'limit',
      `a payload has at most ${membersMax} members, these are ${Object.keys(payload).length}`,
    );
  return { repository, eventType, payload };
}
