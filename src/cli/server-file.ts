import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AppError } from '#base/errors.ts';
import { getString, parseJson } from '#base/json.ts';

export interface ServerAddress {
  url: string;
  token: string;
}

const levelsMax = 40;

/**
 * Address and token of the server: as given, else from the nearest `.slipway/server.json` at or above `cwd`. Throws
 * `unavailable` when there is none, `corrupt-data` when the file is damaged.
 */
export function findServer(
  cwd: string,
  given: { server?: string | undefined; token?: string | undefined },
): ServerAddress {
  if (given.server !== undefined) return { url: trimUrl(given.server), token: given.token ?? '' };
  let folder = cwd;
  for (let level = 0; level < levelsMax; level += 1) {
    const path = join(folder, '.slipway', 'server.json');
    const text = readIfThere(path);
    if (text !== undefined) return { ...parseServerFile(text, path), ...(given.token ? { token: given.token } : {}) };
    const parent = dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  throw new AppError(
    'unavailable',
    `no running Slipway is known: there is no .slipway/server.json at or above ${cwd}`,
    {
      hint: 'start one with "npm start", or name one with --server and --token',
    },
  );
}

function parseServerFile(text: string, path: string): ServerAddress {
  let value: unknown;
  try {
    value = parseJson(text, path);
  } catch (cause) {
    throw new AppError('corrupt-data', `${path} is damaged`, {
      hint: 'start Slipway again: it writes the file',
      cause,
    });
  }
  const url = getString(value, 'url');
  const token = getString(value, 'token');
  if (url === undefined || token === undefined || !URL.canParse(url))
    throw new AppError('corrupt-data', `${path} lacks "url" or "token"`, {
      hint: 'start Slipway again: it writes the file',
    });
  return { url: trimUrl(url), token };
}

function trimUrl(text: string): string {
  const url = /^https?:\/\//.test(text) ? text : `http://${text}`;
  if (!URL.canParse(url)) throw new AppError('bad-input', `--server ${text} is no address`);
  return url.replace(/\/+$/, '');
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new AppError('corrupt-data', `${path} cannot be read`, { cause: error });
  }
}
