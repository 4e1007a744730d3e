import type { JsonObject } from '#base/json.ts';
import { isObject, jsonEqual } from '#base/json.ts';
import type { FieldError } from '../../api/port.ts';
import { CostExceeded } from '../cel/evaluate.ts';
import { type CelValue, EvaluationError, none, optionalValue } from '../cel/value.ts';
import { type CompiledRule, compileRule, type WrittenRule, writtenRules } from './rule.ts';
import { fieldPathText } from './rule-path.ts';
import { isEmbedded, ruleType } from './rule-type.ts';
import { ruleObject, ruleValue } from './rule-value.ts';

/** What one expression may cost, and all of an object's together. */
const callLimit = 1_000_000;
const objectBudget = 10_000_000;
const longestMessage = 5 * 1024;

/** The rules of a schema and of all below it. */
export interface RuleTree {
  schema: JsonObject;
  isRoot: boolean;
  rules: CompiledRule[];
  items: RuleTree | undefined;
  values: RuleTree | undefined;
  properties: Map<string, RuleTree>;
  allOf: RuleTree[];
}

/** Compiles what a schema asks for; undefined when it has no rules. */
export function ruleTree(schema: JsonObject, isRoot: boolean): RuleTree | undefined {
  return buildTree(schema, schema, isRoot);
}

/** `rulesOf` is where rules stand: in an `allOf` the types are those of the schema around it. */
function buildTree(rulesOf: JsonObject, schema: JsonObject, isRoot: boolean): RuleTree | undefined {
  const written = writtenRules(rulesOf);
  const type = written.length === 0 ? undefined : ruleType(schema, isRoot || isEmbedded(schema));
  const tree: RuleTree = {
    schema,
    isRoot,
    rules:
      type === undefined ? [] : written.filter(({ rule }) => rule.trim() !== '').map((each) => compileRule(each, type)),
    items: child(rulesOf['items'], schema['items']),
    values: child(rulesOf['additionalProperties'], schema['additionalProperties']),
    properties: new Map(),
    allOf: (Array.isArray(rulesOf['allOf']) ? rulesOf['allOf'] : [])
      .filter(isObject)
      .map((each) => buildTree(each, schema, isRoot))
      .filter((each) => each !== undefined),
  };
  const own = isObject(schema['properties']) ? schema['properties'] : {};
  for (const [name, property] of Object.entries(isObject(rulesOf['properties']) ? rulesOf['properties'] : {})) {
    const below = child(property, own[name]);
    if (below !== undefined) tree.properties.set(name, below);
  }
  const isEmpty = tree.rules.length + tree.properties.size + tree.allOf.length === 0;
  return isEmpty && tree.items === undefined && tree.values === undefined ? undefined : tree;
}

function child(rulesOf: unknown, schema: unknown): RuleTree | undefined {
  return isObject(rulesOf) && isObject(schema) ? buildTree(rulesOf, schema, false) : undefined;
}

interface Run {
  budget: number;
  stopped: boolean;
  errors: FieldError[];
}

interface Place {
  path: string;
  value: unknown;
  /** The stored value that belongs to it; absent when there is none or it cannot be told. */
  old: unknown;
  /** Nothing of it changed, so that what was wrong before is tolerated. */
  unchanged: boolean;
  parentUnchanged: boolean;
  /** Below an `allOf` values are not told apart: only what is around it counts. */
  within: boolean;
}

/** Runs the rules of an object's schema on it. `old` is the stored object on update. */
export function checkRules(tree: RuleTree, value: unknown, old: unknown): FieldError[] {
  const run: Run = { budget: objectBudget, stopped: false, errors: [] };
  const unchanged = old !== undefined && jsonEqual(value, old);
  checkNode(run, tree, { path: '', value, old, unchanged, parentUnchanged: false, within: false });
  return run.errors;
}

