/**
 * Runs the steps of test/kubernetes/clients with every kubectl and helm of tools/clients.json against Drydock, and writes
 * what came of it to the fidelity page. Programs are kept in .tools/clients. Arguments: the versions of kubectl to run,
 * `1.29 1.35`; the others then keep their last result.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runClient } from '../test/kubernetes/clients/matrix.ts';
import type { ClientRun } from '../test/kubernetes/fidelity.ts';
import { committedFidelity, fidelityPath } from '../test/kubernetes/fidelity-input.ts';
import { startDrydock } from '../test/kubernetes/suite/drydock.ts';
import { fetchPrograms, type Tool } from './setup.mjs';

const root = join(import.meta.dirname, '..');
const resultPath = join(root, 'test', 'kubernetes', 'clients-result.json');
const wanted = process.argv.slice(2);
const tools: Tool[] = JSON.parse(readFileSync(join(root, 'tools', 'clients.json'), 'utf8'));
const before: ClientRun[] = JSON.parse(readFileSync(resultPath, 'utf8'));
const runs = new Map(before.map((run) => [`${run.client} ${run.version}`, run]));

for (const tool of tools) {
  const line = tool.package.replace(/^.*-v/, '1.');
  if (wanted.length > 0 && !wanted.includes(line)) continue;
  if (`${process.platform}-${process.arch}` !== tool.platform) {
    process.stderr.write(`clients: ${tool.package} is for ${tool.platform} only\n`);
    process.exit(1);
  }
  const dir = join(root, '.tools', 'clients', `${line}-${tool.version}`);
  if (!existsSync(join(dir, 'helm'))) await fetchPrograms(tool, dir);
  await using drydock = await startDrydock();
  const both = await Promise.all(
    (['kubectl', 'helm'] as const).map((name) => runClient(name, join(dir, name), drydock.kubeconfig)),
  );
  for (const run of both) {
    runs.set(`${run.client} ${run.version}`, run);
    process.stderr.write(`clients: ${run.client} ${run.version}: ${run.passed.length} passed\n`);
    for (const { step, why } of run.failed) process.stderr.write(`clients:   ${step} failed: ${why}\n`);
  }
}

const order = (run: ClientRun) => [run.client === 'kubectl' ? 0 : 1, ...run.version.split('.').map(Number)];
const sorted = [...runs.values()].sort((a, b) => {
  const [x, y] = [order(a), order(b)];
  const at = x.findIndex((part, index) => part !== y[index]);
  return at < 0 ? 0 : (x[at] ?? 0) - (y[at] ?? 0);
});
writeFileSync(resultPath, `${JSON.stringify(sorted, undefined, 2)}\n`);
writeFileSync(join(root, fidelityPath), committedFidelity());
if (sorted.some((run) => run.failed.length > 0)) process.exitCode = 1;
