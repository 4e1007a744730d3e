import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { AppError, explain, messageOf } from '#base/errors.ts';
import { isObject } from '#base/json.ts';
import { renderHunks, unifiedDiff } from '#base/unified-diff.ts';
import { parseYamlDocuments } from '#base/yaml.ts';
import type { KubeObject } from '#kube/port.ts';
import type { Application } from '#model/argocd/application.ts';
import { parseApplication } from '#model/argocd/application-schema.ts';
import { type ArgoSettings, defaultSettings } from '#model/argocd/settings.ts';
import { parseSettings } from '#model/argocd/settings-parse.ts';
import { resourceKeyOf } from '#sync/identity.ts';
import { maskSecrets } from '#sync/mask.ts';
import { diffObject, type ObjectDiff } from '#sync/object-diff.ts';
import { paintDiff } from './paint.ts';
import { renderResult } from './printer.ts';
import type { Session } from './session.ts';

interface DiffFlags {
  desired?: string;
  live?: string;
  application?: string;
  settings?: string;
  serverSide?: boolean;
  output: string;
  exitCode: boolean;
  diffExitCode: string;
}

/** As `argocd` exits when it could not compare. */
const errorExit = 20;

/** `slipway diff`: files against each other, with no server. */
export function registerDiff(program: Command, session: Session): void {
  program
    .command('diff')
    .description(
      'manifests against live objects, both from files, as an application would compare them; exits 1 on a difference',
    )
    .option('--desired <file>', 'what Git wants, YAML or JSON; absent: the live objects are to be pruned')
    .option('--live <file>', 'what the cluster has; absent: the desired objects are to be created')
    .option('--application <file>', 'the Application, for its ignoreDifferences, sync options and tracking')
    .option('--settings <file>', 'argocd-cm, for resource.customizations, resource.compareoptions and tracking')
    .option(
      '--server-side',
      'compare as server-side apply would merge; else as the options of application and object say',
    )
    .option('-o, --output <format>', 'diff, name, json or yaml', 'diff')
    .option('--no-exit-code', 'exit 0 even when there are differences')
    .option('--diff-exit-code <code>', 'exit code when there are differences', '1')
    .action(async (flags: DiffFlags) => {
      try {
        session.exit = await runDiff(session, flags);
      } catch (error) {
        session.deps.err(`${explain(error)}\n`);
        session.exit = errorExit;
      }
    });
}

async function runDiff(session: Session, flags: DiffFlags): Promise<number> {
  const { desired, live, output } = flags;
  if (!['diff', 'table', 'name', 'json', 'yaml'].includes(output))
    throw new AppError('bad-input', `-o ${output} is no output format`, { hint: 'one of: diff, name, json, yaml' });
  if (desired === undefined && live === undefined)
    throw new AppError('bad-input', 'nothing to compare', { hint: 'give --desired FILE, --live FILE or both' });
  const read = (file: string | undefined) =>
    file === undefined ? [] : readObjects(session.deps.cwd, file, session.signal);
  const [wanted, there, applications, configuration] = [
    await read(desired),
    await read(live),
    await read(flags.application),
    await read(flags.settings),
  ];
  const context = {
    application: applicationOf(applications),
    settings: settingsOf(configuration),
    types: await session.deps.types(),
    serverSide: flags.serverSide,
  };
  const pairs = pairUp(wanted, there);
  const shown = pairs.map((pair) => shownDiff(pair, diffObject({ ...pair, ...context }), context.settings));
  session.deps.out(render(shown, output, session.deps.settings.color));
  return flags.exitCode && shown.some(({ modified }) => modified) ? Number(flags.diffExitCode) || 1 : 0;
}

async function readObjects(cwd: string, file: string, signal: AbortSignal): Promise<KubeObject[]> {
  let text: string;
  try {
    text = await readFile(resolve(cwd, file), { encoding: 'utf8', signal });
  } catch (error) {
    throw new AppError('not-found', `${file} could not be read: ${messageOf(error)}`, {
      hint: 'check the path',
      cause: error,
    });
  }
  const documents = parseYamlDocuments(text, file).filter((document) => document !== null && document !== undefined);
  return documents.flatMap((document) => itemsOf(document)).map((document) => objectOf(document, file));
}

function itemsOf(document: unknown): unknown[] {
  return isObject(document) && Array.isArray(document['items']) && String(document['kind']).endsWith('List')
    ? document['items']
    : [document];
}

