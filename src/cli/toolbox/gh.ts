import { AppError } from '#base/errors.ts';
import { type GhApiRequest, parseGhApi } from './gh-arguments.ts';

export interface GhEnvironment {
  apiUrl: string | undefined;
  token: string | undefined;
}

/** `gh api` for workflow steps: one request to the job's own API; returns what the real one prints. */
export async function runGh(args: string[], environment: GhEnvironment, signal: AbortSignal): Promise<string> {
  return sendGhApi(parseGhApi(args), environment, signal);
}

/** Sends one request to the API that the environment names; throws AppError with the answer when it is refused. */
export async function sendGhApi(
  request: GhApiRequest,
  environment: GhEnvironment,
  signal: AbortSignal,
): Promise<string> {
  const { apiUrl, token } = environment;
  if (!apiUrl) throw new AppError('bad-input', 'gh: GITHUB_API_URL is not set', { hint: 'run it in a workflow step' });
  if (!token) throw new AppError('unauthorized', 'gh: GH_TOKEN is not set', { hint: 'give the step env: GH_TOKEN' });
  const url = `${apiUrl.replace(/\/$/, '')}/${request.path}`;
  let response: Response;
  try {
    response = await fetch(url, {
      method: request.method,
      headers: {
        accept: 'application/vnd.github+json',
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        ...request.headers,
      },
      ...(request.body ? { body: JSON.stringify(request.body) } : {}),
      signal,
    });
  } catch (cause) {
    throw new AppError('unavailable', `gh: ${request.method} ${url} could not be sent`, { cause });
  }
  const text = await response.text();
  if (response.ok) return text;
  const code = response.status === 404 ? 'not-found' : response.status < 500 ? 'bad-input' : 'unavailable';
  throw new AppError(code, `gh: ${request.method} ${url}: HTTP ${response.status} ${text.slice(0, 500)}`);
}
