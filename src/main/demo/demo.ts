import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { DemoOptions } from '#cli/deps.ts';
import { createLogger } from '#main/logger.ts';
import { projectRoot, requireProgram } from '#main/programs.ts';
import { removeWorld, startWorld } from '#main/world.ts';
import { legs } from './legs.ts';
import { type LegResult, playStory, type StoryEvent } from './story.ts';
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
  const leg = 'world';
  const title = 'Drydock and Slipway come up';
  const logger = createLogger({ file: join(directory, 'slipway.log') });
  report({ type: 'leg-started', leg, title });
  const started = performance.now();
  const parts: LegResult['parts'] = [];
  await using world = await startWorld({
    dataDirectory: directory,
    logger,
    onPart: (name, ms) => {
      parts.push({ name, ms: Math.round(ms) });
      report({ type: 'progress', leg, message: `${name} is up` });
    },
  });
  const up: LegResult = { leg, title, ok: true, ms: Math.round(performance.now() - started), parts };
  report({ type: 'leg-finished', ...up });
  const workDir = join(directory, 'demo');
  mkdirSync(workDir, { recursive: true });
  const rest = await playStory(
    legs,
    {
      world: world.info,
      programs: {
        git: requireProgram('git'),
        kubectl: requireProgram('kubectl'),
        node: process.execPath,
        slipway: join(projectRoot, 'src', 'main', 'cli.ts'),
      },
      workDir,
      signal,
      facts: new Map(),
    },
    report,
  );
  logger.flush();
  return [up, ...rest];
}
