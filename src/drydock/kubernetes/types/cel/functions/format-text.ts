import { type CelType, typeText } from '../type.ts';
import { type CelValue, EvaluationError, goFloat, isTagged, typeNameOf } from '../value.ts';
import { quoted } from './quoted.ts';
import { durationText, timestampText } from './time-text.ts';

/** `'%s is %d'.format([...])`. */
export function formatText(pattern: string, args: readonly CelValue[]): string {
  let next = 0;
  const out = pattern.replace(/%(?:%|(?:\.(\d+))?([\s\S]?))/g, (whole, precision: string | undefined, verb: string) => {
    if (whole === '%%') return '%';
    if (verb === '') throw new EvaluationError('unexpected end of string');
    const index = next;
    next += 1;
    const value = args[index];
    if (value === undefined) throw new EvaluationError(`index ${index} out of range`);
    return clause(verb, value, precision === undefined ? 6 : Number(precision));
  });
  return out;
}

function clause(verb: string, value: CelValue, precision: number): string {
  const refuse = (what: string, wanted: string): never => {
    const given = typeNameOf(value);
    throw new EvaluationError(
      `error during formatting: ${what} clause can only be used on ${wanted}, was given ${given}`,
    );
  };
  switch (verb) {
    case 's':
      return shown(value);
    case 'd':
      return integerOf(value)?.toString() ?? refuse('decimal', 'integers');
    case 'f':
      return typeof value === 'number' ? value.toFixed(Math.min(precision, 100)) : refuse('fixed-point', 'doubles');
    case 'e':
      return typeof value === 'number' ? scientific(value) : refuse('scientific', 'doubles');
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0';
      return integerOf(value)?.toString(2) ?? refuse('binary', 'integers and bools');
    case 'o':
      return integerOf(value)?.toString(8) ?? refuse('octal', 'integers');
    case 'x':
    case 'X': {
      const hex = hexOf(value) ?? refuse('hex', 'integers, byte buffers, and strings');
      return verb === 'x' ? hex : hex.toUpperCase();
    }
    default:
      throw new EvaluationError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
  }
}

function integerOf(value: CelValue): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return isTagged(value, 'uint') ? value.value : undefined;
}

const raised = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** Upstream writes the power in small raised digits, and six digits whatever is asked for. */
function scientific(value: number): string {
  const [digits = '', power = '0'] = value.toExponential(6).split('e');
  const size = String(Math.abs(Number(power))).padStart(2, '0');
  const small = [...size].map((digit) => [...raised][Number(digit)] ?? digit).join('');
  return `${digits}×10${power.startsWith('-') ? '⁻' : ''}${small}`;
}

function hexOf(value: CelValue): string | undefined {
  if (typeof value === 'string') return Buffer.from(value).toString('hex');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return integerOf(value)?.toString(16);
}

function shown(value: CelValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return goFloat(value);
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  switch (value.kind) {
    case 'uint':
      return String(value.value);
    case 'list':
      return `[${value.items.map(shownInside).join(', ')}]`;
    case 'map': {
      const entries = [...value.keys()].map((key) => [shown(key), shownInside(key), value.get(key) ?? null] as const);
      entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
      return `{${entries.map(([, key, item]) => `${key}:${shownInside(item)}`).join(', ')}}`;
    }
    case 'timestamp':
      return timestampText(value);
    case 'duration':
      return durationText(value.nanos);
    case 'type':
      return value.name;
    case 'optional':
    case 'opaque':
      throw new EvaluationError(
        'error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
      );
  }
}

/** Inside of a list or map values are written as literals. */
function shownInside(value: CelValue): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number') return value.toFixed(6);
  if (value instanceof Uint8Array) return `b${quoted(Buffer.from(value).toString('latin1'))}`;
  if (isTagged(value, 'timestamp')) return `timestamp("${timestampText(value)}")`;
  if (isTagged(value, 'duration')) return `duration("${durationText(value.nanos)}")`;
  return shown(value);
}

const kinds: Record<string, { kinds: string[]; why: string }> = {
  s: {
    kinds: [
      'list',
      'map',
      'bool',
      'bytes',
      'double',
      'duration',
      'int',
      'null',
      'string',
      'timestamp',
      'type',
      'uint',
      'dyn',
    ],
    why: 'string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
  },
  d: { kinds: ['int', 'uint', 'dyn'], why: 'decimal clause can only be used on integers' },
  f: { kinds: ['double', 'dyn'], why: 'fixed-point clause can only be used on doubles' },
  e: { kinds: ['double', 'dyn'], why: 'scientific clause can only be used on doubles' },
  b: { kinds: ['int', 'uint', 'bool', 'dyn'], why: 'only integers and bools can be formatted as binary' },
  x: {
    kinds: ['int', 'uint', 'string', 'bytes', 'dyn'],
    why: 'only integers, byte buffers, and strings can be formatted as hex',
  },
  o: { kinds: ['int', 'uint', 'dyn'], why: 'octal clause can only be used on integers' },
};

/** Why a literal pattern cannot take arguments of these types. */
export function formatMistake(
  pattern: string,
  types: readonly CelType[],
): { argument: number | undefined; message: string } | undefined {
  let next = 0;
  for (const [whole, verb = ''] of pattern.matchAll(/%(?:%|(?:\.\d+)?([\s\S]?))/g)) {
    if (whole === '%%') continue;
    if (verb === '') return { argument: undefined, message: 'unexpected end of string' };
    const clause = kinds[verb === 'X' ? 'x' : verb];
    if (clause === undefined) {
      const message = `could not parse formatting clause: unrecognized formatting clause "${verb}"`;
      return { argument: undefined, message };
    }
    const type = types[next];
    if (type === undefined) return { argument: undefined, message: `index ${next} out of range` };
    if (!clause.kinds.includes(type.kind))
      return { argument: next, message: `error during formatting: ${clause.why}, was given ${typeText(type)}` };
    next += 1;
  }
  return undefined;
}
