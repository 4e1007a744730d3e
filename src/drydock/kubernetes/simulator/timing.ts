import type { BackoffLimits } from '../agent/container-state.ts';

/** How long things take on a simulated node, in its own time: `speed` divides all of it, knobs and back-off too. */
export interface SimulatorTiming {
  speed: number;
  /** The first pull of an image on a node. */
  pullMs: number;
  /** From the image to a running container. */
  createMs: number;
  /** How long containers that are meant to end run. */
  initMs: number;
  jobMs: number;
  /** From SIGTERM to the end. */
  stopMs: number;
  restart: BackoffLimits;
  /** A run this long makes the restart back-off start over. */
  stableRunMs: number;
  pull: BackoffLimits;
  /** How long a failed pull shows as such before it shows as backing off. */
  pullErrorShownMs: number;
  heartbeatMs: number;
}

export const usualTiming: SimulatorTiming = {
  speed: 1,
  pullMs: 200,
  createMs: 50,
  initMs: 200,
  jobMs: 1_000,
  stopMs: 20,
  restart: { firstMs: 10_000, maxMs: 300_000 },
  stableRunMs: 600_000,
  pull: { firstMs: 10_000, maxMs: 300_000 },
  pullErrorShownMs: 1_000,
  heartbeatMs: 10_000,
};
