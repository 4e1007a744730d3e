import { DriftTracker } from '#apps/drift.ts';
import type { TargetMemory } from '#apps/observation.ts';
import type { OperationMemory } from '#apps/operation.ts';
import type { LastWrite } from './status-writer.ts';

/** What this process keeps of one application between ticks; a restart finds all of it again. */
export interface Runtime {
  memory: TargetMemory;
  drift: DriftTracker;
  /** The last write of ours: its echo needs no tick. */
  lastWritten: LastWrite | undefined;
  /** The running operation as far as this process began it. */
  began: { id: string; at: number } | undefined;
  /** What is known of the running operation beyond its state. */
  operation: OperationMemory | undefined;
  /** Since when the outside has not let an operation go on. */
  troubledSince: number | undefined;
  /** Hooks of the deletion that failed are not tried again before this. */
  hooksAgainAt: number | undefined;
  /** What an earlier process may have left untold was looked at. */
  caughtUp: boolean;
  /** Ticks that ended. */
  ticks: number;
  known: boolean;
  /** When its manifests were last rendered without the caches, or since when they need not be. */
  anewAt: number | undefined;
}

export function newRuntime(): Runtime {
  return {
    memory: { targets: new Map() },
    drift: new DriftTracker(),
    lastWritten: undefined,
    began: undefined,
    operation: undefined,
    troubledSince: undefined,
    hooksAgainAt: undefined,
    caughtUp: false,
    ticks: 0,
    known: false,
    anewAt: undefined,
  };
}