function checkNode(run: Run, tree: RuleTree, place: Place): void {
  const { value, old } = place;
  if (value === null || value === undefined || run.stopped) return;
  checkOwnRules(run, tree, place);
  for (const each of tree.allOf) checkNode(run, each, { ...place, unchanged: place.parentUnchanged, within: true });
  if (run.stopped) return;
  if (Array.isArray(value)) checkItems(run, tree, { ...place, value });
  if (!isObject(value)) return;
  const before = isObject(old) ? old : {};
  for (const [name, member] of Object.entries(value)) {
    const below = tree.properties.get(name) ?? tree.values;
    if (below === undefined) continue;
    const path = tree.properties.has(name) ? joined(place.path, name) : `${place.path}[${name}]`;
    checkNode(run, below, placeBelow(place, { path, value: member, old: before[name] }));
  }
}

function placeBelow(parent: Place, own: Pick<Place, 'path' | 'value' | 'old'>): Place {
  const { unchanged, within } = parent;
  const same = unchanged || (!within && own.old !== undefined && jsonEqual(own.value, own.old));
  return { ...own, unchanged: same, parentUnchanged: unchanged, within };
}

/** Items of a map list have an old value, those of others none. */
function checkItems(run: Run, tree: RuleTree, place: Place & { value: unknown[] }): void {
  const { items } = tree;
  if (items === undefined) return;
  const keys = tree.schema['x-kubernetes-list-map-keys'];
  const isMap = tree.schema['x-kubernetes-list-type'] === 'map' && Array.isArray(keys);
  const before = Array.isArray(place.old) && isMap ? place.old.filter(isObject) : [];
  for (const [index, value] of place.value.entries()) {
    const old = isObject(value)
      ? before.find((each) => isMap && keys.every((key) => jsonEqual(each[String(key)], value[String(key)])))
      : undefined;
    checkNode(run, items, placeBelow(place, { path: `${place.path}[${index}]`, value, old }));
  }
}

function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function checkOwnRules(run: Run, tree: RuleTree, place: Place): void {
  if (tree.rules.length === 0) return;
  if (run.budget <= 0) {
    outOfBudget(run, tree, place);
    return;
  }
  const variables = lazyVariables(tree, place);
  for (const rule of tree.rules) {
    checkRule(run, rule, { tree, place, variables });
    if (run.stopped) return;
  }
}

interface RuleSite {
  tree: RuleTree;
  place: Place;
  variables: { plain: ReadonlyMap<string, CelValue>; optional: ReadonlyMap<string, CelValue> } | EvaluationError;
}

function lazyVariables(tree: RuleTree, { value, old }: Place): RuleSite['variables'] {
  const convert = (each: unknown): CelValue =>
    tree.isRoot && isObject(each) ? ruleObject(tree.schema, each) : ruleValue(tree.schema, each);
  try {
    const self = convert(value);
    const before = old === undefined || old === null ? undefined : convert(old);
    // Where no rule looks back, no message can.
    const looksBack = tree.rules.some(({ usesOldSelf }) => usesOldSelf);
    return {
      plain: new Map<string, CelValue>([
        ['self', self],
        ...(before === undefined || !looksBack ? [] : [['oldSelf', before] as const]),
      ]),
      optional: new Map<string, CelValue>([
        ['self', self],
        ['oldSelf', before === undefined ? none : optionalValue(before)],
      ]),
    };
  } catch (error) {
    if (error instanceof EvaluationError) return error;
    throw error;
  }
}

function checkRule(run: Run, rule: CompiledRule, site: RuleSite): void {
  const { program, written } = rule;
  const { place, variables } = site;
  if (program === undefined) {
    report(run, site, `rule compile error: ${rule.mistake ?? ''}`);
    return;
  }
  const optional = written.optionalOldSelf === true;
  if (rule.usesOldSelf && (place.old === undefined || place.old === null) && !optional) return;
  if (variables instanceof EvaluationError) {
    report(run, site, `${variables.message} evaluating rule: ${ruleText(written)}`);
    return;
  }
  const result = program.run(optional ? variables.optional : variables.plain, callLimit);
  if (result.cost > run.budget) {
    outOfBudget(run, site.tree, place);
    return;
  }
  run.budget -= result.cost;
  if ('error' in result) {
    reportFailure(run, site, { error: result.error, written });
    return;
  }
  if (result.value !== true) reportViolation(run, rule, site);
}

