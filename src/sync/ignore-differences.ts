import { AppError } from '#base/errors.ts';
import { globMatch } from '#base/glob.ts';
import { isObject, type JsonObject } from '#base/json.ts';
import { type KubeObject, parseApiVersion } from '#kube/port.ts';
import type { IgnoreDifference } from '#model/argocd/application.ts';

export interface IgnoreRules {
  jsonPointers: string[];
  managers: string[];
}

/** The rules of `spec.ignoreDifferences` that concern an object. Throws AppError unsupported for jq expressions. */
export function ignoreRulesFor(object: KubeObject, rules: readonly IgnoreDifference[]): IgnoreRules {
  const out: IgnoreRules = { jsonPointers: [], managers: [] };
  const { group } = parseApiVersion(object.apiVersion);
  for (const rule of rules) {
    if (!globMatch(rule.group ?? '', group) || !globMatch(rule.kind, object.kind)) continue;
    if (rule.name !== undefined && rule.name !== '' && rule.name !== object.metadata.name) continue;
    if (rule.namespace !== undefined && rule.namespace !== '' && rule.namespace !== object.metadata.namespace) continue;
    if (rule.jqPathExpressions && rule.jqPathExpressions.length > 0)
      throw new AppError(
        'unsupported',
        `spec.ignoreDifferences uses jqPathExpressions for ${rule.kind}, which this version does not evaluate`,
        {
          hint: 'name the fields with jsonPointers or managedFieldsManagers',
        },
      );
    out.jsonPointers.push(...(rule.jsonPointers ?? []));
    out.managers.push(...(rule.managedFieldsManagers ?? []));
  }
  return out;
}

function pointerSteps(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function edit(value: unknown, steps: readonly string[], put: unknown): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return put;
  if (Array.isArray(value)) {
    const index = Number(step);
    if (!Number.isInteger(index) || index < 0 || index >= value.length) return value;
    const next = edit(value[index], rest, put);
    return next === undefined ? value.filter((_, at) => at !== index) : value.with(index, next);
  }
  if (!isObject(value)) return value;
  if (!(step in value) && (put === undefined || rest.length > 0)) return value;
  const next = edit(value[step], rest, put);
  const out: JsonObject = { ...value };
  if (next === undefined) delete out[step];
  else out[step] = next;
  return out;
}

function read(value: unknown, steps: readonly string[]): unknown {
  let at = value;
  for (const step of steps) {
    if (Array.isArray(at)) at = at[Number(step)];
    else if (isObject(at)) at = at[step];
    else return undefined;
  }
  return at;
}

/** A copy without what the JSON pointers (RFC 6901) name; a missing path is fine. */
export function removePointers<T>(value: T, pointers: readonly string[]): T {
  let out: unknown = value;
  for (const pointer of pointers) out = edit(out, pointerSteps(pointer), undefined);
  return out as T;
}

/** RespectIgnoreDifferences: the ignored fields of `desired` as they are live; `status` is never copied. */
export function copyIgnored(desired: KubeObject, live: KubeObject, pointers: readonly string[]): KubeObject {
  let out: unknown = desired;
  for (const pointer of pointers) {
    const steps = pointerSteps(pointer);
    if (steps[0] === 'status') continue;
    out = edit(out, steps, read(live, steps));
  }
  return out as KubeObject;
}
