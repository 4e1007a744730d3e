import type { Variable } from '#jsonnet/evaluate.ts';

/** What the evaluating thread is given, and what it answers. */
export interface JsonnetJob {
  entries: string[];
  files: Map<string, Uint8Array>;
  /** Importing file and path as written (`importKey`): the file that is meant. */
  imports: Map<string, string>;
  extVars: Variable[];
  tlas: Variable[];
}

export type JsonnetAnswer = { results: Map<string, unknown> } | { entry: string; problem: string };

export function importKey(from: string, path: string): string {
  return `${from}\n${path}`;
}
