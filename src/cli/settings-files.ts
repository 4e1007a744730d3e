import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option } from 'commander';
import { AppError } from '#base/errors.ts';
import { getObject, getString } from '#base/json.ts';
import { parseYamlDocuments } from '#base/yaml.ts';
import type { ArgoSettings } from '#model/argocd/settings.ts';

/** The option of commands that work without a server, for what an instance is set to. */
export function settingsOption(what: string): Option {
  return new Option('--settings <file>', `ConfigMaps argocd-cm and argocd-cmd-params-cm, ${what}`)
    .argParser((value: string, previous: string[]) => [...previous, value])
    .default([], 'none');
}

/** What the ConfigMaps in files say; the defaults without any. Throws AppErrors that name the file or the key. */
export async function readSettings(cwd: string, files: readonly string[]): Promise<ArgoSettings> {
  const { parseSettings } = await import('#model/argocd/settings-parse.ts');
  const data: Record<string, Record<string, string>> = { 'argocd-cm': {}, 'argocd-cmd-params-cm': {} };
  for (const file of files) {
    const text = await readFile(resolve(cwd, file), 'utf8').catch((cause: unknown) => {
      throw new AppError('not-found', `${file} cannot be read`, { cause });
    });
    for (const document of parseYamlDocuments(text, file)) {
      const [kind, name = ''] = [getString(document, 'kind'), getString(document, 'metadata', 'name')];
      const known = data[name];
      if (kind !== 'ConfigMap' || known === undefined)
        throw new AppError(
          'bad-input',
          `${file} holds ${kind} ${name}, not the ConfigMap argocd-cm or argocd-cmd-params-cm`,
        );
      for (const [key, value] of Object.entries(getObject(document, 'data'))) known[key] = String(value);
    }
  }
  const settings = parseSettings(data['argocd-cm'] ?? {}, data['argocd-cmd-params-cm'] ?? {});
  const [problem] = settings.problems;
  if (problem !== undefined) throw new AppError('bad-input', `the settings cannot be read: ${problem}`);
  return settings;
}
