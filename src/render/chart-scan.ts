import { sha256Hex } from '#base/digest.ts';
import { isAppError } from '#base/errors.ts';
import { Lru } from '#git/lru.ts';
import { readArchive } from './charts/archive.ts';
import { followLinks } from './links.ts';
import type { SourceTree } from './tree.ts';

/** What texts of a chart ask for while it is rendered. */
export interface Questions {
  /** The cluster's versions. */
  capabilities: boolean;
  /** Any file of the chart by name. */
  files: boolean;
}

export interface ChartScan extends Questions {
  /** Values are templates too: what they hold is asked for as well. */
  evaluatesValues: boolean;
  /** What the chart's own values ask for, if they are evaluated. */
  byValues: Questions;
  /** The chart may name charts that it needs. */
  dependencies: boolean;
  /** The chart's files with their object ids; value files at its top, beside values.yaml, stand apart. */
  rest: string;
}

const scans = new Lru<ChartScan>(10_000, () => 1);
type FileScan = Omit<ChartScan, 'rest' | 'dependencies'>;
const packed = new Lru<FileScan>(10_000, () => 1);

/** `values-prod.yaml` and the like: read only when the application names it. */
export function isOptionalValues(name: string): boolean {
  return /^values[-._].+\.ya?ml$/.test(name) || /^.+[-._]values\.ya?ml$/.test(name);
}

export function questionsIn(text: string | Buffer): Questions {
  return { capabilities: text.includes('Capabilities'), files: text.includes('Files') };
}

function emptyScan(): FileScan {
  return {
    capabilities: false,
    files: false,
    evaluatesValues: false,
    byValues: { capabilities: false, files: false },
  };
}

function scanFile(scan: FileScan, name: string, content: Buffer): void {
  if (/(?:^|\/)Chart\.yaml$/.test(name)) scan.capabilities ||= content.includes('kubeVersion');
  else if (/(?:^|\/)values\.ya?ml$/.test(name)) add(scan.byValues, questionsIn(content));
  else if (/(?:^|\/)templates\//.test(name)) {
    add(scan, questionsIn(content));
    scan.evaluatesValues ||= content.includes('tpl');
  }
}

function add(to: Questions, more: Questions): void {
  to.capabilities ||= more.capabilities;
  to.files ||= more.files;
}

function addScan(to: FileScan, more: FileScan): void {
  add(to, more);
  add(to.byValues, more.byValues);
  to.evaluatesValues ||= more.evaluatesValues;
}

const concerns = (name: string) => /(?:^|\/)(?:Chart\.yaml|values\.ya?ml$|templates\/)/.test(name);

/** A subchart that is packed. One that cannot be read counts as asking for everything; helm will say what is wrong. */
async function scanPacked(content: Buffer, key: string, signal: AbortSignal): Promise<FileScan> {
  const known = packed.get(key);
  if (known) return known;
  const scan = emptyScan();
  try {
    for (const file of await readArchive(content, key, { signal })) {
      if (/\.(?:tgz|tar\.gz)$/.test(file.path))
        addScan(scan, await scanPacked(file.content, sha256Hex(file.content), signal));
      else if (concerns(file.path)) scanFile(scan, file.path, file.content);
    }
  } catch (error) {
    if (!isAppError(error) || signal.aborted) throw error;
    add(scan, { capabilities: true, files: true });
  }
  packed.set(key, scan);
  return scan;
}

/** What the result of a chart can depend on, by its folder's object id. */
export async function scanChart(tree: SourceTree, folder: string, signal: AbortSignal): Promise<ChartScan> {
  const linked = followLinks(tree);
  const id = (await linked.objectId(folder, signal)) ?? '';
  const remembered = scans.get(id);
  if (remembered) return remembered;
  const scan = emptyScan();
  const rest: string[] = [];
  let dependencies = false;
  for (const entry of await linked.listFiles(folder, signal)) {
    const name = folder === '' ? entry.path : entry.path.slice(folder.length + 1);
    if (!isOptionalValues(name)) rest.push(`${entry.mode} ${entry.oid} ${name}`);
    if (entry.type !== 'blob') continue;
    if (/\.(?:tgz|tar\.gz)$/.test(name))
      addScan(scan, await scanPacked(await tree.readBlob(entry.oid, signal), entry.oid, signal));
    else if (concerns(name)) {
      const content = await tree.readBlob(entry.oid, signal);
      dependencies ||= name === 'Chart.yaml' && content.includes('dependencies');
      scanFile(scan, name, content);
    }
    dependencies ||= name === 'requirements.yaml';
  }
  const done = { ...scan, dependencies, rest: sha256Hex(rest.join('\n')) };
  if (id !== '') scans.set(id, done);
  return done;
}
