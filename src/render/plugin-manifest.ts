import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { canonicalJson, sha256Hex } from '#base/digest.ts';
import { AppError } from '#base/errors.ts';
import { compareBytes } from './entry-order.ts';
import { parseYamlDocuments } from './yaml.ts';

const command = z.looseObject({ command: z.array(z.string()).nullish(), args: z.array(z.string()).nullish() });

const schema = z.looseObject({
  kind: z.literal('ConfigManagementPlugin'),
  metadata: z.looseObject({
    name: z.string().min(1),
    annotations: z.record(z.string(), z.string()).nullish(),
  }),
  spec: z.looseObject({
    version: z.string().nullish(),
    init: command.nullish(),
    generate: command,
    discover: z
      .looseObject({
        fileName: z.string().nullish(),
        find: z.looseObject({ ...command.shape, glob: z.string().nullish() }).nullish(),
      })
      .nullish(),
    preserveFileMode: z.boolean().nullish(),
    provideGitCreds: z.boolean().nullish(),
  }),
});

/** The annotation that holds a plugin to the application's folder; without it, it may read the whole repository. */
export const readsAnnotation = 'slipway.dev/reads';

export type Discovery =
  | { kind: 'none' }
  | { kind: 'file'; pattern: string }
  | { kind: 'glob'; pattern: string }
  | { kind: 'command'; words: string[] };

/** A ConfigManagementPlugin that the operator allows: its commands run on this machine. */
export interface Plugin {
  /** `<name>` or `<name>-<version>`, as applications write it. */
  id: string;
  init: string[] | undefined;
  generate: string[];
  discovery: Discovery;
  preserveFileMode: boolean;
  /** Asks for the Git credentials of the repository, which are not given: it does not run. */
  wantsCredentials: boolean;
  reads: 'repository' | 'path';
  /** Of everything above. */
  digest: string;
}

function words(given: z.infer<typeof command> | null | undefined): string[] {
  const program = given?.command ?? [];
  return program.length === 0 ? [] : [...program, ...(given?.args ?? [])];
}

/** Reads one manifest. Throws AppError bad-input that names `what`. */
export function parsePlugin(document: unknown, what: string): Plugin {
  const parsed = schema.safeParse(document);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new AppError(
      'bad-input',
      `${what} is no ConfigManagementPlugin: ${issue?.path.join('.')}: ${issue?.message}`,
    );
  }
  const { metadata, spec } = parsed.data;
  const generate = words(spec.generate);
  if (generate.length === 0)
    throw new AppError('bad-input', `${what}: the plugin ${metadata.name} has no spec.generate.command`);
  const reads = metadata.annotations?.[readsAnnotation] ?? 'repository';
  if (reads !== 'repository' && reads !== 'path')
    throw new AppError('bad-input', `${what}: ${readsAnnotation} is "${reads}"`, { hint: 'write repository or path' });
  const init = words(spec.init);
  const plugin = {
    id: spec.version ? `${metadata.name}-${spec.version}` : metadata.name,
    init: init.length > 0 ? init : undefined,
    generate,
    discovery: discoveryOf(spec.discover),
    preserveFileMode: spec.preserveFileMode ?? false,
    wantsCredentials: spec.provideGitCreds ?? false,
    reads,
  } as const;
  return { ...plugin, digest: sha256Hex(canonicalJson(plugin)) };
}

function discoveryOf(discover: z.infer<typeof schema>['spec']['discover']): Discovery {
  if (discover?.fileName) return { kind: 'file', pattern: discover.fileName };
  if (discover?.find?.glob) return { kind: 'glob', pattern: discover.find.glob };
  const find = words(discover?.find);
  return find.length > 0 ? { kind: 'command', words: find } : { kind: 'none' };
}

/** The plugins in the YAML files of a folder, in the order in which they are asked. */
export async function loadPlugins(folder: string): Promise<Plugin[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    throw new AppError('not-found', `the folder of plugins ${folder} cannot be read`, { cause });
  }
  const plugins = new Map<string, Plugin>();
  for (const name of names.filter((file) => /\.ya?ml$/.test(file)).sort(compareBytes)) {
    const file = join(folder, name);
    for (const document of parseYamlDocuments(await readFile(file, 'utf8'), file)) {
      const plugin = parsePlugin(document, file);
      if (plugins.has(plugin.id)) throw new AppError('bad-input', `${file}: a plugin ${plugin.id} is there already`);
      plugins.set(plugin.id, plugin);
    }
  }
  return [...plugins.values()].sort((a, b) => compareBytes(`${a.id}.sock`, `${b.id}.sock`));
}
