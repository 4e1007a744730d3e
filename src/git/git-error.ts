import { AppError } from '#base/errors.ts';

/** Why git failed, read from its messages (in the C locale). Undefined when none of the known ones is there. */
export type GitTrouble =
  | 'unreachable'
  | 'unauthorized'
  | 'forbidden'
  | 'no-repository'
  | 'moved'
  | 'locked'
  | 'corrupt';

const table: [GitTrouble, RegExp][] = [
  [
    'unauthorized',
    /Authentication failed|could not read (Username|Password)|error: 401|Permission denied \(publickey|Host key verification failed/i,
  ],
  ['forbidden', /error: 403|pre-receive hook declined|protected branch|hook declined|not allowed to push/i],
  [
    'no-repository',
    /repository '.*' not found|error: (404|410)|does not appear to be a git repository|Repository not found|not valid: is this a git repository/i,
  ],
  ['moved', /unable to update url base from redirection|returned error: 30\d/i],
  [
    'unreachable',
    /Could not resolve host|Failed to connect|Couldn't connect|Connection (refused|reset|timed out)|error: (429|5\d\d)|Empty reply from server|RPC failed|early EOF|unexpected disconnect|remote end hung up|Operation too slow|SSL|certificate|transfer closed|Recv failure/i,
  ],
  ['locked', /Unable to create '.*\.lock': File exists/],
  [
    'corrupt',
    /bad object|does not point to a valid object|loose object .* is corrupt|packfile .* (is corrupt|cannot be accessed|does not match)|not a git repository|unable to (read|find) [0-9a-f]{40}|missing (blob|tree|commit|object)|bad signature|inflate: |object file .* is empty|invalid HEAD|unresolved deltas|broken ref|failed to read object|index file corrupt|bad tree|bad ref/i,
  ],
];

export function troubleOf(stderr: string): GitTrouble | undefined {
  return table.find(([, pattern]) => pattern.test(stderr))?.[0];
}

/** git's failure as an AppError with what can be done about it. */
export function gitError(what: string, stderr: string): AppError {
  const said = lastLines(stderr);
  const message = said === '' ? what : `${what}: ${said}`;
  const trouble = troubleOf(stderr);
  switch (trouble) {
    case 'unauthorized':
      return new AppError('unauthorized', message, { hint: 'give a valid user and token for this repository' });
    case 'forbidden':
      return new AppError('forbidden', message, {
        hint: 'the credentials are known but may not do this: check their permissions and the branch protection',
      });
    case 'no-repository':
      return new AppError('not-found', message, {
        hint: 'check the address; a private repository without credentials looks the same',
      });
    case 'moved':
      return new AppError('not-found', message, {
        hint: 'the repository moved: use its new address (credentials are not sent where a server redirects)',
      });
    case 'unreachable':
      return new AppError('unavailable', message, { hint: 'check the address and the network; it is tried again' });
    case 'locked':
      return new AppError('unavailable', message);
    case 'corrupt':
      return new AppError('corrupt-data', message);
    case undefined:
      return new AppError('tool-failed', message);
  }
}

function lastLines(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('hint:'));
  return lines.slice(-4).join('; ').slice(0, 1000);
}
