/** A unified diff with what goes, what comes and where, in a terminal's colours. */
export function paintDiff(diff: string): string {
  return diff.replace(/^(?:(-.*)|(\+.*)|(@@.*))$/gm, (line, removed, added) => {
    const code = removed === undefined ? (added === undefined ? 36 : 32) : 31;
    return `\u001b[${code}m${line}\u001b[0m`;
  });
}
