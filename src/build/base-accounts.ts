import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { AppError } from '#base/errors.ts';
import { layerDecompressor } from '#oci/apply-layer.ts';
import type { Descriptor } from '#oci/port.ts';
import type { BaseImage } from './base-image.ts';

/** Who has which number in an image. */
export interface Accounts {
  users: Map<string, number>;
  groups: Map<string, number>;
}

/** A `--chown` value as written: names or numbers. */
export interface Owner {
  user: string;
  group: string | undefined;
}

const passwd = 'etc/passwd';
const group = 'etc/group';
const maxFileBytes = 1024 * 1024;

/**
 * The numbers of an owner. Without a group it is the user's number, as docker has it. Throws `bad-input` naming the
 * user or group that the base does not know.
 */
export async function resolveOwner(
  owner: Owner,
  accounts: () => Promise<Accounts>,
): Promise<{ uid: number; gid: number }> {
  const number = async (name: string, kind: 'users' | 'groups') => {
    if (/^\d{1,9}$/.test(name)) return Number(name);
    // Root is 0 whatever the base is, even an empty one.
    if (name === 'root') return 0;
    const found = (await accounts())[kind].get(name);
    if (found !== undefined) return found;
    throw new AppError('bad-input', `--chown: the base image has no ${kind === 'users' ? 'user' : 'group'} "${name}"`, {
      hint: 'write a name that the base knows, or numbers such as 1000:1000',
    });
  };
  const uid = await number(owner.user, 'users');
  return { uid, gid: owner.group === undefined ? uid : await number(owner.group, 'groups') };
}

/** Reads the accounts of a base from its layers, the uppermost first, and no further than needed. */
export async function readAccounts(base: Pick<BaseImage, 'layers' | 'open'>, signal: AbortSignal): Promise<Accounts> {
  const found = new Map<string, string>();
  for (const layer of base.layers.toReversed()) {
    const missing = [passwd, group].filter((name) => !found.has(name));
    if (missing.length === 0) break;
    for (const [name, text] of await readFiles(base, { layer, names: missing }, signal)) found.set(name, text);
  }
  return { users: parseAccounts(found.get(passwd) ?? ''), groups: parseAccounts(found.get(group) ?? '') };
}

/** Names and numbers of a file in the form of `/etc/passwd` or `/etc/group`: the number is the third field of both. */
export function parseAccounts(text: string): Map<string, number> {
  const accounts = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [name, , number] = line.split(':');
    if (name && number !== undefined && /^\d{1,10}$/.test(number)) accounts.set(name, Number(number));
  }
  return accounts;
}

async function readFiles(
  base: Pick<BaseImage, 'open'>,
  wanted: { layer: Descriptor; names: string[] },
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const abort = new AbortController();
  const unpack = layerDecompressor(wanted.layer.mediaType);
  const tar = extract();
  const source = base.open(wanted.layer);
  const either = AbortSignal.any([signal, abort.signal]);
  const flow = pipeline(unpack ? [source, unpack, tar] : [source, tar], { signal: either });
  // A broken source destroys the archive, so the loop below throws its error; having read enough is no error.
  flow.catch(() => undefined);
  try {
    for await (const entry of tar) {
      const name = entry.header.name.replace(/^(?:\.?\/)+/, '');
      if (wanted.names.includes(name) && entry.header.size <= maxFileBytes) found.set(name, await readText(entry));
      else entry.resume();
      if (found.size === wanted.names.length) break;
    }
  } finally {
    abort.abort();
  }
  return found;
}

async function readText(entry: AsyncIterable<unknown>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
