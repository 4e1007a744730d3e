/** Writes docs/reference/drydock-fidelity.md from the Kubernetes suite. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { committedFidelity, fidelityPath } from '../test/kubernetes/fidelity-input.ts';

writeFileSync(join(import.meta.dirname, '..', fidelityPath), committedFidelity());
process.stderr.write(`wrote ${fidelityPath}\n`);
