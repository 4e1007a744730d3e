import { getNumber, getString, isObject } from '#base/json.ts';
import { ApiError, type ApiObject, type FieldError } from '../port.ts';
import { type FieldRequirement, matchesFields, parseFieldSelector } from '../protocol/field-selector.ts';
import { jsonSyntaxError } from '../protocol/json-syntax.ts';
import { type LabelRequirement, matchesLabels, parseLabelSelector } from '../protocol/label-selector.ts';
import { queryInteger } from '../protocol/query-flag.ts';
import { badRequest, expired, invalidOptions } from '../protocol/status-error.ts';
import { objectKey, type ServedResource } from '../served.ts';
import type { Store } from '../store/store.ts';
import type { StoredObject } from '../store/stored.ts';

export interface ObjectFilter {
  namespace: string | undefined;
  labels: LabelRequirement[];
  fields: FieldRequirement[];
}

export interface ListPage {
  items: StoredObject[];
  revision: number;
  continueToken: string | undefined;
  remainingItemCount: number | undefined;
}

export function parseFilter(
  resource: ServedResource,
  namespace: string | undefined,
  query: URLSearchParams,
): ObjectFilter {
  return {
    namespace,
    labels: parseLabelSelector(query.get('labelSelector') ?? ''),
    fields: parseFieldSelector(resource, query.get('fieldSelector') ?? ''),
  };
}

export function matches(filter: ObjectFilter, object: ApiObject): boolean {
  if (filter.namespace !== undefined && object.metadata.namespace !== filter.namespace) return false;
  return matchesLabels(filter.labels, object.metadata.labels) && matchesFields(filter.fields, object);
}

/** One page of a kind, consistent at one revision over all pages. Throws ApiErrors 400, 410, 422 and 504. */
export async function listPage(
  store: Store,
  resource: ServedResource,
  { filter, query }: { filter: ObjectFilter; query: URLSearchParams },
): Promise<ListPage> {
  const { token, exactRevision, limit } = parseListOptions(store, query);
  const prefix = filter.namespace === undefined ? '' : `${filter.namespace}/`;
  const exact = token ? (token.revision > 0 ? token.revision : undefined) : exactRevision;
  const revision = exact ?? store.publishedRevision;
  const start = token ? prefix + token.start : '';
  const candidates = exact === undefined && !token ? named(store, resource, filter) : undefined;
  const found = candidates ?? store.snapshot(resource.storage, { prefix, start, revision });
  if (!found) throw token ? continueExpired(token) : tooOld(exact ?? 0, store.publishedRevision);
  const selecting = filter.labels.length > 0 || filter.fields.length > 0;
  const matching = selecting ? await selected(store, filter, found) : found;
  const items = limit > 0 ? matching.slice(0, limit) : matching;
  const remaining = matching.length - items.length;
  const last = items.at(-1);
  return {
    items,
    revision,
    continueToken:
      remaining > 0 && last ? encodeToken({ revision, start: `${last.key.slice(prefix.length)}\u0000` }) : undefined,
    remainingItemCount: remaining > 0 && !selecting ? remaining : undefined,
  };
}

async function selected(store: Store, filter: ObjectFilter, all: StoredObject[]): Promise<StoredObject[]> {
  const found: StoredObject[] = [];
  for (const stored of all) {
    if (matches(filter, stored.object)) found.push(stored);
    if (store.turns.spent) await store.turns.enter();
  }
  return found;
}

/** The one object that a selector names, if it names one. */
function named(store: Store, resource: ServedResource, filter: ObjectFilter): StoredObject[] | undefined {
  const name = filter.fields.find((field) => field.path === 'metadata.name' && field.equal)?.value;
  if (name === undefined || (filter.namespace === undefined && resource.namespaced)) return undefined;
  const stored = store.getPublished(resource.storage, objectKey(resource, filter.namespace, name));
  return stored ? [stored] : [];
}

interface ListOptions {
  limit: number;
  token: ContinueToken | undefined;
  exactRevision: number | undefined;
}

