import { readFileSync } from 'node:fs';

/** The version the pipeline wrote into the image; `dev` in a checkout. */
export function readVersion(file: URL = new URL('./version.json', import.meta.url)): string {
  try {
    const parsed: { version?: unknown } = JSON.parse(readFileSync(file, 'utf8'));
    return typeof parsed.version === 'string' ? parsed.version : 'dev';
  } catch {
    return 'dev';
  }
}
