import { AppError } from '#base/errors.ts';
import { getArray, getPath, getString, isObject, parseJson } from '#base/json.ts';
import { parseYamlDocuments } from '#base/yaml.ts';

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
  const start = /^entries:[ \t]*\r?\n/m.exec(text);
  if (!start) return undefined;
  const from = start.index + start[0].length;
  const indent = /^(?:[ \t]*(?:#.*)?\r?\n)*( +)\S/.exec(text.slice(from, from + 4096))?.[1];
  if (indent === undefined) return undefined;
  const name = chart.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const key = new RegExp(`^${indent}(?:${name}|"${name}"|'${name}'):[ \\t]*\\r?\\n`, 'm');
  const found = key.exec(text.slice(from));
  if (!found) return '';
  const begin = from + found.index;
  const body = begin + found[0].length;
  const after = new RegExp(`^(?:${indent})?[^\\s#-]`, 'm').exec(text.slice(body));
  return text.slice(begin, after ? body + after.index : text.length);
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

/**
 * All versions of a chart in an index.yaml, in the index's order; undefined when it lists no such chart. Only the chart's
 * own lines are parsed where the index allows it: some indexes have many megabytes.
 */
export function readIndex(text: string, chart: string, what: string): ChartEntry[] | undefined {
  const section = sectionOf(text, chart);
  if (section === '') return undefined;
  const quick = section === undefined ? undefined : readSection(section, chart, what);
  if (quick) return quick;
  const document = /^\s*\{/.test(text) ? parseJson(text, what) : parseYamlDocuments(text, what)[0];
  const entries = getPath(document, 'entries');
  if (!isObject(document) || (entries !== undefined && entries !== null && !isObject(entries)))
    throw new AppError('bad-input', `${what} is no index of a chart repository`, {
      hint: 'the address of the repository must be the one that "helm repo add" takes',
    });
  const listed = getPath(entries, chart);
  return Array.isArray(listed) ? listed.flatMap((entry) => entryOf(entry) ?? []) : undefined;
}
