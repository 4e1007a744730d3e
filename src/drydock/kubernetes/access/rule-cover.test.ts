import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PolicyRule } from './policy-rule.ts';
import { describeRules, uncoveredRules } from './rule-cover.ts';

/** `groups resources[names] verbs`, or `path urls verbs`. */
function rules(...lines: string[]): PolicyRule[] {
  return lines.map((line) => {
    const [groups = '', what = '', verbs = ''] = line.split(' ');
    const none = { apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [] };
    if (groups === 'path') return { ...none, verbs: verbs.split(','), nonResourceURLs: what.split(',') };
    const [resources = '', names] = what.replace(']', '').split('[');
    return {
      ...none,
      verbs: verbs.split(','),
      apiGroups: groups.split(',').map((group) => (group === 'core' ? '' : group)),
      resources: resources.split(','),
      resourceNames: names === undefined ? [] : names.split(','),
    };
  });
}

const cases = [
  { held: ['core pods get,list'], wanted: ['core pods get'], missing: '' },
  {
    held: ['core pods get'],
    wanted: ['core pods get,list'],
    missing: '{APIGroups:[""], Resources:["pods"], Verbs:["list"]}',
  },
  { held: ['core pods get', 'core pods list'], wanted: ['core pods get,list'], missing: '' },
  { held: ['core * get'], wanted: ['core pods/log get'], missing: '' },
  { held: ['core */log get'], wanted: ['core pods/log get'], missing: '' },
  {
    held: ['core */log get'],
    wanted: ['core pods get'],
    missing: '{APIGroups:[""], Resources:["pods"], Verbs:["get"]}',
  },
  { held: ['core pods *'], wanted: ['core pods *'], missing: '' },
  {
    held: ['core pods get,list,watch'],
    wanted: ['core pods *'],
    missing: '{APIGroups:[""], Resources:["pods"], Verbs:["*"]}',
  },
  { held: ['core pods[a,b] get'], wanted: ['core pods[a] get'], missing: '' },
  { held: ['core pods get'], wanted: ['core pods[a] get'], missing: '' },
  {
    held: ['core pods[a] get'],
    wanted: ['core pods[a,c] get,list'],
    missing:
      '{APIGroups:[""], Resources:["pods"], ResourceNames:["a"], Verbs:["list"]}\n{APIGroups:[""], Resources:["pods"], ResourceNames:["c"], Verbs:["get" "list"]}',
  },
  {
    held: ['core pods[a] get'],
    wanted: ['core pods get'],
    missing: '{APIGroups:[""], Resources:["pods"], Verbs:["get"]}',
  },
  { held: ['path /api/* get'], wanted: ['path /api/v1,/api/* get'], missing: '' },
  {
    held: ['path /api get'],
    wanted: ['path /api/*,/apis get'],
    missing: '{NonResourceURLs:["/api/*"], Verbs:["get"]}\n{NonResourceURLs:["/apis"], Verbs:["get"]}',
  },
  {
    held: [],
    wanted: ['core,apps pods,secrets get,list'],
    missing: ['""', '"apps"']
      .flatMap((group) =>
        ['pods', 'secrets'].map((what) => `{APIGroups:[${group}], Resources:["${what}"], Verbs:["get" "list"]}`),
      )
      .join('\n'),
  },
];

for (const { held, wanted, missing } of cases)
  test(`holding ${held.join(' and ') || 'nothing'}, giving ${wanted.join(' and ')}`, () => {
    assert.equal(describeRules(uncoveredRules(rules(...held), rules(...wanted))), missing);
  });
