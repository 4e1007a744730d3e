import { timestamp } from '#base/clock.ts';
import { cloneJson, isObject, type JsonObject } from '#base/json.ts';
import { goJsonKind, goQuote, isPrintable } from '../../types/go-format.ts';
import { ApiError, type ApiObject } from '../port.ts';
import { jsonSyntaxError } from '../protocol/json-syntax.ts';
import { mediaType } from '../protocol/negotiation.ts';
import { isTrue } from '../protocol/query-flag.ts';
import {
  type DecodedObject,
  decodeObject,
  type FieldValidation,
  parseYaml,
  reportPatchProblems,
} from '../protocol/request-body.ts';
import { badRequest, invalidOptions } from '../protocol/status-error.ts';
import type { Subresource } from '../resources.ts';
import { apiVersionOf, type ServedResource } from '../served.ts';
import { asVersion } from '../write/metadata.ts';
import type { WriteDeps } from '../write/write.ts';

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

const patchTypes: Record<string, PatchType> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** What kind of patch a body is. Throws 415. */
export function parsePatchType(resource: ServedResource, contentType: string | undefined): PatchType {
  const type = patchTypes[mediaType(contentType)];
  const offered = type !== undefined && (type !== 'strategic' || resource.type.strategicMerge !== undefined);
  if (!offered && resource.custom)
    throw new ApiError(
      415,
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    );
  if (type === undefined) throw new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  return type;
}

export interface PatchInput {
  resource: ServedResource;
  type: PatchType;
  body: Buffer;
  manager: string;
  force: boolean;
  subresource: Subresource | undefined;
  validation: FieldValidation;
  warn: (message: string) => void;
}

/** Applies the patch to the live object (undefined: a server-side apply that creates). */
export function patchedObject(
  deps: WriteDeps,
  input: PatchInput,
  live: ApiObject | undefined,
): { object: ApiObject; managed: boolean } {
  if (input.type === 'apply') return { object: appliedObject(deps, input, live), managed: true };
  if (!live) throw badRequest('only a server-side apply can create');
  const patch = parsePatch(input);
  const patched = changedJson(deps, { input, live, patch });
  const { object, problems } = decodePatched(input, patched);
  // Fields that the kind does not know can only come from this patch: what is stored holds none.
  reportPatchProblems(patched, problems, input);
  return { object: asVersion(object, apiVersionOf(input.resource)), managed: false };
}

/** A built-in that a patch made unreadable is invalid, not a bad request. */
function decodePatched({ resource }: PatchInput, patched: JsonObject): DecodedObject {
  try {
    return decodeObject(resource, { value: patched, duplicates: [] }, true);
  } catch (error) {
    if (resource.custom || !(error instanceof ApiError) || error.code !== 400) throw error;
    const why = error.message.replace(/^\w+ in version "\w+" cannot be handled as a \w+: /, '');
    const message = `Invalid value: ${JSON.stringify(JSON.stringify(patched))}: ${why}`;
    throw new ApiError(422, 'Invalid', ` "" is invalid: patch: ${message}`, {
      causes: [{ reason: 'FieldValueInvalid', message, field: 'patch' }],
    });
  }
}

function changedJson(
  deps: WriteDeps,
  { input, live, patch }: { input: PatchInput; live: ApiObject; patch: unknown },
): JsonObject {
  const target: JsonObject = cloneJson({ ...live });
  switch (input.type) {
    case 'json':
      return deps.types.jsonPatch(target, patch);
    case 'merge':
      return deps.types.mergePatch(target, patch);
    default: {
      const { strategicMerge } = input.resource.type;
      if (!strategicMerge) throw badRequest('this kind has no strategic merge');
      if (patch !== null && !isObject(patch))
        throw badRequest(`json: cannot unmarshal ${goJsonKind(patch)} into Go value of type map[string]interface {}`);
      return strategicMerge(cloneJson(live), patch ?? {});
    }
  }
}

function appliedObject(deps: WriteDeps, input: PatchInput, live: ApiObject | undefined): ApiObject {
  const { resource, subresource } = input;
  const applied = parseApplied(input.body, resource.kind);
  const expected = apiVersionOf(resource);
  const { apiVersion = '', kind = '' } = applied;
  // Upstream compares both for custom resources alone; a built-in's kind is that of the path.
  if (resource.custom && (apiVersion !== expected || kind !== resource.kind))
    throw badRequest(`invalid object type: ${apiVersion === '' ? '/' : String(apiVersion)}, Kind=${String(kind)}`);
  if (apiVersion !== expected)
    throw badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${String(apiVersion)}, expected: ${expected}`,
    );
  const object = deps.types.fields.apply({
    type: resource.type,
    live,
    applied,
    manager: input.manager,
    force: input.force,
    subresource,
    now: timestamp(deps.clock.now()),
  });
  return asVersion(object, expected);
}

function parseApplied(body: Buffer, kind: string): JsonObject {
  const text = body.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return parseAppliedYaml(text, kind);
  }
  if (!isObject(value)) throw badRequest(`error decoding YAML: it is not a mapping`);
  return value;
}

function parseAppliedYaml(text: string, kind: string): JsonObject {
  try {
    return parseYaml(text, kind);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw badRequest(`error decoding YAML: ${error.message}`);
  }
}

/** Only a strategic merge patch tells what is wrong with its text without saying what was tried. */
function parsePatch({ body, type }: PatchInput): unknown {
  const text = body.toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest(`${type === 'strategic' ? '' : 'error decoding patch: '}${jsonSyntaxError(text)}`);
  }
}

/** Whether ownership is taken from others. Throws 422 for a patch that is no apply. */
export function parseForce(query: URLSearchParams, type: PatchType): boolean {
  const force = query.get('force');
  if (force !== null && type !== 'apply')
    throw invalidOptions('PatchOptions', {
      field: 'force',
      reason: 'FieldValueForbidden',
      message: 'Forbidden: may not be specified for non-apply patch',
    });
  return isTrue(force);
}

/** The name of who applies is required: ownership is kept under it. */
export function requireFieldManager(query: URLSearchParams): string {
  const manager = query.get('fieldManager') ?? '';
  if (manager !== '') return checkedManager(manager, 'PatchOptions');
  throw invalidOptions('PatchOptions', {
    field: 'fieldManager',
    reason: 'FieldValueRequired',
    message: 'Required value: is required for apply patch',
  });
}

/** `fieldManager`, or what stands before the slash in the user agent. */
export function fieldManager(query: URLSearchParams, userAgent: string | undefined, optionsKind: string): string {
  const named = query.get('fieldManager') ?? '';
  if (named !== '') return checkedManager(named, optionsKind);
  return (userAgent ?? '').split('/')[0]?.slice(0, 128) || 'unknown';
}

function checkedManager(manager: string, optionsKind: string): string {
  if (Buffer.byteLength(manager) > 128)
    throw invalidOptions(optionsKind, {
      field: 'fieldManager',
      reason: 'FieldValueTooLong',
      message: 'Too long: may not be more than 128 bytes',
    });
  const at = [...manager].findIndex((character) => !isPrintable(character));
  if (at < 0) return manager;
  const code = ([...manager][at]?.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  throw invalidOptions(optionsKind, {
    field: 'fieldManager',
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${goQuote(manager)}: invalid character U+${code} (at position ${at})`,
  });
}
