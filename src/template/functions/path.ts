import { posix } from 'node:path';
import { type FunctionMap, fn } from '../function.ts';

/** Go's path.Base. */
export function baseOf(path: string): string {
  if (path === '') return '.';
  const bare = path.replace(/\/+$/, '');
  return bare === '' ? '/' : (bare.split('/').at(-1) ?? '');
}

/** Go's path.Clean. */
export function cleanPath(path: string): string {
  const normal = posix.normalize(path === '' ? '.' : path);
  return normal.length > 1 ? normal.replace(/\/$/, '') : normal;
}

/** Go's path.Dir. */
export function dirOf(path: string): string {
  return cleanPath(path.slice(0, path.lastIndexOf('/') + 1));
}

function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot);
}

const base = fn(['string'], baseOf);
const clean = fn(['string'], cleanPath);
const dir = fn(['string'], dirOf);
const ext = fn(['string'], extensionOf);
const isAbs = fn(['string'], (path) => path.startsWith('/'));

export const pathFunctions: FunctionMap = {
  base,
  clean,
  dir,
  ext,
  isAbs,
  osBase: base,
  osClean: clean,
  osDir: dir,
  osExt: ext,
  osIsAbs: isAbs,
};
