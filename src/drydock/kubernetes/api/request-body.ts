import { parseDocument } from 'yaml';
import { isObject, type JsonObject } from '#base/json.ts';
import { findDuplicateFields } from './duplicate-fields.ts';
import { cloneJson } from './metadata.ts';
import { mediaType } from './negotiation.ts';
import { ApiError, type ApiObject } from './port.ts';
import { decodeProtobuf, isProtobuf } from './protobuf.ts';
import { apiVersionOf, type ServedResource } from './served.ts';
import { badRequest, invalidOptions } from './status-error.ts';

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
  /** Members that appear twice in the text, of which the last counts. */
  duplicates: string[];
}

const acceptedTypes = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';

/** A request body of any accepted media type as JSON. `kind` names what was expected in the error. */
export function parseBody(bytes: Buffer, contentType: string | undefined, kind: string): ParsedBody {
  const type = mediaType(contentType);
  if (type === 'application/vnd.kubernetes.protobuf' || isProtobuf(bytes))
    return { value: decodeProtobuf(bytes), duplicates: [] };
  if (type === 'application/yaml') return { value: parseYaml(bytes.toString('utf8'), kind), duplicates: [] };
  if (type !== '' && type !== 'application/json')
    throw new ApiError(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${acceptedTypes}`,
    );
  const text = bytes.toString('utf8');
  const value = parseJsonBody(text, kind);
  return { value, duplicates: findDuplicateFields(text) };
}

function parseJsonBody(text: string, kind: string): JsonObject {
  const refuse = (why: string): ApiError =>
    badRequest(
      `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: ${why} (${excerpt(text)})`,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const cut = text.trim() === '' || /end of JSON input|Unterminated/.test(message) || truncated(message, text);
    throw refuse(cut ? 'unexpected end of JSON input' : message);
  }
  if (!isObject(value)) throw refuse(`json: cannot unmarshal ${goKind(value)} into Go value of type struct`);
  return value;
}

function truncated(message: string, text: string): boolean {
  const position = /position (\d+)/.exec(message)?.[1];
  return position !== undefined && Number(position) >= text.length;
}

function goKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value;
}

function excerpt(text: string): string {
  if (text === '') return '<empty>';
  return text.length <= 30 ? text : `${text.slice(0, 30)} ...`;
}

/** YAML with the YAML 1.1 scalars that Kubernetes reads, but no dates and no base-60 numbers. */
export function parseYaml(text: string, kind: string): JsonObject {
  const document = parseDocument(text, { version: '1.1', merge: true, schema: 'yaml-1.1', customTags: plainScalars });
  const problem = document.errors[0];
  if (problem) throw badRequest(`error converting YAML to JSON: yaml: ${problem.message.split('\n')[0]}`);
  const value: unknown = cloneJson(document.toJS());
  if (!isObject(value))
    throw badRequest(`the object provided is unrecognized (must be of type ${kind}): it is not a mapping`);
  return value;
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

/** A body as this kind's canonical object. A built-in may leave out kind and apiVersion. Throws 400. */
export function decodeObject(resource: ServedResource, body: ParsedBody): DecodedObject {
  const { value, duplicates } = body;
  const expected = apiVersionOf(resource);
  if (resource.custom && (typeof value['kind'] !== 'string' || value['kind'] === '')) {
    const text = JSON.stringify(value);
    throw badRequest(
      `the object provided is unrecognized (must be of type ${resource.kind}): Object 'Kind' is missing in '${text}' (${excerpt(text)})`,
    );
  }
  const kind = stringOr(value['kind'], resource.kind);
  const apiVersion = stringOr(value['apiVersion'], expected);
  if (kind !== resource.kind)
    throw badRequest(
      `${kind} in version ${JSON.stringify(versionOf(apiVersion))} cannot be handled as a ${resource.kind}: converting (${versionOf(apiVersion)}.${kind}) to (${resource.group.split('.')[0] || 'core'}.${resource.kind}): unknown conversion`,
    );
  if (apiVersion !== expected)
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    );
  const { object, unknownFields } = resource.type.decode({ ...value, kind, apiVersion });
  return {
    object,
    problems: [
      ...duplicates.map((field) => `duplicate field "${field}"`),
      ...unknownFields.map((field) => `unknown field "${field}"`),
    ],
  };
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
