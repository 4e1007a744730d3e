import { sha256Hex } from '#base/digest.ts';
import type { ResolvedSource } from './source.ts';
import type { SourceTree } from './tree.ts';

export interface ChartScan {
  /** A template may ask for the cluster's versions. Packaged subcharts are not looked into: they count as asking. */
  capabilities: boolean;
  /** A template may read any file of the chart by name. */
  files: boolean;
  /** The chart's files with their object ids; value files at its top, beside values.yaml, stand apart. */
  rest: string;
}

const scans = new Map<string, ChartScan>();
const scanLimit = 10_000;

/** `values-prod.yaml` and the like: read only when the application names it. */
export function isOptionalValues(name: string): boolean {
  return /^values[-._].+\.ya?ml$/.test(name) || /^.+[-._]values\.ya?ml$/.test(name);
}

/** What the result of a chart can depend on, by its folder's object id. */
export async function scanChart(tree: SourceTree, resolved: ResolvedSource, signal: AbortSignal): Promise<ChartScan> {
  const remembered = scans.get(resolved.tree);
  if (remembered) return remembered;
  let capabilities = false;
  let files = false;
  const rest: string[] = [];
  for (const entry of await tree.listFiles(resolved.path, signal)) {
    const name = resolved.path === '' ? entry.path : entry.path.slice(resolved.path.length + 1);
    if (!isOptionalValues(name)) rest.push(`${entry.mode} ${entry.oid} ${name}`);
    if (entry.type !== 'blob') continue;
    if (/\.(?:tgz|tar\.gz)$/.test(name)) capabilities = true;
    else if (/(?:^|\/)Chart\.yaml$/.test(name))
      capabilities ||= (await tree.readBlob(entry.oid, signal)).includes('kubeVersion');
    else if (/(?:^|\/)templates\//.test(name)) {
      const content = await tree.readBlob(entry.oid, signal);
      capabilities ||= content.includes('Capabilities');
      files ||= content.includes('.Files');
    }
  }
  const scan = { capabilities, files, rest: sha256Hex(rest.join('\n')) };
  if (scans.size >= scanLimit) scans.clear();
  scans.set(resolved.tree, scan);
  return scan;
}
