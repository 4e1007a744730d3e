import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { getString, parseJson } from '#base/json.ts';
import { projectRoot } from './programs.ts';

/** Of this checkout, from package.json. */
export function slipwayVersion(): string {
  const path = join(projectRoot, 'package.json');
  return getString(parseJson(readFileSync(path, 'utf8'), path), 'version') ?? '0.0.0';
}
