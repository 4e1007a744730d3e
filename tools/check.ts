/** Everything that must hold before a commit: types, format and lint, then the tests (tidy among them). `--no-tests` stops before them. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const bin = (name: string) => join(root, 'node_modules', '.bin', name);

const steps: { name: string; command: string; args: string[] }[] = [
  { name: 'types', command: bin('tsc'), args: ['-p', '.'] },
  { name: 'types of the page', command: bin('tsc'), args: ['-p', 'web'] },
  { name: 'format and lint', command: bin('biome'), args: ['check', '--error-on-warnings', '.'] },
];
if (process.argv.includes('--no-tests')) {
  steps.push({ name: 'tidy', command: process.execPath, args: ['--test', 'tools/tidy.test.ts'] });
} else {
  steps.push({ name: 'tests', command: process.execPath, args: ['tools/run.mjs', 'test'] });
}

for (const step of steps) {
  process.stderr.write(`check: ${step.name}\n`);
  const result = spawnSync(step.command, step.args, { cwd: root, stdio: 'inherit' });
  if (result.status === 0) continue;
  process.stderr.write(`check: ${step.name} failed\n`);
  process.exit(1);
}
