import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { StoryContext } from '#main/demo/story.ts';
import { readWorldInfo } from '#main/world-info.ts';
import { toolPath } from '../tools.ts';
import { scratchDirectory } from './shared-world.ts';

const cli = join(import.meta.dirname, '..', '..', 'src', 'main', 'cli.ts');

/** `slipway up` as a process of its own; resolves when it says that it is up. */
export async function startUp(dataDirectory: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [cli, 'up', '--data', dataDirectory], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  const lines = createInterface({ input: child.stdout });
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => line.startsWith('Slipway is up') && resolve());
    child.once('exit', (code) => reject(new Error(`up ended with ${code}: ${said.join('')}`)));
  });
  return child;
}

/** A person at that world's keyboard, with a clean directory. */
export function personIn(dataDirectory: string, timeoutMs: number): StoryContext {
  return {
    world: readWorldInfo(join(dataDirectory, 'world.json')),
    programs: { git: toolPath('git'), kubectl: toolPath('kubectl'), node: process.execPath, slipway: cli },
    workDir: scratchDirectory('person'),
    signal: AbortSignal.timeout(timeoutMs),
    say: () => {},
    measure: () => {},
    facts: new Map(),
  };
}
