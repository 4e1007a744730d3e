import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** Path of an outside program that tests run: the copy `npm run setup` made, else the one on PATH. */
export function toolPath(name: 'kubectl' | 'helm' | 'git' | 'node'): string {
  const places = [
    join(root, '.tools', 'bin'),
    join(root, 'node_modules', '.bin'),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  for (const place of places) {
    const path = join(place, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not there: look in the next place.
    }
  }
  throw new Error(`${name} was not found; run "npm run setup"`);
}
