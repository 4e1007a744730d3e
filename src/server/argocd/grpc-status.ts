import { type ErrorCode, isAppError } from '#base/errors.ts';

/** A gRPC status as Argo CD's REST gateway shows it: number in the body, HTTP status of the answer. */
export interface GrpcStatus {
  code: number;
  http: number;
}

const alreadyExists: GrpcStatus = { code: 6, http: 409 };
const failedPrecondition: GrpcStatus = { code: 9, http: 400 };
const aborted: GrpcStatus = { code: 10, http: 409 };
const unknown: GrpcStatus = { code: 2, http: 500 };

const byCode = {
  'bad-input': { code: 3, http: 400 },
  'not-found': { code: 5, http: 404 },
  conflict: failedPrecondition,
  unauthorized: { code: 16, http: 401 },
  forbidden: { code: 7, http: 403 },
  unavailable: { code: 14, http: 503 },
  timeout: { code: 4, http: 504 },
  limit: { code: 8, http: 429 },
  unsupported: { code: 12, http: 501 },
  'missing-tool': unknown,
  'port-taken': unknown,
  'corrupt-data': unknown,
  'tool-failed': unknown,
  canceled: { code: 1, http: 408 },
} as const satisfies Record<ErrorCode, GrpcStatus>;

/** A conflict is one of three things: the name is taken, another writer was first, or the state forbids it. */
export function grpcStatusOf(error: unknown): GrpcStatus {
  if (!isAppError(error)) return { code: 13, http: 500 };
  if (error.code !== 'conflict') return byCode[error.code];
  if (/already exists/.test(error.message)) return alreadyExists;
  return /object has been modified/.test(error.message) ? aborted : failedPrecondition;
}
