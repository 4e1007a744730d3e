import { AppError } from '#base/errors.ts';
import type { Owner } from './base-accounts.ts';
import { type LogicalLine, splitDockerfile } from './dockerfile-lines.ts';
import { splitWords } from './dockerfile-words.ts';

export interface CopyInstruction {
  kind: 'copy';
  line: number;
  sources: string[];
  destination: string;
  owner: Owner | undefined;
  mode: number | undefined;
}

/** Words still hold their variables and quotes: these depend on what was set before. */
export type Instruction =
  | CopyInstruction
  | { kind: 'env' | 'label'; line: number; pairs: [name: string, value: string][] }
  | { kind: 'workdir' | 'user'; line: number; value: string }
  | { kind: 'expose'; line: number; ports: string[] }
  | { kind: 'cmd' | 'entrypoint'; line: number; command: string[] };

export interface Dockerfile {
  from: { line: number; image: string };
  instructions: Instruction[];
}

const otherInstructions = new Set('ADD ARG HEALTHCHECK MAINTAINER ONBUILD RUN SHELL STOPSIGNAL VOLUME'.split(' '));
const otherBuilders = 'build this image with docker or buildah, or do that step before the build and COPY its result';

/**
 * Reads a Dockerfile of one stage that only copies and configures. Throws `unsupported` naming line and instruction for
 * anything that needs a container engine, `bad-input` for what no builder would take.
 */
export function parseDockerfile(text: string): Dockerfile {
  let from: Dockerfile['from'] | undefined;
  const instructions: Instruction[] = [];
  for (const line of splitDockerfile(text)) {
    if (line.instruction === 'FROM') {
      if (from) throw unsupported(line, 'a second FROM (a build of several stages) is not supported');
      from = parseFrom(line);
      continue;
    }
    if (!from && !otherInstructions.has(line.instruction)) throw wrong(line, 'the first instruction must be FROM');
    instructions.push(parseInstruction(line));
  }
  if (!from) throw new AppError('bad-input', 'the Dockerfile has no FROM');
  return { from, instructions };
}

function parseInstruction(line: LogicalLine): Instruction {
  if (line.rest === '' && !otherInstructions.has(line.instruction))
    throw wrong(line, `${line.instruction} needs an argument`);
  switch (line.instruction) {
    case 'COPY':
      return parseCopy(line);
    case 'ENV':
      return { kind: 'env', line: line.line, pairs: parsePairs(line) };
    case 'LABEL':
      return { kind: 'label', line: line.line, pairs: parsePairs(line) };
    case 'WORKDIR':
      return { kind: 'workdir', line: line.line, value: line.rest };
    case 'USER':
      return { kind: 'user', line: line.line, value: line.rest };
    case 'EXPOSE':
      return { kind: 'expose', line: line.line, ports: line.rest.split(/\s+/) };
    case 'CMD':
      return { kind: 'cmd', line: line.line, command: parseCommand(line) };
    case 'ENTRYPOINT':
      return { kind: 'entrypoint', line: line.line, command: parseCommand(line) };
    default:
      if (otherInstructions.has(line.instruction)) throw unsupported(line, `${line.instruction} is not supported`);
      throw wrong(line, `${line.instruction} is not an instruction of Dockerfiles`);
  }
}

function parseFrom(line: LogicalLine): Dockerfile['from'] {
  const words = line.rest.split(/\s+/).filter(Boolean);
  const flag = words[0]?.startsWith('--') ? words.shift() : undefined;
  if (flag !== undefined) throw unsupported(line, `FROM ${flag} is not supported: an image is built for one platform`);
  const [image, as, name, ...more] = words;
  if (image === undefined || more.length > 0 || (as !== undefined && (as.toUpperCase() !== 'AS' || name === undefined)))
    throw wrong(line, 'FROM takes an image and, if wanted, AS with a name');
  if (image.includes('$')) throw unsupported(line, 'a variable in FROM (it needs ARG) is not supported');
  return { line: line.line, image };
}

function parseCopy(line: LogicalLine): CopyInstruction {
  let rest = line.rest;
  const flags = new Map<string, string>();
  for (let match = /^--([a-z-]+)(?:=(\S*))?\s+/.exec(rest); match; match = /^--([a-z-]+)(?:=(\S*))?\s+/.exec(rest)) {
    flags.set(match[1] ?? '', match[2] ?? '');
    rest = rest.slice(match[0].length);
  }
  for (const name of flags.keys())
    if (!['chown', 'chmod', 'link'].includes(name)) throw unsupported(line, `COPY --${name} is not supported`);
  const words = parseJsonList(rest) ?? rest.split(/\s+/).filter(Boolean);
  const destination = words.pop();
  if (destination === undefined || words.length === 0)
    throw wrong(line, 'COPY needs at least one source and a destination');
  return {
    kind: 'copy',
    line: line.line,
    sources: words,
    destination,
    owner: parseOwner(line, flags.get('chown')),
    mode: parseMode(line, flags.get('chmod')),
  };
}

function parseOwner(line: LogicalLine, text: string | undefined): Owner | undefined {
  if (text === undefined) return undefined;
  const match = /^([\w.-]+)(?::([\w.-]+))?$/.exec(text);
  if (!match) throw wrong(line, `COPY --chown=${text} is not USER or USER:GROUP`);
  return { user: match[1] ?? '', group: match[2] };
}

function parseMode(line: LogicalLine, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^0?[0-7]{3,4}$/.test(text))
    throw unsupported(line, `COPY --chmod=${text} is not an octal mode and not supported`);
  return Number.parseInt(text, 8);
}

/** `NAME=value NAME2="other value"`, or the old form `NAME value to the end of the line`. */
function parsePairs(line: LogicalLine): [string, string][] {
  const words = splitWords(line.rest);
  if (!words[0]?.includes('=')) {
    const [, name = '', value] = /^(\S+)\s+([\s\S]+)$/.exec(line.rest) ?? [];
    if (value === undefined) throw wrong(line, `${line.instruction} needs NAME=VALUE`);
    return [[name, value]];
  }
  return words.map((word) => {
    const equals = word.indexOf('=');
    if (equals <= 0) throw wrong(line, `${line.instruction} needs NAME=VALUE, got ${word}`);
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

function parseCommand(line: LogicalLine): string[] {
  return parseJsonList(line.rest) ?? ['/bin/sh', '-c', line.rest];
}

function parseJsonList(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((item) => typeof item === 'string') ? list : undefined;
  } catch {
    // Docker, too, takes what only looks like a list for a shell command.
    return undefined;
  }
}

function wrong(line: LogicalLine, why: string): AppError {
  return new AppError('bad-input', `Dockerfile line ${line.line}: ${why}`);
}

function unsupported(line: LogicalLine, why: string): AppError {
  return new AppError('unsupported', `Dockerfile line ${line.line}: ${why}`, { hint: otherBuilders });
}
