import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '#base/errors.ts';
import { JsonnetError } from '#jsonnet/error.ts';
import { evaluateJsonnet } from '#jsonnet/evaluate.ts';
import { importKey, type JsonnetAnswer, type JsonnetJob } from './jsonnet-job.ts';
import { parseYamlDocuments } from './yaml.ts';

/** The thread's program: evaluates the entries one after another and answers once. */
function answer(job: JsonnetJob): JsonnetAnswer {
  const results = new Map<string, unknown>();
  for (const entry of job.entries) {
    try {
      const result = evaluateJsonnet({
        entry,
        resolve: (from, path) => job.imports.get(importKey(from, path)),
        open: (name) => {
          const content = job.files.get(name);
          if (!content) throw new JsonnetError(`couldn't open ${name}`);
          return Buffer.from(content);
        },
        extVars: job.extVars,
        tlas: job.tlas,
        parseYaml: (text) => parseYamlDocuments(text, 'the text of std.parseYaml'),
      });
      results.set(entry, result);
    } catch (error) {
      return { entry, problem: error instanceof JsonnetError ? error.full : messageOf(error) };
    }
  }
  return { results };
}

parentPort?.postMessage(answer(workerData as JsonnetJob));
