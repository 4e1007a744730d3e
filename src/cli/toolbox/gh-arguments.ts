import { AppError } from '#base/errors.ts';
import { isObject, type JsonObject } from '#base/json.ts';

export interface GhApiRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  /** Undefined when no field was given. */
  body: JsonObject | undefined;
}

/**
 * The arguments of `gh api`, as the GitHub command line documents them: `-f` gives strings, `-F` converts true, false,
 * null and integers, `key[sub]=` nests, `key[]=` appends; fields make the method POST unless `-X` says otherwise.
 */
export function parseGhApi(args: string[]): GhApiRequest {
  if (args[0] !== 'api') {
    throw new AppError('unsupported', `gh ${args[0] ?? ''}: only "gh api" is provided here`, {
      hint: 'use gh api, or curl against GITHUB_API_URL',
    });
  }
  const request: GhApiRequest = { method: '', path: '', headers: {}, body: undefined };
  for (let at = 1; at < args.length; at += 1) {
    const argument = args[at] ?? '';
    if (!argument.startsWith('-')) {
      if (request.path) throw new AppError('bad-input', `gh api: a second path, ${argument}`);
      request.path = argument.replace(/^\//, '');
      continue;
    }
    at += 1;
    const value = args[at];
    if (value === undefined) throw new AppError('bad-input', `gh api: ${argument} needs a value`);
    readOption(request, argument, value);
  }
  if (!request.path) throw new AppError('bad-input', 'gh api: the path is missing');
  request.method ||= request.body ? 'POST' : 'GET';
  return request;
}

function readOption(request: GhApiRequest, option: string, value: string): void {
  switch (option) {
    case '-X':
    case '--method':
      request.method = value.toUpperCase();
      return;
    case '-H':
    case '--header': {
      const colon = value.indexOf(':');
      if (colon < 1) throw new AppError('bad-input', `gh api: a header is "name: value", not ${value}`);
      request.headers[value.slice(0, colon).trim().toLowerCase()] = value.slice(colon + 1).trim();
      return;
    }
    case '-f':
    case '--raw-field':
    case '-F':
    case '--field': {
      const equals = value.indexOf('=');
      if (equals < 1) throw new AppError('bad-input', `gh api: a field is key=value, not ${value}`);
      const text = value.slice(equals + 1);
      request.body ??= {};
      setField(request.body, value.slice(0, equals), option === '-F' || option === '--field' ? convert(text) : text);
      return;
    }
    default:
      throw new AppError('unsupported', `gh api: the option ${option} is not provided here`, {
        hint: 'provided: -X, -H, -f, -F',
      });
  }
}

function convert(text: string): unknown {
  if (text === 'true') return true;
  if (text === 'false') return false;
  if (text === 'null') return null;
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  if (text.startsWith('@'))
    throw new AppError('unsupported', `gh api: reading a field from a file (${text}) is not provided here`);
  return text;
}

function setField(body: JsonObject, key: string, value: unknown): void {
  const parts = [key.replace(/\[.*$/, ''), ...[...key.matchAll(/\[([^\]]*)\]/g)].map((match) => match[1] ?? '')];
  let at: JsonObject = body;
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index] ?? '';
    const next = parts[index + 1];
    if (next === undefined) {
      at[part] = value;
      return;
    }
    if (next === '') {
      const list = Array.isArray(at[part]) ? at[part] : [];
      at[part] = [...list, value];
      return;
    }
    const inner = isObject(at[part]) ? at[part] : {};
    at[part] = inner;
    at = inner;
  }
}