function objectOf(document: unknown, file: string): KubeObject {
  if (isObject(document)) {
    const { apiVersion, kind, metadata } = document;
    if (typeof apiVersion === 'string' && typeof kind === 'string' && isObject(metadata)) return document as KubeObject;
  }
  throw new AppError('bad-input', `${file} holds a document that is no Kubernetes object`, {
    hint: 'every document needs apiVersion, kind and metadata',
  });
}

function applicationOf(objects: readonly KubeObject[]): Application | undefined {
  const [object] = objects;
  if (!object) return undefined;
  if (object.kind !== 'Application')
    throw new AppError('bad-input', `--application names a ${object.kind}`, {
      hint: 'give a file with an Application',
    });
  return parseApplication(object).application;
}

function settingsOf(objects: readonly KubeObject[]): ArgoSettings {
  const [object] = objects;
  if (!object) return defaultSettings;
  const data = isObject(object['data']) ? object['data'] : {};
  const texts = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, String(value)]));
  const settings = parseSettings(texts, {});
  const [problem] = settings.problems;
  if (problem === undefined) return settings;
  throw new AppError('bad-input', `--settings: ${problem}`, { hint: 'correct the ConfigMap' });
}

interface Pair {
  desired: KubeObject | undefined;
  live: KubeObject | undefined;
}

/** One object on each side are a pair whatever they are called; of more, those of one group, kind, namespace and name. */
function pairUp(desired: readonly KubeObject[], live: readonly KubeObject[]): Pair[] {
  if (desired.length <= 1 && live.length <= 1) return [{ desired: desired[0], live: live[0] }];
  const rest = new Set(live);
  const pairs = desired.map((object): Pair => {
    const twin = [...rest].find((other) => isTwin(object, other));
    if (twin) rest.delete(twin);
    return { desired: object, live: twin };
  });
  return [...pairs, ...[...rest].map((object) => ({ desired: undefined, live: object }))];
}

/** A manifest without a namespace may be anywhere. */
function isTwin(desired: KubeObject, live: KubeObject): boolean {
  const [a, b] = [resourceKeyOf(desired), resourceKeyOf(live)];
  const place = a.namespace === undefined || a.namespace === b.namespace;
  return a.group === b.group && a.kind === b.kind && a.name === b.name && place;
}

interface ShownDiff {
  group: string;
  kind: string;
  namespace: string;
  name: string;
  status: 'Synced' | 'OutOfSync';
  modified: boolean;
  requiresPruning: boolean;
  normalizedLive: KubeObject | undefined;
  predictedLive: KubeObject | undefined;
  diff: string;
}

function shownDiff(pair: Pair, diff: ObjectDiff, settings: ArgoSettings): ShownDiff {
  const { group = '', kind = '', namespace = '', name = '' } = keyOf(pair);
  const [live, predicted] = maskSecrets([diff.live, diff.predicted], settings.compare.sensitiveAnnotations);
  const { modified, requiresPruning } = diff;
  return {
    ...{ group, kind, namespace, name },
    status: modified || requiresPruning ? 'OutOfSync' : 'Synced',
    modified,
    requiresPruning,
    normalizedLive: live,
    predictedLive: predicted,
    diff: modified || requiresPruning ? renderHunks(unifiedDiff(textOf(live), textOf(predicted))) : '',
  };
}

function keyOf({ desired, live }: Pair): Partial<ReturnType<typeof resourceKeyOf>> {
  const object = live ?? desired;
  return object ? resourceKeyOf(object) : {};
}

function textOf(object: KubeObject | undefined): string {
  return object === undefined ? '' : stringify(object, { sortMapEntries: true, aliasDuplicateObjects: false });
}

function render(shown: readonly ShownDiff[], output: string, color: boolean): string {
  const differing = shown.filter(({ status }) => status === 'OutOfSync');
  if (output === 'json' || output === 'yaml') {
    const data = { modified: shown.some(({ modified }) => modified), resources: shown };
    return renderResult({ data, text: () => '' }, output);
  }
  if (output === 'name')
    return differing.map(({ group, kind, name }) => `${group === '' ? '' : `${group}/`}${kind}/${name}\n`).join('');
  return differing
    .map(({ group, kind, namespace, name, diff }) => {
      const place = namespace === '' ? name : `${namespace}/${name}`;
      return `===== ${group}/${kind} ${place} ======\n${color ? paintDiff(diff) : diff}\n`;
    })
    .join('');
}
