import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { DemoOptions } from '#cli/deps.ts';
import { createLogger } from '#main/logger.ts';
import { projectRoot, requireProgram } from '#main/programs.ts';
import { removeWorld, startWorld, type World } from '#main/world.ts';
import { legs } from './legs.ts';
import { type Leg, type LegResult, playStory, type StoryEvent, type StoryGiven } from './story.ts';
import { progressPrinter, renderTimeline } from './timeline.ts';

/** `slipway demo`: a fresh world, the whole story, a timeline. Resolves with 0, or 1 when a leg failed. */
export async function demo(options: DemoOptions, signal: AbortSignal): Promise<number> {
  const write = (text: string) => process.stdout.write(text);
  const report = progressPrinter(write, options.json);
  const directory = options.dataDirectory
    ? resolve(options.dataDirectory)
    : mkdtempSync(join(tmpdir(), 'slipway-demo-'));
  mkdirSync(directory, { recursive: true });
  let kept = options.keep || options.dataDirectory !== undefined;
  try {
    const results = await play(directory, report, signal);
    const failed = results.find((result) => !result.ok);
    kept ||= failed !== undefined;
    if (options.json) write(`${JSON.stringify({ type: 'timeline', ok: !failed, legs: results })}\n`);
    else write(`\n${renderTimeline(results)}\n`);
    if (failed && !options.json)
      write(`\nleg "${failed.leg}" failed: ${failed.error}\nits data and log: ${directory}\n`);
    return failed ? 1 : 0;
  } finally {
    if (!kept) removeWorld(directory);
  }
}

async function play(directory: string, report: (event: StoryEvent) => void, signal: AbortSignal): Promise<LegResult[]> {
  const logger = createLogger({ file: join(directory, 'slipway.log') });
  await using stack = new AsyncDisposableStack();
  let world: World | undefined;
  const comesUp: Leg<object> = {
    id: 'world',
    title: 'Drydock and Slipway come up',
    async run({ say, measure }) {
      const onPart = (name: string, ms: number) => {
        measure(name, ms);
        say(`${name} is up`);
      };
      world = stack.use(await startWorld({ dataDirectory: directory, logger, onPart }));
    },
  };
  const workDir = join(directory, 'demo');
  mkdirSync(workDir, { recursive: true });
  const first = await playStory([comesUp], {}, report);
  const given = { programs: storyPrograms(), workDir, signal, facts: new Map<string, string>() };
  const rest = world ? await playStory(legs, { ...given, world: world.info }, report) : [];
  return [...first, ...rest];
}

function storyPrograms(): StoryGiven['programs'] {
  return {
    git: requireProgram('git'),
    kubectl: requireProgram('kubectl'),
    node: process.execPath,
    slipway: join(projectRoot, 'src', 'main', 'cli.ts'),
  };
}
