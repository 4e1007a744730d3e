import { AppError, type ErrorCode } from '#base/errors.ts';
import { getNumber, getString, isObject } from '#base/json.ts';

/** The error code for an HTTP status of the Kubernetes API. */
export function codeOfStatus(status: number): ErrorCode {
  switch (status) {
    case 401:
      return 'unauthorized';
    case 403:
      return 'forbidden';
    case 404:
      return 'not-found';
    case 409:
    case 410:
      return 'conflict';
    case 413:
      return 'limit';
    case 504:
    case 429:
      return 'unavailable';
    default:
      return status >= 500 ? 'unavailable' : 'bad-input';
  }
}

const hints: Partial<Record<ErrorCode, string>> = {
  unauthorized: 'renew the credentials in the kubeconfig',
  forbidden: 'grant this verb on this resource to the user of the kubeconfig',
};

/**
 * A failed answer as an AppError. `what` is the attempt ("apply Deployment web/api"); the message of a Status object, or the start of any other body, is
 * kept behind it.
 */
export function statusError(what: string, status: number, body: string): AppError {
  const message = statusMessage(status, body);
  // The API server answers 500 without a reason when an applied object does not fit its schema.
  const misfit = status === 500 && message.startsWith('failed to create typed patch object');
  const code = misfit ? 'bad-input' : codeOfStatus(status);
  return new AppError(code, `${what}: ${message}`, { hint: hints[code] });
}

/** An ERROR event of a watch: a Status object. 410 is `conflict`: list again. */
export function watchError(what: string, status: unknown): AppError {
  const number = getNumber(status, 'code') ?? 500;
  return new AppError(
    codeOfStatus(number),
    `${what}: ${getString(status, 'message') ?? `the server ended it with ${number}`}`,
  );
}

function statusMessage(status: number, body: string): string {
  const text = body.trim();
  if (text === '') return `the server answered ${status}`;
  try {
    const parsed: unknown = JSON.parse(text);
    const message = isObject(parsed) ? getString(parsed, 'message') : undefined;
    if (message) return message;
  } catch {
    // Not a Status object, e.g. a proxy's page: its start is shown below.
  }
  return `the server answered ${status}: ${text.slice(0, 300)}`;
}
