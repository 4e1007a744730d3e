import { writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { AppError, isAppError } from '#base/errors.ts';
import { JsonnetError } from '#jsonnet/error.ts';
import type { Variable } from '#jsonnet/evaluate.ts';
import { importsOf } from '#jsonnet/lexer.ts';
import { buildEnvironment, expandVariables } from './build-environment.ts';
import { importKey, type JsonnetAnswer, writeJob } from './jsonnet-job.ts';
import type { LinkedEntry } from './links.ts';
import { repositoryPath } from './repository-path.ts';
import type { LinkedRequest, ResolvedSource } from './source.ts';
import { runTool } from './tool.ts';

const timeoutMs = 30_000;
const memoryMb = 256;
/** Below what threads of a process get by default everywhere. */
const stackKb = 3_900;
const maxOutputBytes = 64 * 1024 * 1024;
const program = fileURLToPath(new URL('./jsonnet-program.ts', import.meta.url));
const maxFiles = 2_000;
const maxBytes = 32 * 1024 * 1024;

const variables = z
  .array(z.looseObject({ name: z.string(), value: z.string().default(''), code: z.boolean().nullish() }))
  .nullish();
const blockSchema = z.looseObject({ tlas: variables, extVars: variables, libs: z.array(z.string()).nullish() });

/** Everything that an evaluation can read, found beforehand: a program sees no other file. */
export interface JsonnetPlan {
  files: Map<string, Buffer>;
  /** Importing file, line break, path as written: the file that is meant. */
  imports: Map<string, string>;
  extVars: Variable[];
  tlas: Variable[];
  /** Files outside the folder that are read, or would be if they were there. */
  paths: string[];
  place: string;
  /** What the result depends on. */
  key: unknown;
}

/** What was checked and turned into variables; a wrong block is told by field. */
function readBlock(request: LinkedRequest, block: unknown): { extVars: Variable[]; tlas: Variable[]; libs: string[] } {
  const parsed = blockSchema.safeParse(block ?? {});
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new AppError(
      'bad-input',
      `spec.source.directory.jsonnet is wrong: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
    );
  }
  const environment = buildEnvironment(request);
  const { extVars, tlas, libs } = parsed.data;
  const expand = (list: typeof tlas): Variable[] =>
    (list ?? []).map(({ name, value, code }) => ({
      name,
      value: expandVariables(value, environment),
      code: code ?? false,
    }));
  return { extVars: expand(extVars), tlas: expand(tlas), libs: libs ?? [] };
}

/** Follows imports from the programs and from variables that are code. Those that lead to no file fail when they are run. */
export async function planJsonnet(
  request: LinkedRequest,
  job: { resolved: ResolvedSource; programs: readonly LinkedEntry[] },
  signal: AbortSignal,
): Promise<JsonnetPlan> {
  const { extVars, tlas, libs } = readBlock(request, job.resolved.source.directory?.jsonnet);
  // The last library is looked into first, as in Argo CD.
  const folders = [job.resolved.path, ...libs.map((lib) => repositoryPath(lib, 'directory.jsonnet.libs'))].reverse();
  const walk = new ImportWalk(request, folders);
  for (const { path } of job.programs) await walk.file(path, 'import', signal);
  for (const [index, variable] of [...extVars, ...tlas].entries()) {
    const what = index < extVars.length ? 'extvar' : 'top-level-arg';
    if (variable.code) await walk.text(`<${what}:${variable.name}>`, variable.value, signal);
  }
  const key = { extVars, tlas, imports: [...walk.imports], files: [...walk.ids] };
  return {
    files: walk.files,
    imports: walk.imports,
    extVars,
    tlas,
    paths: [...walk.looked],
    place: request.tree.place,
    key,
  };
}

class ImportWalk {
  readonly files = new Map<string, Buffer>();
  readonly ids = new Map<string, string>();
  readonly imports = new Map<string, string>();
  readonly looked = new Set<string>();
  readonly #request: LinkedRequest;
  readonly #folders: readonly string[];
  #bytes = 0;

  constructor(request: LinkedRequest, folders: readonly string[]) {
    this.#request = request;
    this.#folders = folders;
  }

  async file(path: string, how: string, signal: AbortSignal): Promise<void> {
    if (this.files.has(path)) return;
    const { tree } = this.#request;
    const oid = await tree.objectId(path, signal);
    const content = await tree.readFile(path, signal);
    if (oid === undefined || !content) return;
    this.#bytes += content.length;
    if (this.files.size >= maxFiles || this.#bytes > maxBytes)
      throw new AppError('limit', `${path} in ${tree.place} imports more than ${maxFiles} files or ${maxBytes} bytes`);
    this.files.set(path, content);
    this.ids.set(path, oid);
    if (how === 'import') await this.text(path, content.toString('utf8'), signal);
  }

  /** Texts that are not the language's fail when they are evaluated, with the place. */
  async text(from: string, text: string, signal: AbortSignal): Promise<void> {
    let found: ReturnType<typeof importsOf>;
    try {
      found = importsOf({ name: from, text });
    } catch (error) {
      if (error instanceof JsonnetError) return;
      throw error;
    }
    for (const { how, path } of found) {
      const target = await this.#find(from, path, signal);
      if (target === undefined) continue;
      this.imports.set(importKey(from, path), target);
      await this.file(target, how, signal);
    }
  }

  /** Undefined when no file is there. Throws when the only places that the import could mean are out of the repository. */
  async #find(from: string, path: string, signal: AbortSignal): Promise<string | undefined> {
    const { tree } = this.#request;
    const beside = from.startsWith('<') ? [] : [posix.dirname(from)];
    let inside = false;
    for (const folder of [...beside, ...this.#folders]) {
      const candidate = posix.normalize(posix.join(folder === '' ? '.' : folder, path));
      if (path.startsWith('/') || candidate === '..' || candidate.startsWith('../')) continue;
      inside = true;
      this.looked.add(candidate);
      if ((await tree.readFile(candidate, signal)) !== undefined) return candidate;
    }
    if (inside) return undefined;
    throw new AppError('bad-input', `${from} in ${tree.place} imports ${path}, which is out of the repository`, {
      hint: 'import a file of the repository, by a path relative to this file or to a folder of directory.jsonnet.libs',
    });
  }
}

/** Evaluates programs in a process of its own, which ends at the limits of time, memory or stack. Results by path. */
export async function evaluateJsonnetFiles(
  plan: JsonnetPlan,
  job: {
    entries: string[];
    folder: string;
    /** Where Node keeps what it made of the sources, so that the process starts three times sooner. */
    compiled: string;
  },
  signal: AbortSignal,
): Promise<Map<string, unknown>> {
  const { entries, folder, compiled } = job;
  const { files, imports, extVars, tlas, place } = plan;
  const which = `${entries.length === 1 ? entries[0] : `${entries[0]} and ${entries.length - 1} more`} in ${place}`;
  await writeFile(join(folder, 'job.json'), writeJob({ entries, files, imports, extVars, tlas }));
  const result = await runTool(
    {
      path: process.execPath,
      args: [`--max-old-space-size=${memoryMb}`, `--stack-size=${stackKb}`, '--no-warnings', program],
      cwd: folder,
      env: { NODE_COMPILE_CACHE: compiled },
      timeoutMs,
      maxOutputBytes,
    },
    signal,
  ).catch((cause: unknown) => {
    if (!isAppError(cause) || (cause.code !== 'timeout' && cause.code !== 'limit')) throw cause;
    const what =
      cause.code === 'timeout' ? `takes longer than ${timeoutMs} ms` : `gives more than ${maxOutputBytes} bytes`;
    throw new AppError(cause.code, `the evaluation of ${which} ${what}`, {
      cause,
      hint: 'does the program recurse without end?',
    });
  });
  if (result.code !== 0) throw ended(which, result.stderr);
  const answer: JsonnetAnswer = JSON.parse(result.stdout);
  if ('results' in answer) return new Map(answer.results);
  throw new AppError('bad-input', `${answer.entry} in ${place} cannot be evaluated: ${answer.problem}`, {
    hint: 'correct the program; "jsonnet" shows the same on your machine',
  });
}

function ended(which: string, stderr: string): AppError {
  if (/heap out of memory|heap limit/i.test(stderr))
    return new AppError('limit', `the evaluation of ${which} needs more than ${memoryMb} MB of memory`, {
      hint: 'does the program grow without end?',
    });
  return new AppError(
    'tool-failed',
    `the evaluation of ${which} ended without an answer: ${stderr.trim().slice(0, 500)}`,
  );
}
