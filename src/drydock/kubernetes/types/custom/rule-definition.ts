import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { estimateCost } from '../cel/estimate.ts';
import type { CelType } from '../cel/type.ts';
import { forbidden, invalid, notSupported, required } from '../validate/finding.ts';
import { type CompiledRule, compileRule, type WrittenRule, writtenRules } from './rule.ts';
import { schemaAt } from './rule-path.ts';
import { isEmbedded, ruleType } from './rule-type.ts';

/** What one expression may be estimated to cost, and all of a schema together. */
const expressionLimit = 10_000_000;
const totalLimit = 100_000_000;
const requestBytes = 3 * 1024 * 1024;
const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

interface Totals {
  cost: number;
  parts: { path: string; cost: number }[];
}

interface Site {
  path: string;
  isRoot: boolean;
  /** How often values of this schema can be in one object; undefined without a limit. */
  cardinality: number | undefined;
  /** Where the stored value can no longer be told. */
  uncorrelated: string | undefined;
  totals: Totals;
}

/** Mistakes of the rules of a schema: what their members must be, then whether they compile and what they may cost. */
export function checkRuleDefinitions(
  schema: JsonObject,
  path: string,
  { costs, compile }: { costs: boolean; compile: boolean },
): FieldError[] {
  const written = checkWritten(schema, path);
  const totals: Totals = { cost: 0, parts: [] };
  const site: Site = { path, isRoot: true, cardinality: 1, uncorrelated: undefined, totals };
  const errors = [...written, ...(compile && written.length === 0 ? checkCompiled(schema, site, costs) : [])];
  return [...errors, ...totalErrors(totals, path)];
}

function childSchemas(schema: JsonObject): [string, JsonObject][] {
  const { items, properties, additionalProperties, allOf } = schema;
  const found: [string, JsonObject][] = [];
  if (isObject(additionalProperties)) found.push(['additionalProperties', additionalProperties]);
  for (const [name, property] of Object.entries(isObject(properties) ? properties : {}))
    if (isObject(property)) found.push([`properties[${name}]`, property]);
  for (const [index, each] of (Array.isArray(allOf) ? allOf : []).entries())
    if (isObject(each)) found.push([`allOf[${index}]`, each]);
  if (isObject(items)) found.push(['items', items]);
  return found;
}

function checkWritten(schema: JsonObject, path: string): FieldError[] {
  const below = childSchemas(schema).flatMap(([step, inner]) => checkWritten(inner, `${path}.${step}`));
  const own = writtenRules(schema).flatMap((rule, index) =>
    checkMembers(rule, { schema, path: `${path}.x-kubernetes-validations[${index}]` }),
  );
  return [...below, ...own];
}

const lineBreak = /[\n\r]/;

function checkMembers(written: WrittenRule, { schema, path }: { schema: JsonObject; path: string }): FieldError[] {
  const { rule, message, messageExpression, reason, fieldPath } = written;
  const errors: FieldError[] = [];
  if (rule.trim() === '') errors.push(required(`${path}.rule`, 'rule is not specified'));
  else if (message !== '' && message.trim() === '')
    errors.push(invalid(`${path}.message`, message, 'message must be non-empty if specified'));
  else if (lineBreak.test(message.trim()))
    errors.push(invalid(`${path}.message`, message, 'message must not contain line breaks'));
  else if (lineBreak.test(rule.trim()) && message.trim() === '')
    errors.push(required(`${path}.message`, 'message must be specified if rule contains line breaks'));
  if (messageExpression !== '' && messageExpression.trim() === '')
    errors.push(required(`${path}.messageExpression`, 'messageExpression must be non-empty if specified'));
  if (reason !== undefined && !reasons.includes(reason)) errors.push(notSupported(`${path}.reason`, reason, reasons));
  if (fieldPath === '') return errors;
  if (fieldPath.trim() === '')
    errors.push(invalid(`${path}.fieldPath`, fieldPath, 'fieldPath must be non-empty if specified'));
  if (lineBreak.test(fieldPath))
    errors.push(invalid(`${path}.fieldPath`, fieldPath, 'fieldPath must not contain line breaks'));
  if (typeof schemaAt(schema, fieldPath, { brackets: true }) === 'string')
    errors.push(invalid(`${path}.fieldPath`, fieldPath, 'fieldPath must be a valid path'));
  return errors;
}

