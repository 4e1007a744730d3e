import { type PolicyRule, urlCovers } from './policy-rule.ts';

/** The smallest parts of `wanted` that `held` does not give; empty when all is held. */
export function uncoveredRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(singleRules).filter((single) => !held.some((rule) => ruleCovers(rule, single)));
}

/** A rule as rules of one verb on one thing each. */
function singleRules(rule: PolicyRule): PolicyRule[] {
  const singles: PolicyRule[] = [];
  const none = { apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [] };
  const names = rule.resourceNames.length === 0 ? [[]] : rule.resourceNames.map((name) => [name]);
  for (const group of rule.apiGroups)
    for (const resource of rule.resources)
      for (const verb of rule.verbs)
        for (const resourceNames of names)
          singles.push({ ...none, verbs: [verb], apiGroups: [group], resources: [resource], resourceNames });
  for (const url of rule.nonResourceURLs)
    for (const verb of rule.verbs) singles.push({ ...none, verbs: [verb], nonResourceURLs: [url] });
  return singles;
}

function ruleCovers(held: PolicyRule, single: PolicyRule): boolean {
  return (
    hasAll(held.verbs, single.verbs) &&
    hasAll(held.apiGroups, single.apiGroups) &&
    single.resources.every((resource) => coversResource(held.resources, resource)) &&
    single.nonResourceURLs.every((url) => held.nonResourceURLs.some((pattern) => urlCovers(pattern, url))) &&
    coversNames(held.resourceNames, single.resourceNames)
  );
}

function coversResource(held: readonly string[], resource: string): boolean {
  if (held.includes('*') || held.includes(resource)) return true;
  const [, subresource, ...rest] = resource.split('/');
  return subresource !== undefined && rest.length === 0 && held.includes(`*/${subresource}`);
}

function coversNames(held: readonly string[], wanted: readonly string[]): boolean {
  if (held.length === 0) return true;
  return wanted.length > 0 && wanted.every((name) => held.includes(name));
}

function hasAll(held: readonly string[], wanted: readonly string[]): boolean {
  return held.includes('*') || wanted.every((item) => held.includes(item));
}

/** Rules as the refusal lists them: verbs of one resource together, one line each, in order. */
export function describeRules(rules: readonly PolicyRule[]): string {
  const merged = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const key = JSON.stringify({ ...rule, verbs: rule.nonResourceURLs.length > 0 ? rule.verbs : [] });
    const known = merged.get(key);
    merged.set(key, known ? { ...known, verbs: [...known.verbs, ...rule.verbs] } : rule);
  }
  return [...new Set([...merged.values()].map(describeRule))].sort().join('\n');
}

function describeRule(rule: PolicyRule): string {
  const parts: [string, readonly string[]][] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ];
  const shown = parts.filter(([, values]) => values.length > 0).map(([name, values]) => `${name}:${goTexts(values)}`);
  return `{${shown.join(', ')}}`;
}

/** A list of texts as Go prints it: `["a" "b"]`. */
export function goTexts(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
}
