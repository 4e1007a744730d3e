import { AppError } from '#base/errors.ts';

/** One instruction as written: continuation lines joined, comments gone. `line` is where it starts, from 1. */
export interface LogicalLine {
  line: number;
  instruction: string;
  rest: string;
}

/** Splits a Dockerfile into its instructions. Throws `unsupported` for another escape character or a here-document. */
export function splitDockerfile(text: string): LogicalLine[] {
  const source = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  checkDirectives(source);
  const logical: LogicalLine[] = [];
  let start = 0;
  let joined: string | undefined;
  for (const [index, raw] of source.entries()) {
    // Comments and empty lines inside a continued instruction do not end it.
    if (/^\s*#/.test(raw) || (joined !== undefined && raw.trim() === '')) continue;
    if (joined === undefined) start = index + 1;
    const continued = /\\[ \t]*$/.test(raw);
    joined = (joined ?? '') + (continued ? raw.replace(/\\[ \t]*$/, '') : raw);
    if (continued) continue;
    push(logical, start, joined);
    joined = undefined;
  }
  if (joined !== undefined) push(logical, start, joined);
  return logical;
}

function push(logical: LogicalLine[], line: number, text: string): void {
  const trimmed = text.trim();
  if (trimmed === '') return;
  const [, instruction = '', rest = ''] = /^(\S+)\s*([\s\S]*)$/.exec(trimmed) ?? [];
  if (/(?:^|\s)<<-?["']?[A-Za-z_]/.test(rest) && /^(?:COPY|RUN|ADD)$/i.test(instruction))
    throw new AppError(
      'unsupported',
      `Dockerfile line ${line}: here-documents in ${instruction.toUpperCase()} are not supported`,
      {
        hint: 'put the text into a file of the context, or build with docker or buildah',
      },
    );
  logical.push({ line, instruction: instruction.toUpperCase(), rest });
}

/** Parser directives are comments at the very top; `syntax` and `check` change nothing for us. */
function checkDirectives(source: string[]): void {
  for (const raw of source) {
    const match = /^\s*#\s*([a-z]+)\s*=\s*(\S+)/i.exec(raw);
    if (!match) return;
    if (match[1]?.toLowerCase() === 'escape' && match[2] !== '\\')
      throw new AppError('unsupported', `Dockerfile: the escape character ${match[2]} is not supported`, {
        hint: 'use the backslash, or build with docker or buildah',
      });
  }
}
