#!/usr/bin/env node
// The `slipway` command of a checkout: the project's Node 24 with the sources, no build step.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fail, nodeEnvironment, pinnedNode, root } from './node.mjs';

const node = pinnedNode();
if (!node) fail('Node 24 is not set up', `run npm run setup in ${root}`);
const args = [join(root, 'src', 'main', 'cli.ts'), ...process.argv.slice(2)];
const child = spawn(node, args, { stdio: 'inherit', env: nodeEnvironment() });
// A terminal sends Ctrl-C to the whole group: the child ends itself, this only waits and passes on what was sent to it alone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
});
