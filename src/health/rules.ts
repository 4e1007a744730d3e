import { getArray, getNumber, getPath, isObject } from '#base/json.ts';
import type { KubeObject } from '#kube/port.ts';
import type { HealthStatus } from '#model/argocd/application.ts';
import { type Health, health } from './health.ts';

/** What a kind's status means; undefined leaves it to the next rule. */
export type Check = (object: KubeObject) => Health | undefined;

/** Checks by `group/Kind`. */
export type Catalogue = Readonly<Record<string, Check>>;

/** A status, and what to say: a text with `{field}` of the condition and `{.path}` of the object, `{field|text}` when absent. */
export type Verdict = readonly [status: HealthStatus, say?: string | undefined];

/** `types[=status|!=status][/reasons|/!reasons]`: lists by commas, `*` for any type. */
export type ConditionRule = readonly [selector: string, status: HealthStatus, say?: string | undefined];

function text(value: unknown): string | undefined {
  return value === undefined || value === null || typeof value === 'object' ? undefined : String(value);
}

const steps = new Map<string, string[]>();

/** Reads `status.phase`, for keys without dots; the paths are those that rules are written with. */
export function at(value: unknown, path: string): unknown {
  let way = steps.get(path);
  if (way === undefined) {
    way = path === '' ? [] : path.split('.');
    steps.set(path, way);
  }
  return getPath(value, ...way);
}

export function textAt(value: unknown, path: string): string | undefined {
  return text(at(value, path));
}

/** A field that a controller has written: neither absent nor null. */
export function present(value: unknown, path: string): boolean {
  const found = at(value, path);
  return found !== undefined && found !== null;
}

export function generationOf(object: KubeObject): number | undefined {
  return getNumber(object, 'metadata', 'generation');
}

type Say = (object: KubeObject, condition: unknown) => string;

function sayer(template: string): Say {
  const parts = template.split(/(\{[^}]*\})/).map((part): Say => {
    const match = /^\{(\.?)([\w.]*)(?:\|([^}]*))?\}$/.exec(part);
    if (match === null) return () => part;
    const [, root, path = '', otherwise = ''] = match;
    return (object, condition) => textAt(root === '.' ? object : condition, path) ?? otherwise;
  });
  return (object, condition) => parts.map((part) => part(object, condition)).join('');
}

function listed(list: string): (value: string | undefined) => boolean {
  if (list === '*') return () => true;
  const names = new Set(list.replace(/^!/, '').split(','));
  const wanted = !list.startsWith('!');
  return (value) => names.has(value ?? '') === wanted;
}

/** Whether a condition is what a selector names. */
export function matches(selector: string): (condition: unknown) => boolean {
  const match = /^([^=!/]+)(!?=)?([^/]*)(?:\/(.*))?$/.exec(selector);
  const [, types = '', operator, status = '', reasons = '*'] = match ?? [];
  const isType = listed(types);
  const isReason = listed(reasons);
  return (condition) => {
    if (!isType(textAt(condition, 'type')) || !isReason(textAt(condition, 'reason'))) return false;
    return operator === undefined || (textAt(condition, 'status') === status) === (operator === '=');
  };
}

export function firstOf(...checks: readonly Check[]): Check {
  return (object) => {
    for (const check of checks) {
      const found = check(object);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

export function always(status: HealthStatus, say = ''): Check {
  const words = sayer(say);
  return (object) => health(status, words(object, undefined));
}

/** The first condition, in the object's order, that one of the rules names; the condition's message unless told otherwise. */
export function conditionsAt(path: string, rules: readonly ConditionRule[]): Check {
  const read = rules.map(([selector, status, say = '{message}']) => ({
    selects: matches(selector),
    status,
    words: sayer(say),
  }));
  return (object) => {
    for (const condition of getArray({ at: at(object, path) }, 'at')) {
      const rule = read.find((candidate) => candidate.selects(condition));
      if (rule !== undefined) return health(rule.status, rule.words(object, condition));
    }
    return undefined;
  };
}

export function conditions(...rules: readonly ConditionRule[]): Check {
  return conditionsAt('status.conditions', rules);
}

/** By the value of one field; `otherwise` for values that the table does not name, not for an absent field. */
export function field(path: string, table: Readonly<Record<string, Verdict>>, otherwise?: Verdict): Check {
  const known = new Map(Object.entries(table).map(([value, [status, say]]) => [value, always(status, say)]));
  const rest = otherwise === undefined ? undefined : always(...otherwise);
  return (object) => {
    const value = textAt(object, path);
    return value === undefined ? undefined : (known.get(value) ?? rest)?.(object);
  };
}

/** Only where a field is there. */
export function given(path: string, check: Check): Check {
  return (object) => (present(object, path) ? check(object) : undefined);
}

/** Only while a field is not there. */
export function without(path: string, check: Check): Check {
  return (object) => (present(object, path) ? undefined : check(object));
}

/** A switch in the object's own specification, such as `spec.paused`. */
export function whenTrue(path: string, status: HealthStatus, say: string): Check {
  const words = sayer(say);
  return (object) => (at(object, path) === true ? health(status, words(object, undefined)) : undefined);
}

/** The controller has not yet seen this generation. An absent `observedGeneration` counts as seen unless `strict`. */
export function behind(say: string, options: { strict?: boolean } = {}): Check {
  return (object) => {
    const observed = getNumber(object, 'status', 'observedGeneration');
    const generation = generationOf(object);
    const known = observed !== undefined && generation !== undefined;
    const late = known ? observed !== generation : options.strict === true && observed !== generation;
    return late ? health('Progressing', say) : undefined;
  };
}

/** The commonest rule: one condition, True or False; until then Progressing with `waiting`. */
export function readiness(
  waiting: string,
  options: { type?: string; healthy?: string; degraded?: string } = {},
): Check {
  const type = options.type ?? 'Ready';
  return firstOf(
    conditions([`${type}=False`, 'Degraded', options.degraded], [`${type}=True`, 'Healthy', options.healthy]),
    always('Progressing', waiting),
  );
}

/** The same check for several kinds of one group. */
export function kinds(group: string, names: readonly string[], check: (kind: string) => Check): Catalogue {
  return Object.fromEntries(names.map((kind) => [`${group}/${kind}`, check(kind)]));
}

export function items(value: unknown, path: string): unknown[] {
  const found = at(value, path);
  return Array.isArray(found) ? found : isObject(found) ? Object.values(found) : [];
}
