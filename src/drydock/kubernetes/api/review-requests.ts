import { getObject, getString, type JsonObject } from '#base/json.ts';
import { isAdministrator, type StaticToken, type User, userOfToken } from './authentication.ts';
import type { Exchange } from './exchange.ts';
import { parseBody } from './request-body.ts';
import type { ReviewResource } from './resources.ts';
import { methodNotAllowed } from './status-error.ts';

/** Answers the review kinds: who am I, may I, what may I, whose token is this. */
export async function handleReview(
  exchange: Exchange,
  review: ReviewResource,
  { tokens, namespace }: { tokens: readonly StaticToken[]; namespace: string | undefined },
): Promise<void> {
  if (exchange.method !== 'POST') throw methodNotAllowed();
  const { value } = parseBody(await exchange.body(), exchange.header('content-type'), review.kind);
  const metadata = { creationTimestamp: null, ...(namespace === undefined ? {} : { namespace }) };
  await exchange.json(201, {
    kind: review.kind,
    apiVersion: `${review.group}/v1`,
    metadata,
    ...answer(review, { spec: getObject(value, 'spec'), user: exchange.user, tokens }),
  });
}

function answer(
  review: ReviewResource,
  { spec, user, tokens }: { spec: JsonObject; user: User; tokens: readonly StaticToken[] },
): JsonObject {
  switch (review.kind) {
    case 'SelfSubjectReview':
      return { status: { userInfo: { username: user.name, groups: user.groups } } };
    case 'TokenReview': {
      const found = userOfToken(getString(spec, 'token') ?? '', tokens);
      const status = found
        ? { authenticated: true, user: { username: found.name, groups: found.groups } }
        : { user: {}, error: 'invalid bearer token' };
      return { spec, status };
    }
    case 'SelfSubjectAccessReview':
      return { spec, status: access(isAdministrator(user)) };
    case 'SubjectAccessReview':
    case 'LocalSubjectAccessReview': {
      const groups = Array.isArray(spec['groups']) ? spec['groups'] : [];
      return { spec, status: access(groups.includes('system:masters')) };
    }
    case 'SelfSubjectRulesReview': {
      const everything = isAdministrator(user);
      return {
        spec: {},
        status: {
          resourceRules: everything ? [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] : [],
          nonResourceRules: everything ? [{ verbs: ['*'], nonResourceURLs: ['*'] }] : [],
          incomplete: false,
        },
      };
    }
  }
}

function access(allowed: boolean): JsonObject {
  return { allowed };
}
