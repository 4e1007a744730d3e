import type { JsonObject } from '#base/json.ts';
import { isObject } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { child, children } from '../defaults/fill.ts';
import { forbidden, invalid, required } from './finding.ts';
import { nameErrors, qualifiedNameErrors } from './names.ts';
import { validateSelector } from './selector.ts';

export function validateAffinity(affinity: JsonObject | undefined, path: string): FieldError[] {
  if (affinity === undefined) return [];
  const errors = validateNodeAffinity(child(affinity, 'nodeAffinity'), `${path}.nodeAffinity`);
  for (const name of ['podAffinity', 'podAntiAffinity']) {
    const pods = child(affinity, name);
    for (const [index, term] of children(pods, must).entries()) {
      errors.push(...validatePodTerm(term, `${path}.${name}.${must}[${index}]`));
    }
    for (const [index, weighted] of children(pods, should).entries()) {
      const at = `${path}.${name}.${should}[${index}]`;
      errors.push(...validateWeight(weighted, at));
      errors.push(...validatePodTerm(child(weighted, 'podAffinityTerm') ?? {}, `${at}.podAffinityTerm`));
    }
  }
  return errors;
}

const must = 'requiredDuringSchedulingIgnoredDuringExecution';
const should = 'preferredDuringSchedulingIgnoredDuringExecution';

function validateWeight(weighted: JsonObject, path: string): FieldError[] {
  const { weight = 0 } = weighted;
  const good = typeof weight === 'number' && weight >= 1 && weight <= 100;
  return good ? [] : [invalid(`${path}.weight`, weight, 'must be in the range 1-100')];
}

function validateNodeAffinity(nodes: JsonObject | undefined, path: string): FieldError[] {
  if (nodes === undefined) return [];
  const errors: FieldError[] = [];
  const required_ = child(nodes, must);
  if (required_ !== undefined) {
    const terms = children(required_, 'nodeSelectorTerms');
    const at = `${path}.${must}.nodeSelectorTerms`;
    if (terms.length === 0) errors.push(required(at, 'must have at least one node selector term'));
    for (const [index, term] of terms.entries()) errors.push(...validateNodeTerm(term, `${at}[${index}]`));
  }
  for (const [index, weighted] of children(nodes, should).entries()) {
    const at = `${path}.${should}[${index}]`;
    errors.push(...validateWeight(weighted, at));
    errors.push(...validateNodeTerm(child(weighted, 'preference') ?? {}, `${at}.preference`));
  }
  return errors;
}

function validateNodeTerm(term: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, item] of children(term, 'matchExpressions').entries()) {
    errors.push(...validateNodeRequirement(item, `${path}.matchExpressions[${index}]`));
  }
  for (const [index, item] of children(term, 'matchFields').entries()) {
    errors.push(...validateFieldRequirement(item, `${path}.matchFields[${index}]`));
  }
  return errors;
}

function valuesOf(item: JsonObject): unknown[] {
  return Array.isArray(item['values']) ? item['values'] : [];
}

function validateNodeRequirement(item: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { operator, key } = item;
  const count = valuesOf(item).length;
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (count === 0) {
        errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      }
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (count > 0) {
        errors.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
      }
      break;
    case 'Gt':
    case 'Lt':
      if (count !== 1) {
        errors.push(required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
      }
      break;
    default:
      errors.push(invalid(`${path}.operator`, operator ?? '', 'not a valid selector operator'));
  }
  for (const why of qualifiedNameErrors(String(key ?? ''))) errors.push(invalid(`${path}.key`, key ?? '', why));
  return errors;
}

function validateFieldRequirement(item: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const { operator, key } = item;
  const values = valuesOf(item);
  if (operator !== 'In' && operator !== 'NotIn') {
    errors.push(invalid(`${path}.operator`, operator ?? '', 'not a valid selector operator'));
  } else if (values.length !== 1) {
    const why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(required(`${path}.values`, why));
  }
  if (key !== 'metadata.name') return [...errors, invalid(`${path}.key`, key ?? '', 'not a valid field selector key')];
  for (const [index, value] of values.entries()) {
    for (const why of nameErrors(String(value), 'subdomain')) {
      errors.push(invalid(`${path}.values[${index}]`, value, why));
    }
  }
  return errors;
}

function validatePodTerm(term: JsonObject, path: string): FieldError[] {
  const errors = validateSelector(term['labelSelector'], `${path}.labelSelector`);
  errors.push(...validateSelector(term['namespaceSelector'], `${path}.namespaceSelector`));
  const namespaces: unknown[] = Array.isArray(term['namespaces']) ? term['namespaces'] : [];
  for (const name of namespaces) {
    for (const why of nameErrors(String(name), 'label')) errors.push(invalid(`${path}.namespace`, name, why));
  }
  const key = String(term['topologyKey'] ?? '');
  if (key === '') return [...errors, required(`${path}.topologyKey`, 'can not be empty')];
  for (const why of qualifiedNameErrors(key)) errors.push(invalid(`${path}.topologyKey`, key, why));
  return errors;
}

/** Constraints of one topology and one way to fail may stand there once. */
export function validateSpreads(constraints: readonly JsonObject[], path: string): FieldError[] {
  const seen = new Set<string>();
  return constraints.flatMap((constraint, index) => validateSpread(constraint, `${path}[${index}]`, seen));
}

const unsatisfiable = ['DoNotSchedule', 'ScheduleAnyway'];

function validateSpread(constraint: JsonObject, path: string, seen: Set<string>): FieldError[] {
  const errors: FieldError[] = [];
  const { maxSkew, topologyKey = '', whenUnsatisfiable = '', minDomains } = constraint;
  if (typeof maxSkew !== 'number' || maxSkew <= 0) {
    errors.push(invalid(`${path}.maxSkew`, maxSkew ?? 0, 'must be greater than zero'));
  }
  if (topologyKey === '') errors.push(required(`${path}.topologyKey`, 'can not be empty'));
  if (!unsatisfiable.includes(String(whenUnsatisfiable))) {
    const list = unsatisfiable.map((value) => JSON.stringify(value)).join(', ');
    const message = `Unsupported value: ${JSON.stringify(whenUnsatisfiable)}: supported values: ${list}`;
    errors.push({ field: `${path}.whenUnsatisfiable`, reason: 'FieldValueNotSupported', message });
  }
  const key = `{${String(topologyKey)}, ${String(whenUnsatisfiable)}}`;
  if (seen.has(key)) {
    const field = `${path}.{topologyKey, whenUnsatisfiable}`;
    errors.push({ field, reason: 'FieldValueDuplicate', message: `Duplicate value: ${JSON.stringify(key)}` });
  }
  seen.add(key);
  if (typeof minDomains === 'number') {
    if (minDomains <= 0) errors.push(invalid(`${path}.minDomains`, minDomains, 'must be greater than 0'));
    if (whenUnsatisfiable !== 'DoNotSchedule') {
      const why = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${String(whenUnsatisfiable)}`;
      errors.push(invalid(`${path}.minDomains`, minDomains, why));
    }
  }
  if (isObject(constraint['labelSelector'])) {
    errors.push(...validateSelector(constraint['labelSelector'], `${path}.labelSelector`));
  }
  return errors;
}