function checkCompiled(schema: JsonObject, site: Site, costs: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const times = maxElements(schema);
  const cardinality = site.cardinality === undefined || times === undefined ? undefined : site.cardinality * times;
  for (const [step, inner] of childSchemas(schema)) {
    // Rules in an allOf are run with the rules around it.
    if (step.startsWith('allOf')) continue;
    const uncorrelated =
      site.uncorrelated ?? (step === 'items' && schema['x-kubernetes-list-type'] !== 'map' ? site.path : undefined);
    const path = `${site.path}.${step}`;
    errors.push(...checkCompiled(inner, { ...site, path, isRoot: false, cardinality, uncorrelated }, costs));
  }
  const written = writtenRules(schema);
  if (written.length === 0) return errors;
  const type = ruleType(schema, site.isRoot || isEmbedded(schema));
  if (type === undefined) {
    const why = 'failed to construct type information for x-kubernetes-validations rules';
    const detail = 'unable to convert structural schema to CEL declarations';
    const message = `Internal error: internal error: ${why}: ${detail}`;
    return [...errors, { field: `${site.path}.x-kubernetes-validations`, reason: 'FieldValueInvalid', message }];
  }
  for (const [index, rule] of written.entries())
    errors.push(...checkRule(compileRule(rule, type), { site, index, type, costs }));
  return errors;
}

function checkRule(
  rule: CompiledRule,
  { site, index, type, costs }: { site: Site; index: number; type: CelType; costs: boolean },
): FieldError[] {
  const path = `${site.path}.x-kubernetes-validations[${index}]`;
  const errors: FieldError[] = [];
  const { program, written } = rule;
  if (program !== undefined) {
    const most = site.cardinality ?? Math.floor(requestBytes / ((type.minSize ?? 0) + 1));
    const cost = estimateCost(program, type) * most;
    if (costs && cost > expressionLimit)
      errors.push(forbidden(`${path}.rule`, costText('estimated rule cost', cost, expressionLimit)));
    observe(site.totals, `${path}.rule`, cost);
  }
  if (rule.mistake !== undefined) errors.push(invalidRule(`${path}.rule`, written, rule.mistake));
  if (rule.messageMistake !== undefined)
    errors.push(invalidRule(`${path}.messageExpression`, written, rule.messageMistake));
  else if (rule.message !== undefined) {
    const cost = estimateCost(rule.message, type);
    const what = 'estimated messageExpression cost';
    if (costs && cost > expressionLimit)
      errors.push(forbidden(`${path}.messageExpression`, costText(what, cost, expressionLimit)));
    observe(site.totals, `${path}.messageExpression`, cost);
  }
  if (rule.usesOldSelf && site.uncorrelated !== undefined) {
    const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${site.uncorrelated}`;
    errors.push(invalid(`${path}.rule`, written.rule, why));
  } else if (!rule.usesOldSelf && written.optionalOldSelf !== undefined) {
    const why = 'may not be set if oldSelf is not used in rule';
    errors.push(invalid(`${path}.optionalOldSelf`, written.optionalOldSelf, why));
  }
  return errors;
}

/** The real server shows the whole rule, as Go prints its structure. */
function invalidRule(field: string, written: WrittenRule, why: string): FieldError {
  const quote = (text: string): string => JSON.stringify(text);
  const { rule, message, messageExpression, reason, fieldPath, optionalOldSelf } = written;
  const shown = [
    `Rule:${quote(rule)}`,
    `Message:${quote(message)}`,
    `MessageExpression:${quote(messageExpression)}`,
    `Reason:${reason === undefined ? '(*apiextensions.FieldValueErrorReason)(nil)' : `(*apiextensions.FieldValueErrorReason)(0xc000000000)`}`,
    `FieldPath:${quote(fieldPath)}`,
    `OptionalOldSelf:${optionalOldSelf === undefined ? '(*bool)(nil)' : '(*bool)(0xc000000000)'}`,
  ].join(', ');
  return {
    field,
    reason: 'FieldValueInvalid',
    message: `Invalid value: apiextensions.ValidationRule{${shown}}: ${why}`,
  };
}

function maxElements(schema: JsonObject): number | undefined {
  const most = (value: unknown): number | undefined => (typeof value === 'number' ? Math.max(0, value) : undefined);
  if (schema['type'] === 'array') return most(schema['maxItems']);
  if (schema['type'] === 'object' && schema['additionalProperties'] !== undefined) return most(schema['maxProperties']);
  return 1;
}

function observe(totals: Totals, path: string, cost: number): void {
  totals.cost += cost;
  if (cost >= totalLimit / 100) totals.parts.push({ path, cost });
}

function totalErrors({ cost, parts }: Totals, path: string): FieldError[] {
  if (cost <= totalLimit) return [];
  const worst = parts.sort((a, b) => b.cost - a.cost).slice(0, 4);
  const what = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema';
  return [
    ...worst.map((part) => forbidden(part.path, what)),
    forbidden(
      path,
      costText('x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema', cost, totalLimit),
    ),
  ];
}

const advice =
  '(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)';

function costText(what: string, cost: number, limit: number): string {
  const factor = cost / limit;
  const shown = factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`;
  return `${what} exceeds budget by factor of ${shown} ${advice}`;
}
