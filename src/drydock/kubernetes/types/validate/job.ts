import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { ApiObject, FieldError } from '../../api/port.ts';
import { child } from '../defaults/fill.ts';
import { goStringMap } from '../go-format.ts';
import { invalid, invalidGo, nonNegative, notSupported, oneOf, required } from './finding.ts';
import { immutable } from './immutable.ts';
import { validateTemplate } from './pod-spec.ts';
import { goSelector, selectorMatches } from './selector.ts';
import { specOf } from './workload.ts';

function validateJobTemplate(spec: JsonObject, path: string): FieldError[] {
  const template = child(spec, 'template');
  const errors = [
    ...nonNegative(`${path}.parallelism`, spec['parallelism']),
    ...nonNegative(`${path}.completions`, spec['completions']),
    ...nonNegative(`${path}.activeDeadlineSeconds`, spec['activeDeadlineSeconds']),
    ...nonNegative(`${path}.backoffLimit`, spec['backoffLimit']),
    ...nonNegative(`${path}.ttlSecondsAfterFinished`, spec['ttlSecondsAfterFinished']),
    ...oneOf(`${path}.completionMode`, spec['completionMode'], ['NonIndexed', 'Indexed']),
  ];
  errors.push(...validateIndexes(spec, path));
  const pod = validateTemplate(template, `${path}.template`);
  const policy = child(template, 'spec')?.['restartPolicy'];
  errors.push(...pod);
  if (policy === 'Always') {
    const why = 'valid values: "OnFailure", "Never"';
    const field = `${path}.template.spec.restartPolicy`;
    errors.push({ field, reason: 'FieldValueRequired', message: `Required value: ${why}` });
  }
  if (isObject(spec['podFailurePolicy'])) {
    if (policy !== 'Never' && policy !== 'Always') {
      const why = 'only "Never" is supported when podFailurePolicy is specified';
      errors.push(invalid(`${path}.template.spec.restartPolicy`, policy, why));
    }
    if (spec['podReplacementPolicy'] !== 'Failed') {
      errors.push(notSupported(`${path}.podReplacementPolicy`, spec['podReplacementPolicy'], ['Failed']));
    }
  } else
    errors.push(
      ...oneOf(`${path}.podReplacementPolicy`, spec['podReplacementPolicy'], ['Failed', 'TerminatingOrFailed']),
    );
  return errors;
}

