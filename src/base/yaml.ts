import {
  binaryTag,
  defineScalarTag,
  legacyMapTag,
  loadAll,
  mergeTag,
  NOT_RESOLVED,
  nullYaml11Tag,
  Schema,
  seqTag,
  strTag,
  YAMLException,
} from 'js-yaml';
import { AppError } from './errors.ts';

const truths = new Set(['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON']);
const lies = new Set(['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF']);
const numberStarts = ['+', '-', '.', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

const boolTag = defineScalarTag<boolean>('tag:yaml.org,2002:bool', {
  implicit: true,
  implicitFirstChars: ['y', 'Y', 'n', 'N', 't', 'T', 'f', 'F', 'o', 'O'],
  resolve: (source) => (truths.has(source) ? true : lies.has(source) ? false : NOT_RESOLVED),
  identify: () => false,
});

function parseInteger(source: string): number | undefined {
  const match = /^([-+]?)(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|[1-9][0-9_]*|0)$/.exec(source);
  if (!match) return undefined;
  let digits = (match[2] ?? '').replaceAll('_', '');
  if (/^0[0-7]+$/.test(digits)) digits = `0o${digits.slice(1)}`;
  const value = Number(digits);
  return match[1] === '-' ? -value : value;
}

const intTag = defineScalarTag<number>('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: numberStarts,
  resolve: (source) => parseInteger(source) ?? NOT_RESOLVED,
  identify: () => false,
});

const floatTag = defineScalarTag<number>('tag:yaml.org,2002:float', {
  implicit: true,
  implicitFirstChars: numberStarts,
  resolve: (source) => {
    if (/^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/.test(source)) return Number.NaN;
    const plain = source.replaceAll('_', '');
    if (!/^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(plain)) return NOT_RESOLVED;
    return Number(plain);
  },
  identify: () => false,
});

/** YAML 1.1 as kubectl and Argo CD read it: yes/no/on/off are booleans, 010 is 8, dates and 12:30:45 are strings. */
const kubernetesYaml = new Schema([
  strTag,
  nullYaml11Tag,
  boolTag,
  intTag,
  floatTag,
  mergeTag,
  binaryTag,
  seqTag,
  legacyMapTag,
]);

/** Aliases of aliases write out to more than any text holds. */
const mostValues = 5_000_000;

/** Refuses what JSON cannot write; `seen` counts the values of one stream with aliases written out. */
function refuseUnwritable(value: unknown, what: string, seen: { values: number }): void {
  seen.values += 1;
  if (seen.values > mostValues)
    throw new AppError('limit', `${what} holds more than ${mostValues} values when its aliases are written out`);
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new AppError('bad-input', `${what} holds a number that JSON cannot write (.inf or .nan)`);
  if (Array.isArray(value)) for (const item of value) refuseUnwritable(item, what, seen);
  else if (typeof value === 'object' && value !== null)
    for (const item of Object.values(value)) refuseUnwritable(item, what, seen);
}

const mostIndented = 500;

/**
 * libyaml, which Kubernetes' tools read with, lets a quoted text go on at any column; js-yaml asks for more than its key's.
 * Blanks before such a line are no part of the text, so the line is moved to the right until the reader is content.
 */
function loadLenient(text: string): unknown[] {
  let lines: string[] | undefined;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return loadAll(lines?.join('\n') ?? text, { schema: kubernetesYaml, json: true });
    } catch (cause) {
      const line =
        cause instanceof YAMLException && cause.reason === 'deficient indentation' ? cause.mark?.line : undefined;
      lines ??= text.split('\n');
      const short = line === undefined ? undefined : lines[line];
      if (line === undefined || short === undefined || attempt >= mostIndented) throw cause;
      lines[line] = ' '.repeat(80) + short;
    }
  }
}

/** The documents of a YAML stream, empty ones left out. Throws AppError bad-input naming `what` and the line. */
export function parseYamlDocuments(text: string, what: string): unknown[] {
  let documents: unknown[];
  try {
    documents = loadLenient(text);
  } catch (cause) {
    throw new AppError('bad-input', `${what} is not valid YAML: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
  const found = documents.filter((document) => document !== null && document !== undefined);
  const seen = { values: 0 };
  for (const document of found) refuseUnwritable(document, what, seen);
  return found;
}
