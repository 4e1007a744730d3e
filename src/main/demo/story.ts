import { messageOf } from '#base/errors.ts';
import type { WorldInfo } from '#main/world-info.ts';

/** How a leg tells what it is doing. */
export interface Progress {
  /** One line of progress. */
  say(line: string): void;
  /** A measured part of this leg, for the timeline. */
  measure(name: string, ms: number): void;
}

/** What the legs that play against a running world are given. */
export interface StoryGiven {
  world: WorldInfo;
  programs: { git: string; kubectl: string; node: string; slipway: string };
  /** An empty directory for clones. */
  workDir: string;
  signal: AbortSignal;
  /** What later legs need to know of earlier ones. */
  facts: Map<string, string>;
}

export type StoryContext = StoryGiven & Progress;

/** One leg of the road, played against a running world through its public protocols only. */
export interface Leg<Given = StoryGiven> {
  id: string;
  title: string;
  run(context: Given & Progress): Promise<void>;
}

export interface LegResult {
  leg: string;
  title: string;
  ok: boolean;
  ms: number;
  parts: { name: string; ms: number }[];
  error?: string;
}

export type StoryEvent =
  | { type: 'leg-started'; leg: string; title: string }
  | { type: 'progress'; leg: string; message: string }
  | ({ type: 'leg-finished' } & LegResult);

/** Plays the legs in order and stops at the first that fails. Results hold every leg that was started. */
export async function playStory<Given>(
  legs: Leg<Given>[],
  given: Given,
  report: (event: StoryEvent) => void,
): Promise<LegResult[]> {
  const results: LegResult[] = [];
  for (const leg of legs) {
    report({ type: 'leg-started', leg: leg.id, title: leg.title });
    const started = performance.now();
    const parts: LegResult['parts'] = [];
    const result: LegResult = { leg: leg.id, title: leg.title, ok: true, ms: 0, parts };
    try {
      await leg.run({
        ...given,
        say: (message) => report({ type: 'progress', leg: leg.id, message }),
        measure: (name, ms) => parts.push({ name, ms: Math.round(ms) }),
      });
    } catch (error) {
      result.ok = false;
      result.error = messageOf(error);
    }
    result.ms = Math.round(performance.now() - started);
    results.push(result);
    report({ type: 'leg-finished', ...result });
    if (!result.ok) break;
  }
  return results;
}
