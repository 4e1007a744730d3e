import { posix } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { AppError, isAppError, messageOf, throwIfAborted } from '#base/errors.ts';

export interface ArchivedFile {
  path: string;
  /** As Git writes it: 100644, 100755, or 120000 for a link, whose content is its target. */
  mode: string;
  content: Buffer;
}

export interface ArchiveLimits {
  maxEntries: number;
  /** Of all files together, unpacked. */
  maxBytes: number;
}

export const archiveLimits: ArchiveLimits = { maxEntries: 20_000, maxBytes: 128 * 1024 * 1024 };

/**
 * The files of a tar archive, packed by gzip or not, in byte order of their paths. Refused are paths and links that lead
 * out of it, and what is neither file, folder nor link. Throws AppError bad-input or limit naming `what` and the entry.
 */
export async function readArchive(
  bytes: Buffer,
  what: string,
  options: { limits?: ArchiveLimits; signal: AbortSignal },
): Promise<ArchivedFile[]> {
  const { limits = archiveLimits, signal } = options;
  let size = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      // Headers and padding are part of it: twice the limit is no archive of many small files.
      if (size <= 2 * limits.maxBytes) done(null, chunk);
      else done(new AppError('limit', `${what} unpacks to more than ${limits.maxBytes} bytes`));
    },
  });
  const tar = extract();
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const source = Readable.from([bytes]);
  const streams = packed ? [source, createGunzip(), measure, tar] : [source, measure, tar];
  const [flow, entries] = await Promise.allSettled([pipeline(streams, { signal }), collect(tar, what, limits)]);
  throwIfAborted(signal);
  for (const result of [entries, flow])
    if (result.status === 'rejected' && isAppError(result.reason)) throw result.reason;
  for (const result of [flow, entries])
    if (result.status === 'rejected')
      throw new AppError('bad-input', `${what} is no readable archive: ${messageOf(result.reason)}`, {
        cause: result.reason,
        hint: 'package it again with "helm package" or tar',
      });
  if (entries.status !== 'fulfilled') return [];
  return [...entries.value.values()].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

async function collect(
  tar: ReturnType<typeof extract>,
  what: string,
  limits: ArchiveLimits,
): Promise<Map<string, ArchivedFile>> {
  const files = new Map<string, ArchivedFile>();
  let bytes = 0;
  let count = 0;
  for await (const entry of tar) {
    count += 1;
    if (count > limits.maxEntries) throw new AppError('limit', `${what} has more than ${limits.maxEntries} entries`);
    const { header } = entry;
    const path = entryPath(header.name, what);
    const chunks: Buffer[] = [];
    for await (const chunk of entry) {
      if (!(chunk instanceof Uint8Array)) continue;
      bytes += chunk.length;
      if (bytes > limits.maxBytes) throw new AppError('limit', `${what} unpacks to more than ${limits.maxBytes} bytes`);
      chunks.push(Buffer.from(chunk));
    }
    if (header.type === 'directory' || path === '') continue;
    files.set(path, fileOf(header, path, { what, files, content: Buffer.concat(chunks) }));
  }
  if (count === 0) throw new AppError('bad-input', `${what} is empty`);
  return files;
}

function entryPath(name: string, what: string): string {
  const plain = name.replaceAll('\\', '/');
  const path = posix.normalize(plain).replace(/\/+$/, '');
  if (/^(?:\/|[A-Za-z]:)/.test(plain) || path === '..' || path.startsWith('../') || path.includes('\0'))
    throw new AppError('bad-input', `${what} holds ${JSON.stringify(name)}, a path that leads out of it`, {
      hint: 'do not use this archive',
    });
  return path === '.' ? '' : path;
}

function fileOf(
  header: Header,
  path: string,
  context: { what: string; files: Map<string, ArchivedFile>; content: Buffer },
): ArchivedFile {
  const { what, files, content } = context;
  switch (header.type) {
    case 'file':
    case 'contiguous-file':
    case null:
    case undefined:
      return { path, mode: ((header.mode ?? 0) & 0o100) === 0 ? '100644' : '100755', content };
    case 'symlink': {
      const target = header.linkname ?? '';
      const to = posix.normalize(posix.join(posix.dirname(path), target));
      if (target === '' || target.startsWith('/') || to === '..' || to.startsWith('../'))
        throw new AppError('bad-input', `${what} holds the link ${path} -> ${target}, which leads out of it`, {
          hint: 'replace the link by a copy of the file',
        });
      return { path, mode: '120000', content: Buffer.from(target) };
    }
    case 'link': {
      const target = files.get(entryPath(header.linkname ?? '', what));
      if (target) return { ...target, path };
      throw new AppError('bad-input', `${what} holds the link ${path} to ${header.linkname}, which it does not hold`);
    }
    default:
      throw new AppError('bad-input', `${what} holds ${path}, a ${header.type}, which no chart needs`);
  }
}

/** The files below the one folder that a packaged chart consists of, without the folder's name. */
export function chartFiles(files: readonly ArchivedFile[], name: string, what: string): ArchivedFile[] {
  const folders = new Set(files.map(({ path }) => path.slice(0, Math.max(0, path.indexOf('/')))));
  const folder = folders.has(name) ? name : folders.size === 1 ? ([...folders][0] ?? '') : '';
  const inside = files.filter(({ path }) => path.startsWith(`${folder}/`));
  if (folder === '' || !inside.some(({ path }) => path === `${folder}/Chart.yaml`))
    throw new AppError('bad-input', `${what} is no chart: it has no ${name}/Chart.yaml`, {
      hint: 'package it with "helm package"',
    });
  return inside.map((file) => ({ ...file, path: file.path.slice(folder.length + 1) }));
}
