import type { JsonObject } from '#base/json.ts';
import { type Authorizer, aggregate } from './authorizer.ts';
import type { PolicyRule } from './policy-rule.ts';
import { isAdministrator, type User } from './user.ts';

const everything: PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [] },
  { verbs: ['*'], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ['*'] },
];

/** All that the user may do in the namespace, as the status of a SelfSubjectRulesReview. */
export function rulesReviewStatus(authorizer: Authorizer, user: User, namespace: string): JsonObject {
  const { rules, problems } = authorizer.rulesOf(user, namespace);
  const unlimited = isAdministrator(user) || authorizer.mode === 'always-allow';
  const all = unlimited ? [...everything, ...rules] : rules;
  const paths = all.filter((rule) => rule.nonResourceURLs.length > 0);
  const resources = all.filter((rule) => rule.resources.length > 0);
  return {
    resourceRules: resources.map(({ verbs, apiGroups, resources, resourceNames }) => ({
      verbs,
      apiGroups,
      resources,
      ...(resourceNames.length === 0 ? {} : { resourceNames }),
    })),
    nonResourceRules: paths.map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete: false,
    ...(problems.length === 0 ? {} : { evaluationError: aggregate(problems) }),
  };
}
