import { isAppError, messageOf } from '#base/errors.ts';
import type { JsonObject } from '#base/json.ts';
import { ApiError, type FieldError } from '../port.ts';
import { groupKind, type ServedResource } from '../served.ts';

type Named = Pick<ServedResource, 'group' | 'plural' | 'groupResource'>;

function details(resource: Named, name: string): JsonObject {
  return {
    ...(name === '' ? {} : { name }),
    ...(resource.group === '' ? {} : { group: resource.group }),
    kind: resource.plural,
  };
}

export function notFound(resource: Named, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${resource.groupResource} "${name}" not found`, details(resource, name));
}

export function alreadyExists(resource: Named, name: string): ApiError {
  return new ApiError(
    409,
    'AlreadyExists',
    `${resource.groupResource} "${name}" already exists`,
    details(resource, name),
  );
}

export function conflict(resource: Named, name: string, why?: string): ApiError {
  const reason = why ?? 'the object has been modified; please apply your changes to the latest version and try again';
  return new ApiError(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${resource.groupResource} "${name}": ${reason}`,
    details(resource, name),
  );
}

export function preconditionFailed(resource: ServedResource, name: string, why: string): ApiError {
  const group = resource.group === '' ? {} : { group: resource.group };
  return new ApiError(409, 'Conflict', `Operation cannot be fulfilled on ${groupKind(resource)} "${name}": ${why}`, {
    name,
    ...group,
    kind: resource.kind,
  });
}

export function forbidden(resource: Named, name: string, why: string, causes?: JsonObject[]): ApiError {
  const about = name === '' ? resource.groupResource : `${resource.groupResource} "${name}"`;
  return new ApiError(403, 'Forbidden', `${about} is forbidden: ${why}`, {
    ...details(resource, name),
    ...(causes ? { causes } : {}),
  });
}

export function badRequest(message: string): ApiError {
  return new ApiError(400, 'BadRequest', message);
}

function internalError(message: string): ApiError {
  return new ApiError(500, 'InternalError', `Internal error occurred: ${message}`, {
    causes: [{ message }],
  });
}

/** 422 with one cause per field. `group` and `kind` name the type, e.g. ListOptions of meta.k8s.io. */
export function invalid(type: { group: string; kind: string }, name: string, errors: FieldError[]): ApiError {
  const texts = errors.map((error) => `${error.field}: ${error.message}`);
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  return new ApiError(422, 'Invalid', `${groupKind(type)} "${name}" is invalid: ${list}`, {
    ...(name === '' ? {} : { name }),
    ...(type.group === '' ? {} : { group: type.group }),
    kind: type.kind,
    causes: errors.map(({ reason, message, field }) => ({ reason, message, field })),
  });
}

export function invalidOptions(kind: string, error: FieldError): ApiError {
  return invalid({ group: 'meta.k8s.io', kind }, '', [error]);
}

export function methodNotAllowed(): ApiError {
  return new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
}

/** The same for a custom resource, which upstream words otherwise. */
export function verbNotSupported(resource: Named, verb: string): ApiError {
  const message = `${verb} is not supported on resources of kind ${JSON.stringify(resource.groupResource)}`;
  return new ApiError(405, 'MethodNotAllowed', message, details(resource, ''));
}

export function noSuchResource(): ApiError {
  return new ApiError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function expired(message: string): ApiError {
  return new ApiError(410, 'Expired', message);
}

/** The wire form of a refusal. Anything that is not an ApiError becomes a 500 that says what failed. */
export function statusOf(error: unknown): JsonObject {
  const known = asApiError(error);
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: known.continueToken === undefined ? {} : { continue: known.continueToken },
    status: 'Failure',
    message: known.message,
    ...(known.reason === '' ? {} : { reason: known.reason }),
    ...(known.details ? { details: known.details } : {}),
    code: known.code,
  };
}

export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (isAppError(error, 'unavailable')) return new ApiError(503, 'ServiceUnavailable', error.message);
  return internalError(messageOf(error));
}

export function successStatus(details: JsonObject): JsonObject {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}
