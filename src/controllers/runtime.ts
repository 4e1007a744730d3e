import { DriftTracker } from '#apps/drift.ts';
import type { TargetMemory } from '#apps/observation.ts';
import type { LastWrite } from './status-writer.ts';

/** What this process keeps of one application between ticks; a restart finds all of it again. */
export interface Runtime {
  memory: TargetMemory;
  drift: DriftTracker;
  /** The last write of ours: its echo needs no tick. */
  lastWritten: LastWrite | undefined;
  /** The running operation as far as this process began it. */
  began: { id: string; at: number } | undefined;
  /** Ticks that ended. */
  ticks: number;
  known: boolean;
}

export function newRuntime(): Runtime {
  return {
    memory: { targets: new Map() },
    drift: new DriftTracker(),
    lastWritten: undefined,
    began: undefined,
    ticks: 0,
    known: false,
  };
}
