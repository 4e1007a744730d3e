import { sha256Hex } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import { registerSecret } from '#base/redact.ts';
import type { GitCredentials } from './port.ts';

/** A repository's address without credentials; `key` is equal for spellings of the same address. */
export interface GitUrl {
  url: string;
  key: string;
  transport: 'http' | 'ssh';
  /** Those written into the address: taken out, never given to git's command line or kept on disk. */
  credentials: GitCredentials | undefined;
}

/** Parses https, http and ssh addresses and `user@host:path`. Throws AppError `bad-input` for anything else. */
export function parseGitUrl(text: string): GitUrl {
  const scp = /^([A-Za-z0-9._-]+)@([A-Za-z0-9.-]+):(?!\/\/)([^\s]+)$/.exec(text);
  if (scp) return ssh(`ssh://${scp[1]}@${scp[2]}/${scp[3]?.replace(/^\/+/, '')}`, text);
  if (!/^(https?|ssh):\/\/[^\s/]+\/[^\s]+$/.test(text) || !URL.canParse(text))
    throw new AppError('bad-input', `${JSON.stringify(text)} is not a repository address`, {
      hint: 'use https://host/path, http://host/path, ssh://user@host/path or user@host:path',
    });
  return text.startsWith('ssh:') ? ssh(text, text) : http(text);
}

/** Name of the folder that mirrors the repository. */
export function mirrorName(url: GitUrl, scope?: string): string {
  const base = url.key.slice(url.key.lastIndexOf('/') + 1).replace(/[^A-Za-z0-9._-]/g, '-');
  return `${base.slice(0, 40)}-${sha256Hex(scope === undefined ? url.key : `${url.key} ${scope}`).slice(0, 24)}.git`;
}

function ssh(canonical: string, url: string): GitUrl {
  return { url, key: withoutSuffix(new URL(canonical).href), transport: 'ssh', credentials: undefined };
}

function http(text: string): GitUrl {
  const url = new URL(text);
  const username = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  registerSecret(password);
  url.username = '';
  url.password = '';
  url.hash = '';
  const credentials = username === '' && password === '' ? undefined : { username, password };
  return { url: url.href, key: withoutSuffix(url.href), transport: 'http', credentials };
}

function withoutSuffix(href: string): string {
  return href.replace(/\/+$/, '').replace(/\.git$/, '');
}
