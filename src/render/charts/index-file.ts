import { AppError } from '#base/errors.ts';
import { getArray, getObject, getPath, getString, isObject, parseJson } from '#base/json.ts';
import { parseYamlDocuments } from '#base/yaml.ts';
import type { ListedChart } from './port.ts';

/** One version of a chart, as a repository's index lists it. */
export interface ChartEntry {
  version: string;
  urls: string[];
  /** 64 hex digits; undefined when the index gives none. */
  digest: string | undefined;
}

function entryOf(value: unknown): ChartEntry | undefined {
  const raw = isObject(value) ? value['version'] : undefined;
  if (typeof raw !== 'string') return undefined;
  const urls = getArray(value, 'urls').filter((url) => typeof url === 'string');
  const digest = /^(?:sha256:)?([0-9a-f]{64})$/i.exec(getString(value, 'digest') ?? '')?.[1]?.toLowerCase();
  return { version: raw, urls, digest };
}

/**
 * The lines of one chart in an index as helm writes it: a mapping in block style, one key per line; '' when
 * it lists no such chart. Undefined for an index of another style; then the whole of it must be read.
 */
function sectionOf(text: string, chart: string): string | undefined {
  const block = blockStyle(text);
  if (!block) return undefined;
  const { from, indent } = block;
  const name = chart.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const key = new RegExp(`^${indent}(?:${name}|"${name}"|'${name}'):[ \\t]*\\r?\\n`, 'm');
  const found = key.exec(text.slice(from));
  if (!found) return '';
  const begin = from + found.index;
  const body = begin + found[0].length;
  const after = new RegExp(`^(?:${indent})?[^\\s#-]`, 'm').exec(text.slice(body));
  return text.slice(begin, after ? body + after.index : text.length);
}

/** Where the entries of an index in block style begin, and how far its keys are indented. */
function blockStyle(text: string): { from: number; indent: string } | undefined {
  const start = /^entries:[ \t]*\r?\n/m.exec(text);
  if (!start) return undefined;
  const from = start.index + start[0].length;
  const indent = /^(?:[ \t]*(?:#.*)?\r?\n)*( +)\S/.exec(text.slice(from, from + 4096))?.[1];
  return indent === undefined ? undefined : { from, indent };
}

function readSection(section: string, chart: string, what: string): ChartEntry[] | undefined {
  // An alias or a text over several lines may reach beyond the section: then it is not read alone.
  try {
    const [document] = parseYamlDocuments(section, what);
    const listed = getPath(document, chart);
    return Array.isArray(listed) ? listed.flatMap((entry) => entryOf(entry) ?? []) : undefined;
  } catch {
    return undefined;
  }
}

function wholeIndex(text: string, what: string): unknown {
  const document = /^\s*\{/.test(text) ? parseJson(text, what) : parseYamlDocuments(text, what)[0];
  const entries = getPath(document, 'entries');
  if (isObject(document) && (entries === undefined || entries === null || isObject(entries))) return document;
  throw new AppError('bad-input', `${what} is no index of a chart repository`, {
    hint: 'the address of the repository must be the one that "helm repo add" takes',
  });
}

/**
 * All versions of a chart in an index.yaml, in the index's order; undefined when it lists no such chart. Only the chart's
 * own lines are parsed where the index allows it: some indexes have many megabytes.
 */
export function readIndex(text: string, chart: string, what: string): ChartEntry[] | undefined {
  const section = sectionOf(text, chart);
  if (section === '') return undefined;
  const quick = section === undefined ? undefined : readSection(section, chart, what);
  if (quick) return quick;
  const listed = getPath(wholeIndex(text, what), 'entries', chart);
  return Array.isArray(listed) ? listed.flatMap((entry) => entryOf(entry) ?? []) : undefined;
}

/** All charts of an index with their versions. Other work goes on between the charts of a large one. */
export async function listIndex(text: string, what: string, pause: () => Promise<void>): Promise<ListedChart[]> {
  const block = blockStyle(text);
  const names = block
    ? [
        ...text
          .slice(block.from)
          .matchAll(new RegExp(`^${block.indent}(["']?)([^\\s#"'-][^\\s"']*)\\1:[ \\t]*\\r?$`, 'gm')),
      ]
    : [];
  if (names.length === 0) return listWhole(text, what);
  const out: ListedChart[] = [];
  for (const [, , name = ''] of names) {
    out.push({ name, versions: (readIndex(text, name, what) ?? []).map(({ version }) => version) });
    await pause();
  }
  return out;
}

function listWhole(text: string, what: string): ListedChart[] {
  const document = wholeIndex(text, what);
  return Object.entries(getObject(document, 'entries')).map(([name, listed]) => ({
    name,
    versions: Array.isArray(listed) ? listed.flatMap((entry) => entryOf(entry)?.version ?? []) : [],
  }));
}