function outOfBudget(run: Run, tree: RuleTree, place: Place): void {
  run.stopped = true;
  const why = 'validation failed due to running out of cost budget, no further validation rules will be run';
  run.errors.push(invalidAt(place.path, tree.schema, why));
}

function reportFailure(
  run: Run,
  site: RuleSite,
  { error, written }: { error: EvaluationError | CostExceeded; written: WrittenRule },
): void {
  const text = ruleText(written);
  if (error instanceof CostExceeded) {
    run.stopped = true;
    const why = 'no further validation rules will be run due to call cost exceeds limit for rule';
    report(run, site, `'${error.message}': ${why}: ${text}`);
    return;
  }
  const why = 'call arguments did not match a supported operator, function or macro signature for rule';
  if (error.message.startsWith('no such overload')) report(run, site, `'${error.message}': ${why}: ${text}`);
  else report(run, site, `${error.message} evaluating rule: ${text}`);
}

function report(run: Run, { tree, place }: RuleSite, why: string): void {
  run.errors.push(invalidAt(place.path, tree.schema, why));
}

/** What did not change is tolerated, unless the rule is about the change. */
function reportViolation(run: Run, rule: CompiledRule, site: RuleSite): void {
  const { place, tree } = site;
  const { written } = rule;
  const message = evaluatedMessage(run, rule, site);
  if (place.unchanged && !rule.usesOldSelf) return;
  const path =
    written.fieldPath === '' ? place.path : joined(place.path, fieldPathText(tree.schema, written.fieldPath));
  if (run.stopped) run.errors.push(invalidAt(path, tree.schema, message));
  else run.errors.push(errorFor(written.reason, path, { schema: tree.schema, message }));
}

function evaluatedMessage(run: Run, { message, written }: CompiledRule, site: RuleSite): string {
  const fallback = written.message === '' ? `failed rule: ${written.rule.trim()}` : written.message.trim();
  if (message === undefined || site.variables instanceof EvaluationError) return fallback;
  const result = message.run(site.variables.plain, callLimit);
  if (result.cost > run.budget) {
    run.stopped = true;
    return 'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run';
  }
  run.budget -= result.cost;
  if ('error' in result) {
    if (!(result.error instanceof CostExceeded)) return fallback;
    run.stopped = true;
    const why = 'no further validation rules will be run due to call cost exceeds limit for messageExpression';
    return `${why}: ${JSON.stringify(written.messageExpression)}`;
  }
  const text = typeof result.value === 'string' ? result.value.trim() : '';
  return text === '' || text.includes('\n') || Buffer.byteLength(text) > longestMessage ? fallback : text;
}

function ruleText({ rule, message }: WrittenRule): string {
  return (message === '' ? rule : message).trim();
}

/** Rules show a value by its type alone. */
function invalidAt(path: string, schema: JsonObject, why: string): FieldError {
  return {
    field: path === '' ? '<nil>' : path,
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${shown(schema)}: ${why}`,
  };
}

function shown(schema: JsonObject): string {
  return JSON.stringify(typeof schema['type'] === 'string' ? schema['type'] : '');
}

function errorFor(
  reason: string | undefined,
  field: string,
  { schema, message }: { schema: JsonObject; message: string },
): FieldError {
  const at = field === '' ? '<nil>' : field;
  switch (reason) {
    case 'FieldValueForbidden':
      return { field: at, reason, message: `Forbidden: ${message}` };
    case 'FieldValueRequired':
      return { field: at, reason, message: `Required value: ${message}` };
    case 'FieldValueDuplicate':
      return { field: at, reason, message: `Duplicate value: ${shown(schema)}` };
    default:
      return invalidAt(field, schema, message);
  }
}
