import { unreachable } from '#base/assert.ts';
import { AppError } from '#base/errors.ts';
import { isObject, type JsonObject } from '#base/json.ts';
import type { Permission } from './access.ts';
import { matchesWildcard } from './names.ts';

/** An issuer of identity tokens that policies may speak of. */
export interface OidcProvider {
  /** As in policies: the issuer's host and path, such as `token.actions.githubusercontent.com`. */
  name: string;
  /** The `iss` of its tokens; its keys are found below this URL. */
  issuer: string;
  /** Audiences it may issue tokens for. */
  clientIds: string[];
}

/** A role, who may take it on (an IAM `assume_role_policy` document), and what it may do here. */
export interface TrustPolicy {
  roleArn: string;
  document: unknown;
  permissions: Permission[];
  /** The longest life of its credentials; 15 minutes by default. */
  maxSessionMs?: number;
}

const operators = [
  'StringEquals',
  'StringNotEquals',
  'StringEqualsIgnoreCase',
  'StringNotEqualsIgnoreCase',
  'StringLike',
  'StringNotLike',
] as const;
type Operator = (typeof operators)[number];

interface Condition {
  operator: Operator;
  ifExists: boolean;
  key: string;
  values: string[];
}

export interface TrustStatement {
  effect: 'Allow' | 'Deny';
  /** Names of providers, `*` for any. */
  providers: string[];
  conditions: Condition[];
}

export type TrustDecision = { allowed: true } | { allowed: false; reason: string };

const assumeAction = 'sts:AssumeRoleWithWebIdentity';

/**
 * Reads an IAM trust policy document. Statements for other actions are left out; an operator or element we do not know
 * throws `bad-input`, for a policy that is only half understood must not decide anything.
 */
export function parseTrustDocument(document: unknown, what: string): TrustStatement[] {
  const bad = (why: string) => new AppError('bad-input', `the trust policy of ${what}: ${why}`);
  if (!isObject(document)) throw bad('it is not an object');
  const list = Array.isArray(document['Statement']) ? document['Statement'] : [document['Statement']];
  const statements: TrustStatement[] = [];
  for (const statement of list) {
    if (!isObject(statement)) throw bad('it has no Statement');
    const effect = statement['Effect'];
    if (effect !== 'Allow' && effect !== 'Deny') throw bad('Effect must be Allow or Deny');
    for (const element of ['NotAction', 'NotPrincipal'])
      if (statement[element] !== undefined) throw bad(`${element} is not supported`);
    const actions = strings(statement['Action'], () => bad('Action must be a string or a list of strings'));
    if (!actions.some((action) => matchesWildcard(action.toLowerCase(), assumeAction.toLowerCase()))) continue;
    statements.push({ effect, providers: providersOf(statement, bad), conditions: conditionsOf(statement, bad) });
  }
  return statements;
}

/** Whether a token's claims, already verified, may take the role. The reason is for the audit log, not for the client. */
export function decideTrust(statements: TrustStatement[], provider: OidcProvider, claims: JsonObject): TrustDecision {
  let reason = `no statement trusts the provider ${provider.name}`;
  let allowed = false;
  for (const statement of statements) {
    if (!statement.providers.some((name) => name === '*' || name === provider.name)) continue;
    const failing = statement.conditions.find((condition) => !holds(condition, provider, claims));
    if (statement.effect === 'Deny' && !failing) return { allowed: false, reason: 'a Deny statement matches' };
    if (statement.effect === 'Deny') continue;
    if (!failing) allowed = true;
    else reason = describeFailure(failing, provider, claims);
  }
  return allowed ? { allowed: true } : { allowed: false, reason };
}

function providersOf(statement: JsonObject, bad: (why: string) => AppError): string[] {
  const principal = statement['Principal'];
  const federated = principal === '*' ? '*' : isObject(principal) ? principal['Federated'] : undefined;
  return strings(federated, () => bad('Principal.Federated must name the identity provider')).map((text) =>
    text.replace(/^arn:[^:]*:iam::\d*:oidc-provider\//, '').replace(/^https?:\/\//, ''),
  );
}

function conditionsOf(statement: JsonObject, bad: (why: string) => AppError): Condition[] {
  const conditions: Condition[] = [];
  const block = statement['Condition'] ?? {};
  if (!isObject(block)) throw bad('Condition must be an object');
  for (const [written, entries] of Object.entries(block)) {
    const name = written.replace(/^ForAnyValue:/, '').replace(/IfExists$/, '');
    const operator = operators.find((candidate) => candidate === name);
    if (!operator) throw bad(`the condition operator ${written} is not supported (known are ${operators.join(', ')})`);
    if (!isObject(entries)) throw bad(`${written} must be an object of keys`);
    for (const [key, values] of Object.entries(entries)) {
      const list = strings(values, () => bad(`${written} of ${key} must be a string or a list of strings`));
      conditions.push({ operator, ifExists: written.endsWith('IfExists'), key, values: list });
    }
  }
  return conditions;
}

function strings(value: unknown, error: () => AppError): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const found = list.filter((item) => typeof item === 'string');
  if (found.length !== list.length || found.length === 0) throw error();
  return found;
}

/** The claim behind `NAME:claim`; a key of another provider has no value. */
function valuesOf(condition: Condition, provider: OidcProvider, claims: JsonObject): string[] {
  const prefix = `${provider.name}:`.toLowerCase();
  if (!condition.key.toLowerCase().startsWith(prefix)) return [];
  const claim = claims[condition.key.slice(prefix.length)];
  const list: unknown[] = Array.isArray(claim) ? claim : [claim];
  return list.filter((item) => item !== undefined && item !== null && typeof item !== 'object').map(String);
}

function holds(condition: Condition, provider: OidcProvider, claims: JsonObject): boolean {
  const actual = valuesOf(condition, provider, claims);
  if (actual.length === 0 && condition.ifExists) return true;
  const some = (test: (value: string, wanted: string) => boolean) =>
    actual.some((value) => condition.values.some((wanted) => test(value, wanted)));
  const sameIgnoringCase = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
  const { operator } = condition;
  switch (operator) {
    case 'StringEquals':
      return some((value, wanted) => value === wanted);
    case 'StringNotEquals':
      return !some((value, wanted) => value === wanted);
    case 'StringEqualsIgnoreCase':
      return some(sameIgnoringCase);
    case 'StringNotEqualsIgnoreCase':
      return !some(sameIgnoringCase);
    case 'StringLike':
      return some((value, wanted) => matchesWildcard(wanted, value));
    case 'StringNotLike':
      return !some((value, wanted) => matchesWildcard(wanted, value));
    default:
      return unreachable(operator);
  }
}

function describeFailure(condition: Condition, provider: OidcProvider, claims: JsonObject): string {
  const actual = valuesOf(condition, provider, claims);
  const was = actual.length === 0 ? 'the token has no such claim' : `the token has "${actual.join('", "')}"`;
  return `${condition.operator} ${condition.key} wants "${condition.values.join('" or "')}", ${was}`;
}
