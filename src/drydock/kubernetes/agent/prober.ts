import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { ProbeSpec } from './pod-spec.ts';
import {
  countProbe,
  type ProbeCount,
  type ProbeKind,
  type ProbeOutcome,
  type ProbeTarget,
  probeOnce,
  type Verdict,
} from './probe.ts';

export interface ProberInput {
  kind: ProbeKind;
  spec: ProbeSpec;
  target: ProbeTarget;
  clock: Clock;
  /** Waits between tries before the first success of a readiness or startup probe; see `startProber`. */
  earlyDelayMs: number;
  onVerdict(verdict: 'success' | 'failure', message: string): void;
  onFailedTry(message: string): void;
}

/**
 * Probes in the probe's period until disposed. A program takes a moment to listen, and a first try that comes too early
 * would cost a whole period: until the first success, readiness and startup probes are tried between periods as well,
 * after 1, 2, 4... times `earlyDelayMs`. Such a try counts when it succeeds and is forgotten when it fails.
 */
export function startProber(input: ProberInput): AsyncDisposable {
  const abort = new AbortController();
  const work = run(input, abort.signal).catch((error: unknown) => {
    if (!abort.signal.aborted) input.onFailedTry(messageOf(error));
  });
  return {
    async [Symbol.asyncDispose]() {
      abort.abort();
      await work;
    },
  };
}

/** A program that was started this instant cannot be asked yet whether it is alive. */
const livenessPatienceMs = 1000;

async function run(input: ProberInput, signal: AbortSignal): Promise<void> {
  const { spec, clock, kind } = input;
  if (spec.initialDelayMs > 0) await clock.sleep(spec.initialDelayMs, signal);
  let count: ProbeCount = { successes: 0, failures: 0 };
  let last: Verdict;
  let succeeded = kind === 'liveness';
  let earlyDelayMs = input.earlyDelayMs;
  let nextPeriodAt = clock.now() + (succeeded ? Math.min(spec.periodMs, livenessPatienceMs) : spec.periodMs);
  if (succeeded) await clock.sleep(Math.max(0, nextPeriodAt - clock.now()), signal);
  while (!signal.aborted) {
    const onTime = clock.now() >= nextPeriodAt;
    if (onTime) nextPeriodAt = clock.now() + spec.periodMs;
    const outcome: ProbeOutcome = await probeOnce(spec.action, input.target, spec.timeoutMs);
    if (signal.aborted) return;
    if (onTime || outcome.ok) {
      const counted = countProbe(count, outcome.ok, spec);
      count = counted.count;
      if (!outcome.ok) input.onFailedTry(outcome.message);
      if (counted.verdict !== undefined && counted.verdict !== last) {
        last = counted.verdict;
        input.onVerdict(counted.verdict, outcome.message);
      }
      if (kind === 'startup' && last === 'success') return;
    }
    succeeded ||= outcome.ok;
    const untilPeriod = Math.max(1, nextPeriodAt - clock.now());
    const early = !succeeded && earlyDelayMs < untilPeriod;
    await clock.sleep(early ? earlyDelayMs : untilPeriod, signal);
    if (early) earlyDelayMs = Math.min(earlyDelayMs * 2, spec.periodMs);
  }
}
