import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { AppError } from '#base/errors.ts';
import { getArray, getObject, getString, isObject } from '#base/json.ts';
import type { Health } from '#health/health.ts';
import type { KubeObject } from '#kube/port.ts';
import { renderTable } from './printer.ts';
import { type OutputOption, type Session, withOutput } from './session.ts';
import { readSettings, settingsOption } from './settings-files.ts';

interface HealthOptions extends OutputOption {
  settings: string[];
  exitCode?: boolean;
}

interface HealthEntry {
  file: string;
  apiVersion: string;
  kind: string;
  namespace?: string;
  name: string;
  /** Null is no opinion: the object holds nothing up. */
  health: Health | null;
}

const fine = new Set(['Healthy', 'Suspended']);

export function registerHealth(program: Command, session: Session): void {
  withOutput(program.command('health <file...>'))
    .description(
      'the health of live objects in YAML or JSON files, as an application would show it; "-" is standard input',
    )
    .addOption(settingsOption('for checks of your own'))
    .option('--exit-code', 'exit 1 unless every object is Healthy, Suspended or without an opinion')
    .action(async (files: string[], options: HealthOptions) => {
      const { assessHealth } = await import('#health/assess.ts');
      const settings = await readSettings(session.deps.cwd, options.settings);
      const nowMs = session.deps.clock.now();
      const entries: HealthEntry[] = [];
      for (const file of files)
        for (const object of objectsOf(await readYaml(session, file), file))
          entries.push(entryOf(file, object, assessHealth(object, { settings, nowMs })));
      const bad = entries.some(({ health }) => health !== null && !fine.has(health.status));
      const exit = options.exitCode === true && bad ? 1 : 0;
      session.show({ data: entries, text: () => tableOf(entries), exit }, options);
    });
}

function entryOf(file: string, object: KubeObject, health: Health | undefined): HealthEntry {
  const { namespace, name } = object.metadata;
  const { apiVersion, kind } = object;
  return { file, apiVersion, kind, ...(namespace === undefined ? {} : { namespace }), name, health: health ?? null };
}

function tableOf(entries: readonly HealthEntry[]): string {
  const rows = entries.map(({ file, kind, namespace, name, health }) => [
    health?.status ?? '-',
    kind,
    namespace === undefined ? name : `${namespace}/${name}`,
    file,
    (health?.message ?? '').trimEnd().replaceAll('\n', ' '),
  ]);
  return renderTable(['HEALTH', 'KIND', 'NAME', 'FILE', 'MESSAGE'], rows);
}

async function readYaml(session: Session, file: string): Promise<unknown[]> {
  const { parseYamlDocuments } = await import('#base/yaml.ts');
  let text: string;
  try {
    text = await readFile(file === '-' ? '/dev/stdin' : resolve(session.deps.cwd, file), {
      encoding: 'utf8',
      signal: session.signal,
    });
  } catch (cause) {
    throw new AppError('not-found', `${file} cannot be read`, { cause });
  }
  return parseYamlDocuments(text, file);
}

/** The objects of the documents, Lists taken apart. */
function objectsOf(documents: readonly unknown[], file: string): KubeObject[] {
  return documents.flatMap((document) => {
    const kind = getString(document, 'kind');
    const apiVersion = getString(document, 'apiVersion');
    if (!isObject(document) || kind === undefined || apiVersion === undefined)
      throw new AppError('bad-input', `${file} holds a document without apiVersion or kind`, {
        hint: 'health is of objects as a cluster has them, for example from kubectl get -o yaml',
      });
    if (kind.endsWith('List') && Array.isArray(document.items)) return objectsOf(getArray(document, 'items'), file);
    const metadata = { ...getObject(document, 'metadata'), name: getString(document, 'metadata', 'name') ?? '' };
    return [{ ...document, apiVersion, kind, metadata }];
  });
}