function parseListOptions(store: Store, query: URLSearchParams): ListOptions {
  const version = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  const continued = query.get('continue') ?? '';
  const limit = Math.max(0, queryInteger(query.get('limit')) ?? 0);
  queryInteger(query.get('timeoutSeconds'));
  if (query.has('sendInitialEvents'))
    throw invalidOptions('ListOptions', forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
  checkMatch(version, match, continued);
  if (continued !== '') {
    if (version !== '' && version !== '0')
      throw badRequest('specifying resource version is not allowed when using continue');
    return { limit, token: decodeToken(continued), exactRevision: undefined };
  }
  const revision = parseRevision(version);
  if (revision > store.publishedRevision) throw futureRevision(revision, store.publishedRevision);
  // A list at version 0 may come from any cache, and upstream's cache does not page.
  const unlimited = version === '0' && match === '';
  return {
    limit: unlimited ? 0 : limit,
    token: undefined,
    exactRevision: match === 'Exact' ? revision : undefined,
  };
}

function checkMatch(version: string, match: string, continued: string): void {
  if (match === '') return;
  const refuse = (why: string): ApiError => invalidOptions('ListOptions', forbiddenField('resourceVersionMatch', why));
  if (continued !== '') throw refuse('resourceVersionMatch is forbidden when continue is provided');
  if (version === '') throw refuse('resourceVersionMatch is forbidden unless resourceVersion is provided');
  if (match !== 'Exact' && match !== 'NotOlderThan')
    throw invalidOptions('ListOptions', {
      field: 'resourceVersionMatch',
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: "${match}": supported values: "Exact", "NotOlderThan", ""`,
    });
  if (match === 'Exact' && version === '0')
    throw refuse('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
}

export function forbiddenField(field: string, why: string): FieldError {
  return { field, reason: 'FieldValueForbidden', message: `Forbidden: ${why}` };
}

/** `''` and `0` are 0. Throws 400 with the text Go's parser makes. */
export function parseRevision(text: string): number {
  if (text === '') return 0;
  if (!/^\d+$/.test(text))
    throw badRequest(
      `invalid resource version: resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`,
    );
  return Number(text);
}

/** The same of what must have been reached. Throws 504 when it is yet to come. */
export function reachedRevision(store: Store, text: string): number {
  const revision = parseRevision(text);
  if (revision > store.revision) throw futureRevision(revision, store.revision);
  return revision;
}

function futureRevision(wanted: number, current: number): ApiError {
  return new ApiError(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

function tooOld(wanted: number, oldest: number): ApiError {
  return expired(`too old resource version: ${wanted} (${oldest})`);
}

export interface ContinueToken {
  /** -1 continues at the newest version, from where an expired list ended. */
  revision: number;
  /** The next key, without the namespace when the list was of one. */
  start: string;
}

export function encodeToken({ revision, start }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start })).toString('base64url');
}

export function decodeToken(text: string): ContinueToken {
  const refuse = (why: string): ApiError => badRequest(`invalid continue token: continue key is not valid: ${why}`);
  if (!/^[A-Za-z0-9_-]*$/.test(text))
    throw refuse(`illegal base64 data at input byte ${text.search(/[^A-Za-z0-9_-]/)}`);
  const json = Buffer.from(text, 'base64url').toString('latin1');
  const problem = jsonSyntaxError(json);
  if (problem !== undefined) throw refuse(problem);
  const value: unknown = JSON.parse(Buffer.from(json, 'latin1').toString('utf8'));
  const revision = getNumber(value, 'rv');
  const start = getString(value, 'start');
  if (!isObject(value) || value['v'] !== 'meta.k8s.io/v1')
    throw refuse('server does not recognize this encoded version');
  if (revision === undefined || start === undefined || start === '' || revision === 0 || revision < -1)
    throw refuse('incorrect encoded start resourceVersion or start key');
  // The key must not lead out of the collection.
  if (`/${start}`.split('/').some((part) => part === '..' || part === '.')) throw refuse(start);
  return { revision, start };
}

function continueExpired(token: ContinueToken): ApiError {
  const error = expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  error.continueToken = encodeToken({ revision: -1, start: token.start });
  return error;
}
