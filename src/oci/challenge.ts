/** One `WWW-Authenticate` challenge: its scheme in lower case and its parameters. */
export interface Challenge {
  scheme: string;
  parameters: Record<string, string>;
}

/** Reads the first Bearer challenge, else the first Basic one; undefined when there is neither. */
export function parseChallenge(headers: string | string[] | undefined): Challenge | undefined {
  const all = (Array.isArray(headers) ? headers : [headers ?? '']).map(parseOne);
  return (
    all.find((challenge) => challenge.scheme === 'bearer') ?? all.find((challenge) => challenge.scheme === 'basic')
  );
}

function parseOne(header: string): Challenge {
  const [, scheme = '', rest = ''] = /^\s*([A-Za-z]+)\s*(.*)$/.exec(header) ?? [];
  const parameters: Record<string, string> = {};
  for (const match of rest.matchAll(/([A-Za-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g)) {
    const [, name = '', quoted, bare] = match;
    parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '';
  }
  return { scheme: scheme.toLowerCase(), parameters };
}
