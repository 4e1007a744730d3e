import { canonicalJson } from '#base/digest.ts';
import { AppError, isAppError } from '#base/errors.ts';
import { globMatch } from '#base/glob.ts';
import { isObject, type Json } from '#base/json.ts';
import { compileDeletion, JqError, JqLimit, type JqProgram, runOnce } from '#jq/jq.ts';
import { type KubeObject, parseApiVersion } from '#kube/port.ts';
import type { IgnoreDifference } from '#model/argocd/application.ts';
import type { ArgoSettings, IgnoreFields } from '#model/argocd/settings.ts';
import { removePointers } from './json-pointer.ts';

/** What of an object is not compared, from the application and from the settings. */
export interface IgnoreRules {
  jsonPointers: string[];
  jq: JqProgram[];
  /** Field managers whose fields count for nothing. */
  managers: string[];
}

export type RuleSettings = Pick<ArgoSettings, 'customizations' | 'compare'>;

const programs = new Map<string, JqProgram>();
const maxPrograms = 2000;

function deletion(expression: string, kind: string): JqProgram {
  const known = programs.get(expression);
  if (known) return known;
  try {
    const program = compileDeletion(expression);
    if (programs.size >= maxPrograms) programs.clear();
    programs.set(expression, program);
    return program;
  } catch (error) {
    if (!isAppError(error) && !(error instanceof JqLimit)) throw error;
    throw new AppError('bad-input', `jqPathExpressions of ignoreDifferences for ${kind}: ${error.message}`, {
      hint: isAppError(error) ? error.hint : 'shorten the expression',
      cause: error,
    });
  }
}

/** True when a rule's globs and names are those of the object. */
function concerns(
  rule: { group?: string; kind: string; name?: string; namespace?: string },
  object: KubeObject,
): boolean {
  const { group } = parseApiVersion(object.apiVersion);
  const { name, namespace } = object.metadata;
  if (!globMatch(rule.group ?? '', group) || !globMatch(rule.kind, object.kind)) return false;
  if (rule.name !== undefined && rule.name !== '' && rule.name !== name) return false;
  return rule.namespace === undefined || rule.namespace === '' || rule.namespace === namespace;
}

function ignoresStatus(object: KubeObject, settings: RuleSettings): boolean {
  const { ignoreStatus } = settings.compare;
  return ignoreStatus === 'all' || (ignoreStatus === 'crd' && object.kind === 'CustomResourceDefinition');
}

/**
 * The rules that concern an object: of `spec.ignoreDifferences`, of the settings for its kind, and its status. Throws
 * AppError bad-input that quotes a jq expression that cannot be read.
 */
export function ignoreRulesFor(
  object: KubeObject,
  ignore: readonly IgnoreDifference[],
  settings: RuleSettings,
): IgnoreRules {
  const out: IgnoreRules = { jsonPointers: [], jq: [], managers: [] };
  const add = (fields: Partial<IgnoreFields>): void => {
    out.jsonPointers.push(...(fields.jsonPointers ?? []));
    out.jq.push(...(fields.jqPathExpressions ?? []).map((expression) => deletion(expression, object.kind)));
    out.managers.push(...(fields.managedFieldsManagers ?? []));
  };
  for (const rule of ignore) if (concerns(rule, object)) add(rule);
  for (const { group, kind, ignoreDifferences } of settings.customizations)
    if (ignoreDifferences && concerns({ group, kind }, object)) add(ignoreDifferences);
  if (ignoresStatus(object, settings)) out.jsonPointers.push('/status');
  return out;
}

/** Equal rules give equal texts. */
export function rulesText(rules: IgnoreRules): string {
  return canonicalJson([rules.jsonPointers, rules.jq.map(({ text }) => text), rules.managers]);
}

/**
 * A copy without what pointers and jq expressions name. An expression that does not fit the object (it iterates over what
 * is not there) changes nothing, as in Argo CD; one that takes too long throws AppError limit.
 */
export function withoutIgnored(object: KubeObject, rules: Pick<IgnoreRules, 'jsonPointers' | 'jq'>): KubeObject {
  let out: KubeObject = removePointers(object, rules.jsonPointers);
  for (const program of rules.jq) {
    const result = evaluate(program, out);
    if (isObject(result)) out = result as KubeObject;
  }
  return out;
}

function evaluate(program: JqProgram, object: KubeObject): Json | undefined {
  try {
    return runOnce(program, object as unknown as Json);
  } catch (error) {
    if (error instanceof JqError) return undefined;
    if (!(error instanceof JqLimit)) throw error;
    const { kind, metadata } = object;
    throw new AppError('limit', `ignoreDifferences of ${kind} ${metadata.name}: ${program.text}: ${error.message}`, {
      hint: 'write the jqPathExpression so that it does less',
    });
  }
}
