import type { Variable } from '#jsonnet/evaluate.ts';

/** What the evaluating process is given. */
export interface JsonnetJob {
  entries: string[];
  files: Map<string, Buffer>;
  /** Importing file and path as written (`importKey`): the file that is meant. */
  imports: Map<string, string>;
  extVars: Variable[];
  tlas: Variable[];
}

/** What it prints. */
export type JsonnetAnswer = { results: [string, unknown][] } | { entry: string; problem: string };

export function importKey(from: string, path: string): string {
  return `${from}\n${path}`;
}

interface WrittenJob extends Omit<JsonnetJob, 'files' | 'imports'> {
  files: [string, string][];
  imports: [string, string][];
}

export function writeJob(job: JsonnetJob): string {
  const files = [...job.files].map(([name, content]): [string, string] => [name, content.toString('base64')]);
  const written: WrittenJob = { ...job, files, imports: [...job.imports] };
  return JSON.stringify(written);
}

/** Of what `writeJob` wrote. */
export function parseJob(text: string): JsonnetJob {
  const written: WrittenJob = JSON.parse(text);
  const files = new Map(written.files.map(([name, content]) => [name, Buffer.from(content, 'base64')]));
  return { ...written, files, imports: new Map(written.imports) };
}
