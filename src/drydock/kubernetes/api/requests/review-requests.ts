import { type Clock, timestamp } from '#base/clock.ts';
import { getArray, getObject, getString, isObject, type JsonObject } from '#base/json.ts';
import type { Authorizer } from '../../access/authorizer.ts';
import type { AccessRequest } from '../../access/policy-rule.ts';
import { rulesReviewStatus } from '../../access/rules-review.ts';
import type { User } from '../../access/user.ts';
import type { Authenticator } from '../credential/authentication.ts';
import type { FieldError, TypeRegistry } from '../port.ts';
import type { Exchange } from '../protocol/exchange.ts';
import { parseBody, parseFieldValidation, reportProblems } from '../protocol/request-body.ts';
import { badRequest, invalid, methodNotAllowed } from '../protocol/status-error.ts';
import type { ReviewResource } from '../resources.ts';

export interface ReviewDeps {
  clock: Clock;
  types: TypeRegistry;
  authenticator: Authenticator;
  authorizer: Authorizer;
}

/** Answers the review kinds: who am I, may I, what may I, whose token is this. Nothing is stored. */
export async function handleReview(
  deps: ReviewDeps,
  exchange: Exchange,
  { review, namespace }: { review: ReviewResource; namespace: string | undefined },
): Promise<void> {
  if (exchange.method !== 'POST') throw methodNotAllowed();
  const type = deps.types.builtin({ group: review.group, version: 'v1', kind: review.kind });
  const apiVersion = `${review.group}/v1`;
  const validation = parseFieldValidation(exchange.query, 'CreateOptions');
  const body = parseBody(await exchange.body(), exchange.header('content-type'), review.kind);
  const raw: JsonObject = { ...body.value, kind: review.kind, apiVersion };
  const { object, unknownFields } = type?.decode(raw) ?? { object: raw, unknownFields: [] };
  const problems = [...body.duplicates, ...unknownFields.map((field) => `unknown field "${field}"`)];
  const warn = (message: string): void => exchange.warn(message);
  reportProblems({ kind: review.kind, version: 'v1' }, problems, { validation, warn });
  // Upstream dates this review alone.
  const creationTimestamp = review.kind === 'SelfSubjectReview' ? timestamp(deps.clock.now()) : null;
  const metadata = { creationTimestamp, ...(namespace === undefined ? {} : { namespace }) };
  const spec = getObject(object, 'spec');
  const answer = answerOf(deps, { review, spec, namespace, user: exchange.user });
  await exchange.json(201, { kind: review.kind, apiVersion, metadata, ...answer });
}

interface Question {
  review: ReviewResource;
  spec: JsonObject;
  namespace: string | undefined;
  user: User;
}

function answerOf(deps: ReviewDeps, { review, spec, namespace, user }: Question): JsonObject {
  switch (review.kind) {
    case 'SelfSubjectReview':
      return { status: { userInfo: userInfo(user) } };
    case 'TokenReview':
      return { spec, status: tokenStatus(deps, spec) };
    case 'SelfSubjectAccessReview':
      refuse(review, attributeErrors(spec));
      return { spec, status: accessStatus(deps, user, requestOf(spec)) };
    case 'SubjectAccessReview':
      refuse(review, [...attributeErrors(spec), ...subjectErrors(spec)]);
      return { spec, status: accessStatus(deps, subjectOf(spec), requestOf(spec)) };
    case 'LocalSubjectAccessReview':
      refuse(review, [...attributeErrors(spec), ...subjectErrors(spec), ...localErrors(spec)]);
      if ((getString(spec, 'resourceAttributes', 'namespace') ?? '') !== namespace)
        throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace ?? ''}`);
      return { spec, status: accessStatus(deps, subjectOf(spec), requestOf(spec)) };
    case 'SelfSubjectRulesReview': {
      const asked = getString(spec, 'namespace') ?? '';
      if (asked === '') throw badRequest('no namespace on request');
      return { spec: {}, status: rulesReviewStatus(deps.authorizer, user, asked) };
    }
  }
}

function userInfo({ name, uid, groups, extra }: User): JsonObject {
  return { username: name, ...(uid === undefined ? {} : { uid }), groups, ...(extra === undefined ? {} : { extra }) };
}

function tokenStatus({ authenticator }: ReviewDeps, spec: JsonObject): JsonObject {
  const token = getString(spec, 'token') ?? '';
  if (token === '') throw badRequest('token is required for TokenReview in authentication');
  const found = authenticator.userOfToken(token);
  return found ? { authenticated: true, user: userInfo(found) } : { user: {}, error: 'invalid bearer token' };
}

function accessStatus({ authorizer }: ReviewDeps, user: User, request: AccessRequest): JsonObject {
  const { allowed, reason } = authorizer.decide(user, request);
  return { allowed, ...(reason === '' ? {} : { reason }) };
}

function subjectOf(spec: JsonObject): User {
  const extra = Object.entries(getObject(spec, 'extra')).map(([key, values]) => [key.toLowerCase(), texts(values)]);
  const uid = getString(spec, 'uid');
  return {
    name: getString(spec, 'user') ?? '',
    groups: texts(spec['groups']),
    ...(uid === undefined ? {} : { uid }),
    ...(extra.length === 0 ? {} : { extra: Object.fromEntries(extra) }),
  };
}

function texts(values: unknown): string[] {
  return getArray(values).filter((value) => typeof value === 'string');
}

function requestOf(spec: JsonObject): AccessRequest {
  const path = spec['nonResourceAttributes'];
  if (isObject(path)) return { kind: 'path', verb: getString(path, 'verb') ?? '', path: getString(path, 'path') ?? '' };
  const read = (field: string): string => getString(spec, 'resourceAttributes', field) ?? '';
  return {
    kind: 'resource',
    verb: read('verb'),
    group: read('group'),
    version: read('version'),
    resource: read('resource'),
    subresource: read('subresource'),
    namespace: read('namespace'),
    name: read('name'),
  };
}

function finding(field: string, value: unknown, why: string): FieldError {
  return { field, reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(value)}: ${why}` };
}

function attributeErrors(spec: JsonObject): FieldError[] {
  const resource = isObject(spec['resourceAttributes']);
  const path = spec['nonResourceAttributes'];
  if (resource && isObject(path))
    return [finding('spec.nonResourceAttributes', path, 'cannot be specified in combination with resourceAttributes')];
  if (resource || isObject(path)) return [];
  const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
  return [finding('spec.resourceAttributes', 'null', why)];
}

function subjectErrors(spec: JsonObject): FieldError[] {
  if ((getString(spec, 'user') ?? '') !== '' || texts(spec['groups']).length > 0) return [];
  return [finding('spec.user', '', 'at least one of user or group must be specified')];
}

function localErrors(spec: JsonObject): FieldError[] {
  const path = spec['nonResourceAttributes'];
  return isObject(path) ? [finding('spec.nonResourceAttributes', path, 'disallowed on this kind of request')] : [];
}

function refuse(review: ReviewResource, errors: FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: review.group, kind: review.kind }, '', errors);
}
