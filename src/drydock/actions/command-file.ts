import { AppError } from '#base/errors.ts';

/**
 * Reads the `NAME=value` and `NAME<<DELIMITER` entries that a step wrote to GITHUB_OUTPUT or GITHUB_ENV; the last one
 * of a name counts. `what` names the file in errors.
 */
export function parseCommandFile(text: string, what: string): Record<string, string> {
  const entries: Record<string, string> = {};
  const lines = text.split(/\r?\n/);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (line === '') continue;
    const equals = line.indexOf('=');
    const heredoc = line.indexOf('<<');
    if (heredoc > 0 && (equals < 0 || heredoc < equals)) {
      const delimiter = line.slice(heredoc + 2);
      const end = lines.indexOf(delimiter, at + 1);
      if (delimiter === '' || end < 0) {
        throw new AppError('bad-input', `${what}, line ${at + 1}: no closing delimiter ${JSON.stringify(delimiter)}`);
      }
      entries[line.slice(0, heredoc)] = lines.slice(at + 1, end).join('\n');
      at = end;
    } else if (equals > 0) entries[line.slice(0, equals)] = line.slice(equals + 1);
    else throw new AppError('bad-input', `${what}, line ${at + 1}: expected NAME=value, found ${JSON.stringify(line)}`);
  }
  return entries;
}
