import { CallError } from '../call-error.ts';
import { type CallContext, type FunctionMap, fn } from '../function.ts';
import { formatGoDuration, formatTime, isZone, parseGoDuration, parseTime, zeroTimeMs } from '../time.ts';
import { GoInt, GoTime } from '../value.ts';

const nsPerMs = 1_000_000n;

function momentOf(value: unknown, context: CallContext): number {
  if (value instanceof GoTime) return value.ms;
  if (value instanceof GoInt && /^int(?:32|64)?$/.test(value.type)) return Number(value.value) * 1000;
  return context.clock.now();
}

/** The server's own zone is UTC, as in Argo CD's image. */
function inZone(layout: string, value: unknown, zone: string, context: CallContext): string {
  const place = isZone(zone) && zone !== 'Local' && zone !== '' ? zone : 'UTC';
  return formatTime(new GoTime(momentOf(value, context), place), layout);
}

function shift(text: string, time: GoTime): GoTime | undefined {
  const duration = parseGoDuration(text);
  return duration === undefined ? undefined : new GoTime(time.ms + Number(duration / nsPerMs), time.zone);
}

const units: [string, bigint][] = [
  ['y', 365n * 86_400_000_000_000n],
  ['mo', 30n * 86_400_000_000_000n],
  ['d', 86_400_000_000_000n],
  ['h', 3_600_000_000_000n],
  ['m', 60_000_000_000n],
  ['s', 1_000_000_000n],
];

function roundDuration(value: unknown, context: CallContext): string {
  let ns = 0n;
  if (typeof value === 'string') ns = parseGoDuration(value) ?? 0n;
  else if (value instanceof GoInt && value.type === 'int64') ns = value.value;
  else if (value instanceof GoTime) ns = BigInt(Math.trunc(context.clock.now() - value.ms)) * nsPerMs;
  const size = ns < 0n ? -ns : ns;
  const unit = units.find(([, length]) => size > length);
  return unit ? `${size / unit[1]}${unit[0]}` : '0s';
}

const dateInZone = fn(['string', 'any', 'string'], inZone);
const dateModify = fn(['string', 'time'], (text, time) => shift(text, time) ?? time);
const mustDateModify = fn(['string', 'time'], (text, time) => {
  const moved = shift(text, time);
  if (!moved) throw new CallError(`time: invalid duration ${JSON.stringify(text)}`);
  return moved;
});

export const dateFunctions: FunctionMap = {
  now: fn([], (context) => new GoTime(context.clock.now(), 'UTC')),
  ago: fn(['any'], (value, context) => {
    const seconds = Math.round((context.clock.now() - momentOf(value, context)) / 1000);
    return formatGoDuration(BigInt(seconds) * 1_000_000_000n);
  }),
  date: fn(['string', 'any'], (layout, value, context) => inZone(layout, value, 'UTC', context)),
  dateInZone,
  date_in_zone: dateInZone,
  dateModify,
  date_modify: dateModify,
  mustDateModify,
  must_date_modify: mustDateModify,
  duration: fn(['any'], (value) => {
    let seconds = 0n;
    if (value instanceof GoInt && value.type === 'int64') seconds = value.value;
    else if (typeof value === 'string' && /^[-+]?\d+$/.test(value)) seconds = BigInt(value.replace('+', ''));
    return formatGoDuration(BigInt.asIntN(64, seconds * 1_000_000_000n));
  }),
  durationRound: fn(['any'], roundDuration),
  htmlDate: fn(['any'], (value, context) => inZone('2006-01-02', value, 'UTC', context)),
  htmlDateInZone: fn(['any', 'string'], (value, zone, context) => inZone('2006-01-02', value, zone, context)),
  toDate: fn(['string', 'string'], (layout, text) => {
    try {
      return parseTime(layout, text);
    } catch (error) {
      if (error instanceof CallError) return new GoTime(zeroTimeMs, 'UTC');
      throw error;
    }
  }),
  mustToDate: fn(['string', 'string'], parseTime),
  unixEpoch: fn(['time'], (time) => String(Math.floor(time.ms / 1000))),
};
