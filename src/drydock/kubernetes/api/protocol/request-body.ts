import { isNode, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { cloneJson, getString, isObject, type JsonObject } from '#base/json.ts';
import { goJsonKind } from '../../types/go-format.ts';
import { ApiError, type ApiObject } from '../port.ts';
import { builtinResources } from '../resources.ts';
import { apiVersionOf, type ServedResource } from '../served.ts';
import { findDuplicateFields } from './duplicate-fields.ts';
import { jsonSyntaxError } from './json-syntax.ts';
import { mediaType } from './negotiation.ts';
import { decodeProtobuf, isProtobuf } from './protobuf.ts';
import { badRequest, invalid, invalidOptions } from './status-error.ts';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

export function parseFieldValidation(query: URLSearchParams, optionsKind: string): FieldValidation {
  const text = query.get('fieldValidation') ?? '';
  if (text === '' || text === 'Warn') return 'Warn';
  if (text === 'Strict' || text === 'Ignore') return text;
  throw invalidOptions(optionsKind, {
    field: 'fieldValidation',
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${JSON.stringify(text)}: supported values: "", "Ignore", "Strict", "Warn"`,
  });
}

export interface ParsedBody {
  value: JsonObject;
  /** What is wrong with the text but does not keep it from being read: members that appear twice, the last of which counts. */
  duplicates: string[];
  /** The body as it came, for errors that show it; undefined when it was no text. */
  text?: string;
}

const acceptedTypes = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';

/** A request body of any accepted media type as JSON. `kind` names what was expected in the error. */
export function parseBody(bytes: Buffer, contentType: string | undefined, kind: string): ParsedBody {
  const type = mediaType(contentType);
  if (type === 'application/vnd.kubernetes.protobuf' || isProtobuf(bytes))
    return { value: decodeProtobuf(bytes), duplicates: [] };
  const text = bytes.toString('utf8');
  if (type === 'application/yaml') return readYaml(text, kind);
  if (type !== '' && type !== 'application/json')
    throw new ApiError(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${acceptedTypes}`,
    );
  const value = parseJsonBody(text, kind);
  return { value, duplicates: findDuplicateFields(text).map((field) => `duplicate field "${field}"`), text };
}

const goStruct =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

function parseJsonBody(text: string, kind: string): JsonObject {
  const refuse = (why: string): ApiError =>
    badRequest(
      `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: ${why} (${excerpt(text)})`,
    );
  const problem = jsonSyntaxError(text);
  if (problem !== undefined) throw refuse(problem);
  const value: unknown = JSON.parse(text);
  // Go decodes null into any type, and leaves it empty.
  if (value === null) return {};
  if (!isObject(value)) throw refuse(`json: cannot unmarshal ${goJsonKind(value)} into Go value of type ${goStruct}`);
  return value;
}

/** How Go's decoder calls the kind of a JSON value. */
/** The beginning of a body: as it is when it looks like JSON, in hex otherwise. */
function excerpt(text: string): string {
  if (text === '') return '<empty>';
  const bytes = Buffer.from(text, 'utf8');
  const end = bytes.length > 30 ? ' ...' : '';
  const head = bytes.subarray(0, 30);
  return `${head.toString(text.startsWith('{') ? 'utf8' : 'hex')}${end}`;
}

/** YAML with the YAML 1.1 scalars that Kubernetes reads, but no dates and no base-60 numbers. */
export function parseYaml(text: string, kind: string): JsonObject {
  return readYaml(text, kind).value;
}

function readYaml(text: string, kind: string): ParsedBody {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.1',
    merge: true,
    schema: 'yaml-1.1',
    customTags: plainScalars,
    uniqueKeys: false,
    lineCounter: lines,
  });
  const problem = document.errors[0];
  if (problem) throw badRequest(`error converting YAML to JSON: yaml: ${problem.message.split('\n')[0]}`);
  const value: unknown = cloneJson(document.toJS());
  if (!isObject(value))
    throw badRequest(`the object provided is unrecognized (must be of type ${kind}): it is not a mapping`);
  const twice = repeatedKeys(document.contents, lines);
  const told = `yaml: unmarshal errors:\n${twice.map((line) => `  ${line}`).join('\n')}`;
  return { value, duplicates: twice.length === 0 ? [] : [told], text };
}

/** `line 7: key "a" already set in map`, for every key that stands twice in one map. */
function repeatedKeys(root: unknown, lines: LineCounter): string[] {
  const found: { line: number; name: string }[] = [];
  visit(isNode(root) ? root : null, {
    Map(_key, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const name = String(key.value);
        if (seen.has(name)) found.push({ line: lines.linePos(key.range?.[0] ?? 0).line, name });
        seen.add(name);
      }
    },
  });
  found.sort((a, b) => a.line - b.line);
  return found.map(({ line, name }) => `line ${line}: key ${JSON.stringify(name)} already set in map`);
}

