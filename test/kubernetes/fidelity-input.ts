import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { areas } from './areas.ts';
import { differences } from './differences.ts';
import { type ClientRun, fidelityDocument } from './fidelity.ts';
import { leftOut } from './left-out.ts';

export const fidelityPath = 'docs/reference/drydock-fidelity.md';

/** The document as it has to be now. */
export function committedFidelity(): string {
  const clients: ClientRun[] = JSON.parse(readFileSync(join(import.meta.dirname, 'clients-result.json'), 'utf8'));
  return fidelityDocument({ areas, leftOut, differences, clients });
}
