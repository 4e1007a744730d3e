/** A workflow command written to standard output: `::name key=value,key=value::message`. */
export interface WorkflowCommand {
  name: string;
  properties: Record<string, string>;
  message: string;
}

/** Undefined when the line is ordinary output. */
export function parseCommand(line: string): WorkflowCommand | undefined {
  const match = /^\s*::([A-Za-z-]+)(?: ([^:]*(?::(?!:)[^:]*)*))?::(.*)$/.exec(line);
  if (!match) return undefined;
  const properties: Record<string, string> = {};
  for (const pair of (match[2] ?? '').split(',')) {
    const at = pair.indexOf('=');
    if (at > 0) properties[pair.slice(0, at).trim()] = unescapeProperty(pair.slice(at + 1));
  }
  return { name: (match[1] ?? '').toLowerCase(), properties, message: unescapeMessage(match[3] ?? '') };
}

function unescapeMessage(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
}

function unescapeProperty(text: string): string {
  return unescapeMessage(text.replaceAll('%3A', ':').replaceAll('%2C', ','));
}