type Tags = Extract<NonNullable<Parameters<typeof parseDocument>[1]>['customTags'], (...args: never[]) => unknown>;

const plainScalars: Tags = (tags) =>
  tags.filter((tag) => {
    if (typeof tag === 'string') return true;
    return tag.tag !== 'tag:yaml.org,2002:timestamp' && !('format' in tag && tag.format === 'TIME');
  });

export interface DecodedObject {
  object: ApiObject;
  /** In the order they are reported: duplicates, then unknown members. */
  problems: string[];
}

/**
 * A body, or what a patch made of an object, as this kind's canonical form. A built-in may leave out kind and
 * apiVersion. Throws 400; for a custom resource of another kind 422.
 */
export function decodeObject(resource: ServedResource, body: ParsedBody, patched = false): DecodedObject {
  const { value, duplicates } = body;
  const expected = apiVersionOf(resource);
  if (resource.custom) requireCustomKind(resource, body, patched);
  const kind = stringOr(value['kind'], resource.kind);
  const apiVersion = stringOr(value['apiVersion'], expected);
  if (kind !== resource.kind) throw otherKind(resource, { kind, apiVersion });
  if (apiVersion !== expected) throw otherVersion(apiVersion, expected);
  const { object, unknownFields } = resource.type.decode({ ...value, kind, apiVersion });
  return {
    object,
    problems: [...duplicates, ...unknownFields.map((field) => `unknown field "${field}"`)],
  };
}

function otherKind(resource: ServedResource, { kind, apiVersion }: { kind: string; apiVersion: string }): ApiError {
  const version = versionOf(apiVersion);
  const known = builtinResources.some((item) => item.kind === kind && apiVersionOf(item) === apiVersion);
  const why = known
    ? `converting (${version}.${kind}) to (${resource.group.split('.')[0] || 'core'}.${resource.kind}): unknown conversion`
    : `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/api/legacyscheme/scheme.go:30"`;
  return badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${resource.kind}: ${why}`);
}

function otherVersion(given: string, expected: string): ApiError {
  return badRequest(`the API version in the data (${given}) does not match the expected API version (${expected})`);
}

function requireCustomKind(resource: ServedResource, { value, text }: ParsedBody, patched: boolean): void {
  const expected = apiVersionOf(resource);
  const kind = stringOr(value['kind'], '');
  const apiVersion = stringOr(value['apiVersion'], '');
  const given = { group: apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '', kind };
  const refuse = (field: string, was: string, must: string): ApiError =>
    invalid(given, getString(value, 'metadata', 'name') ?? '', [
      { field, reason: 'FieldValueInvalid', message: `Invalid value: ${JSON.stringify(was)}: must be ${must}` },
    ]);
  if (kind === '') {
    const shown = text ?? JSON.stringify(value);
    throw badRequest(
      `the object provided is unrecognized (must be of type ${resource.kind}): Object 'Kind' is missing in '${shown}' (${excerpt(shown)})`,
    );
  }
  if (apiVersion !== expected)
    throw patched ? refuse('apiVersion', apiVersion, expected) : otherVersion(apiVersion, expected);
  if (kind !== resource.kind) throw refuse('kind', kind, resource.kind);
}

/** Refuses or warns about fields that do not count, as `fieldValidation` says. */
export function reportProblems(
  resource: Pick<ServedResource, 'kind' | 'version'>,
  problems: string[],
  { validation, warn }: { validation: FieldValidation; warn: (message: string) => void },
): void {
  if (problems.length === 0 || validation === 'Ignore') return;
  if (validation === 'Strict')
    throw badRequest(
      `${resource.kind} in version ${JSON.stringify(resource.version)} cannot be handled as a ${resource.kind}: strict decoding error: ${problems.join(', ')}`,
    );
  for (const problem of problems) warn(problem);
}

/** The same for the outcome of a patch, which upstream refuses as invalid rather than as a bad request. */
export function reportPatchProblems(
  patched: JsonObject,
  problems: string[],
  { validation, warn }: { validation: FieldValidation; warn: (message: string) => void },
): void {
  if (problems.length === 0 || validation === 'Ignore') return;
  if (validation === 'Strict') {
    const message = `Invalid value: ${JSON.stringify(JSON.stringify(patched))}: strict decoding error: ${problems.join(', ')}`;
    throw new ApiError(422, 'Invalid', ` "" is invalid: patch: ${message}`, {
      causes: [{ reason: 'FieldValueInvalid', message, field: 'patch' }],
    });
  }
  for (const problem of problems) warn(problem);
}

function stringOr(value: unknown, fallback: string): string {
  return typeof value === 'string' && value !== '' ? value : fallback;
}

function versionOf(apiVersion: string): string {
  return apiVersion.slice(apiVersion.indexOf('/') + 1);
}
