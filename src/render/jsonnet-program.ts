import { readFileSync } from 'node:fs';
import { messageOf } from '#base/errors.ts';
import { parseYamlDocuments } from '#base/yaml.ts';
import { JsonnetError } from '#jsonnet/error.ts';
import { evaluateJsonnet } from '#jsonnet/evaluate.ts';
import { importKey, type JsonnetAnswer, parseJob } from './jsonnet-job.ts';

/** A process of its own: reads its job from the file `job.json` beside it, evaluates, and prints one answer. */
function answer(text: string): JsonnetAnswer {
  const job = parseJob(text);
  const results: [string, unknown][] = [];
  for (const entry of job.entries) {
    try {
      const result = evaluateJsonnet({
        entry,
        resolve: (from, path) => job.imports.get(importKey(from, path)),
        open: (name) => {
          const content = job.files.get(name);
          if (!content) throw new JsonnetError(`couldn't open ${name}`);
          return content;
        },
        extVars: job.extVars,
        tlas: job.tlas,
        parseYaml: (yaml) => parseYamlDocuments(yaml, 'the text of std.parseYaml'),
      });
      results.push([entry, result]);
    } catch (error) {
      return { entry, problem: error instanceof JsonnetError ? error.full : messageOf(error) };
    }
  }
  return { results };
}

process.stdout.write(JSON.stringify(answer(readFileSync('job.json', 'utf8'))));
