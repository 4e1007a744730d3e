#!/usr/bin/env node
// The `slipway` command of a checkout: the project's Node 24 with the sources, no build step.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fail, nodeEnvironment, pinnedNode, root } from './node.mjs';

const node = pinnedNode();
if (!node) fail('Node 24 is not set up', `run npm run setup in ${root}`);
const args = [join(root, 'src', 'main', 'cli.ts'), ...process.argv.slice(2)];
const child = spawn(node, args, { stdio: 'inherit', env: nodeEnvironment() });
// Passed on: a terminal sends Ctrl-C to both, a supervisor to this alone. The command knows that one request may come twice.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal];
});