/** Rules of indexed completion. */
function validateIndexes(spec: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { completions, parallelism = 0, backoffLimitPerIndex: perIndex, maxFailedIndexes: most } = spec;
  if (spec['completionMode'] === 'Indexed') {
    const why = 'when completion mode is Indexed';
    if (completions === undefined) errors.push(required(`${path}.completions`, why));
    if (typeof parallelism === 'number' && parallelism > 100_000) {
      errors.push(invalid(`${path}.parallelism`, parallelism, `must be less than or equal to 100000 ${why}`));
    }
  } else {
    for (const [name, value] of Object.entries({ backoffLimitPerIndex: perIndex, maxFailedIndexes: most })) {
      if (value !== undefined) errors.push(invalid(`${path}.${name}`, value, 'requires indexed completion mode'));
    }
    if (isObject(spec['successPolicy'])) {
      errors.push(invalid(`${path}.successPolicy`, spec['successPolicy'], 'requires indexed completion mode'));
    }
  }
  if (most !== undefined && perIndex === undefined) {
    errors.push(required(`${path}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'));
  }
  if (typeof most === 'number' && typeof completions === 'number' && most > completions) {
    errors.push(invalid(`${path}.maxFailedIndexes`, most, 'must be less than or equal to completions'));
  }
  return [
    ...errors,
    ...nonNegative(`${path}.backoffLimitPerIndex`, perIndex),
    ...nonNegative(`${path}.maxFailedIndexes`, most),
  ];
}

/** Made by the server from the uid, unless the Job says that its selector is its own. */
function validateOwnJobSelector(job: ApiObject, spec: JsonObject): FieldError[] {
  const { selector } = spec;
  const labels = child(child(spec, 'template'), 'metadata')?.['labels'];
  const errors: FieldError[] = [];
  const key = 'batch.kubernetes.io/controller-uid';
  const { uid } = job.metadata;
  const matched = isObject(selector) ? child(selector, 'matchLabels')?.[key] : undefined;
  const generated = matched === uid && isObject(labels) && labels[key] === uid;
  if (spec['manualSelector'] !== true && uid !== undefined && !generated) {
    errors.push(invalidGo('spec.selector', goSelector(selector), 'selector not auto-generated'));
  }
  if (selectorMatches(selector, labels)) return errors;
  const why = '`selector` does not match template `labels`';
  return [...errors, invalidGo('spec.template.metadata.labels', goStringMap(labels), why)];
}

export function validateJob(object: ApiObject, old: ApiObject | undefined): FieldError[] {
  const spec = specOf(object);
  const errors: FieldError[] = [];
  if (!isObject(spec['selector'])) errors.push(required('spec.selector'));
  errors.push(...validateJobTemplate(spec, 'spec'));
  if (old === undefined)
    return isObject(spec['selector']) ? [...errors, ...validateOwnJobSelector(object, spec)] : errors;
  const before = specOf(old);
  const template = child(spec, 'template');
  const pairs: [string, string][] = [
    ['selector', goSelector(spec['selector'])],
    ['completionMode', JSON.stringify(spec['completionMode'])],
  ];
  for (const [name, shown] of pairs) {
    errors.push(...immutable(`spec.${name}`, { now: spec[name], old: before[name], shown }));
  }
  const fixedTemplate = before['suspend'] === true ? templateCore(template) : template;
  const oldTemplate = child(before, 'template');
  const oldFixed = before['suspend'] === true ? templateCore(oldTemplate) : oldTemplate;
  const shown = `core.PodTemplateSpec${JSON.stringify(template)}`;
  errors.push(...immutable('spec.template', { now: fixedTemplate, old: oldFixed, shown }));
  if (spec['completionMode'] !== 'Indexed') {
    const shownCompletions = JSON.stringify(spec['completions']);
    const change = { now: spec['completions'], old: before['completions'], shown: shownCompletions };
    errors.push(...immutable('spec.completions', change));
  }
  return errors;
}

/** A suspended job's template may change where it is scheduled. */
function templateCore(template: JsonObject | undefined): unknown {
  const {
    nodeSelector: _n,
    affinity: _a,
    tolerations: _t,
    schedulingGates: _s,
    ...spec
  } = child(template, 'spec') ?? {};
  return { spec };
}

export function validateCronJob(object: ApiObject): FieldError[] {
  const spec = specOf(object);
  const errors: FieldError[] = [];
  const schedule = spec['schedule'];
  if (typeof schedule !== 'string' || schedule === '') errors.push(required('spec.schedule'));
  else errors.push(...validateSchedule(schedule));
  errors.push(...validateTimeZone(spec['timeZone']));
  errors.push(...oneOf('spec.concurrencyPolicy', spec['concurrencyPolicy'], ['Allow', 'Forbid', 'Replace']));
  errors.push(...nonNegative('spec.startingDeadlineSeconds', spec['startingDeadlineSeconds']));
  errors.push(...validateJobTemplate(child(child(spec, 'jobTemplate'), 'spec') ?? {}, 'spec.jobTemplate.spec'));
  errors.push(...nonNegative('spec.successfulJobsHistoryLimit', spec['successfulJobsHistoryLimit']));
  errors.push(...nonNegative('spec.failedJobsHistoryLimit', spec['failedJobsHistoryLimit']));
  if (object.metadata.name.length > 52) {
    errors.push(invalid('metadata.name', object.metadata.name, 'must be no more than 52 characters'));
  }
  return errors;
}

const macros = /^@(yearly|annually|monthly|weekly|daily|midnight|hourly|every .+)$/;

function validateSchedule(schedule: string): FieldError[] {
  const refuse = (why: string): FieldError[] => [invalid('spec.schedule', schedule, why)];
  if (/TZ/.test(schedule)) return refuse('cannot use TZ or CRON_TZ in schedule, use timeZone field instead');
  if (macros.test(schedule)) return [];
  if (schedule.startsWith('@')) return refuse(`unrecognized descriptor: ${schedule}`);
  const fields = schedule.trim().split(/\s+/);
  if (fields.length !== 5) return refuse(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
  const problem = fields.map((field, index) => cronFieldProblem(field, cronBounds[index])).find((one) => one !== '');
  return problem === undefined ? [] : refuse(problem);
}

type Bounds = readonly [least: number, most: number, names: readonly string[]];

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const cronBounds: readonly Bounds[] = [
  [0, 59, []],
  [0, 23, []],
  [1, 31, []],
  [1, 12, months],
  [0, 6, days],
];

/** What upstream's parser says of one field of a schedule; empty when nothing. */
function cronFieldProblem(field: string, bounds: Bounds | undefined): string {
  for (const part of field.split(',')) {
    const problem = bounds === undefined ? '' : cronRangeProblem(part, bounds);
    if (problem !== '') return problem;
  }
  return '';
}

function cronRangeProblem(text: string, [least, most, names]: Bounds): string {
  const [range = '', step, ...moreSteps] = text.split('/');
  const [low = '', high, ...moreEnds] = range.split('-');
  if (moreEnds.length > 0) return `too many hyphens: ${text}`;
  if (moreSteps.length > 0) return `too many slashes: ${text}`;
  const value = (word: string): number => {
    const named = names.indexOf(word.toLowerCase());
    if (named >= 0) return named + least;
    return /^\d+$/.test(word) ? Number(word) : Number.NaN;
  };
  const failed = (word: string): string =>
    `failed to parse int from ${word}: strconv.Atoi: parsing ${JSON.stringify(word)}: invalid syntax`;
  if (step !== undefined && Number.isNaN(value(step))) return failed(step);
  if (step !== undefined && value(step) === 0) return `step of range should be a positive number: ${text}`;
  if (low === '*' || low === '?') return '';
  const start = value(low);
  if (Number.isNaN(start)) return failed(low);
  const end = high === undefined ? (step === undefined ? start : most) : value(high);
  if (Number.isNaN(end)) return failed(high ?? '');
  if (start < least) return `beginning of range (${start}) below minimum (${least}): ${text}`;
  if (end > most) return `end of range (${end}) above maximum (${most}): ${text}`;
  return start > end ? `beginning of range (${start}) beyond end of range (${end}): ${text}` : '';
}

function validateTimeZone(zone: unknown): FieldError[] {
  if (typeof zone !== 'string') return [];
  const field = 'spec.timeZone';
  if (zone === '') return [invalid(field, zone, 'must be nil or non-empty string')];
  if (zone.toLowerCase() === 'local')
    return [
      invalid(field, zone, 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones'),
    ];
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return [];
  } catch (error) {
    if (error instanceof RangeError) return [invalid(field, zone, `unknown time zone ${zone}`)];
    throw error;
  }
}
