import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { silentLogger } from '#base/log.ts';
import type { StoryContext } from '#main/demo/story.ts';
import { startWorld, type World } from '#main/world.ts';
import { toolPath } from '../tools.ts';

let starting: Promise<World> | undefined;
const directories: string[] = [];

export function scratchDirectory(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), `slipway-${name}-`));
  directories.push(directory);
  return directory;
}

/** One running world for all whole-product tests of a process; each test keeps to namespaces and names of its own. */
export function sharedWorld(): Promise<World> {
  starting ??= startWorld({ dataDirectory: scratchDirectory('world'), logger: silentLogger });
  return starting;
}

after(async () => {
  if (starting) await (await starting)[Symbol.asyncDispose]();
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

/** A person at this world's keyboard, with a clean directory. */
export async function person(signal: AbortSignal = AbortSignal.timeout(120_000)): Promise<StoryContext> {
  const world = await sharedWorld();
  return {
    world: world.info,
    programs: {
      git: toolPath('git'),
      kubectl: toolPath('kubectl'),
      node: process.execPath,
      slipway: join(import.meta.dirname, '..', '..', 'src', 'main', 'cli.ts'),
    },
    workDir: scratchDirectory('person'),
    signal,
    say: () => {},
    measure: () => {},
    facts: new Map(),
  };
}
