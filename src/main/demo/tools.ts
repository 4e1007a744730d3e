/** How the story speaks to a world: kubectl, git, the slipway command and HTTP, as anybody would. */
import { Buffer } from 'node:buffer';
import { AppError } from '#base/errors.ts';
import { getArray, getString, isObject, type JsonObject, parseJson } from '#base/json.ts';
import type { Account } from '#main/world-info.ts';
import { waitFor } from './observer.ts';
import { runProgram } from './program.ts';
import type { StoryContext } from './story.ts';

export async function kubectl(context: StoryContext, args: string[], input?: string): Promise<string> {
  const { world, programs, workDir, signal } = context;
  const { stdout } = await runProgram(programs.kubectl, args, {
    env: { KUBECONFIG: world.kubernetes.kubeconfig, KUBECACHEDIR: `${workDir}/kube-cache` },
    signal,
    ...(input === undefined ? {} : { input }),
  });
  return stdout;
}

export async function kubectlJson(context: StoryContext, args: string[]): Promise<JsonObject> {
  const parsed = parseJson(await kubectl(context, [...args, '-o', 'json']), `kubectl ${args.join(' ')}`);
  if (!isObject(parsed)) throw new AppError('tool-failed', `kubectl ${args.join(' ')} gave no object`);
  return parsed;
}

/** git as a person with an account: identity and credentials come by environment, nothing is written to disk. */
export async function git(context: StoryContext, account: Account, cwd: string, args: string[]): Promise<string> {
  const basic = Buffer.from(`${account.login}:${account.token}`).toString('base64');
  const { stdout } = await runProgram(context.programs.git, args, {
    cwd,
    env: {
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: `http.${context.world.forge.url}/.extraHeader`,
      GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      GIT_AUTHOR_NAME: account.name,
      GIT_AUTHOR_EMAIL: account.email,
      GIT_COMMITTER_NAME: account.name,
      GIT_COMMITTER_EMAIL: account.email,
    },
    signal: context.signal,
  });
  return stdout.trim();
}

export async function slipway(
  context: StoryContext,
  args: string[],
  accept: number[] = [0],
): Promise<{ stdout: string; code: number }> {
  const { world, programs, signal } = context;
  const { stdout, code } = await runProgram(programs.node, [programs.slipway, ...args], {
    env: {
      SLIPWAY_SERVER: world.slipway.url,
      SLIPWAY_TOKEN: world.slipway.token,
      SLIPWAY_ACTOR: world.developer.login,
    },
    signal,
    accept,
  });
  return { stdout, code };
}

export async function forgeApi(
  context: StoryContext,
  account: Account,
  request: { method?: string; path: string; body?: unknown },
): Promise<unknown> {
  const url = `${context.world.forge.apiUrl}${request.path}`;
  const response = await fetch(url, {
    method: request.method ?? 'GET',
    headers: { authorization: `Bearer ${account.token}`, 'content-type': 'application/json' },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    signal: context.signal,
  });
  const text = await response.text();
  if (!response.ok)
    throw new AppError('unavailable', `${request.method ?? 'GET'} ${url}: HTTP ${response.status} ${text}`);
  return text === '' ? undefined : parseJson(text, url);
}

/** The run that a commit started in a repository; undefined until it is there. */
export async function findRun(
  context: StoryContext,
  repository: string,
  filter: { headSha?: string; event?: string },
): Promise<JsonObject | undefined> {
  const query = new URLSearchParams();
  if (filter.headSha) query.set('head_sha', filter.headSha);
  if (filter.event) query.set('event', filter.event);
  const answer = await forgeApi(context, context.world.developer, {
    path: `/repos/${repository}/actions/runs?${query}`,
  });
  return getArray(answer, 'workflow_runs').find(isObject);
}

/** Throws at once when the run ended otherwise than well, naming its first failed job. */
export async function failIfRunFailed(context: StoryContext, repository: string, run: JsonObject): Promise<void> {
  const conclusion = getString(run, 'conclusion');
  if (conclusion === undefined || conclusion === 'success' || conclusion === 'skipped') return;
  const jobs = await forgeApi(context, context.world.developer, {
    path: `/repos/${repository}/actions/runs/${run['id']}/jobs`,
  });
  const failed = getArray(jobs, 'jobs').find((job) => getString(job, 'conclusion') === 'failure');
  const step = getArray(failed, 'steps').find((candidate) => getString(candidate, 'conclusion') === 'failure');
  throw new AppError(
    'tool-failed',
    `run ${run['id']} of ${repository} ended with ${conclusion}, job ${getString(failed, 'name') ?? '?'}, step ${getString(step, 'name') ?? '?'}`,
  );
}

/** Where a Service answers on this machine. */
export async function serviceUrl(context: StoryContext, namespace: string, name: string): Promise<string> {
  const service = await kubectlJson(context, ['get', 'service', name, '-n', namespace]);
  const port = getArray(service, 'spec', 'ports').map((entry) => (isObject(entry) ? entry['nodePort'] : undefined))[0];
  if (typeof port !== 'number') throw new AppError('not-found', `Service ${namespace}/${name} has no node port`);
  return `http://127.0.0.1:${port}`;
}

/** The version a Service answers with; undefined when it does not answer. */
export async function servedVersion(url: string, signal: AbortSignal): Promise<string | undefined> {
  const response = await fetch(`${url}/version`, { headers: { connection: 'close' }, signal });
  return response.ok ? getString(await response.json(), 'version') : undefined;
}

/** Waits until every one of a few answers in a row is `version`: the rollout is through. */
export async function waitForVersion(
  context: StoryContext,
  options: { url: string; version: string; timeoutMs: number },
): Promise<void> {
  await waitFor({
    what: `${options.url} answering ${options.version}`,
    timeoutMs: options.timeoutMs,
    signal: context.signal,
    look: async () => {
      for (let n = 0; n < 4; n += 1) {
        const version = await servedVersion(options.url, context.signal);
        if (version !== options.version) throw new AppError('unavailable', `it answers ${version}`);
      }
      return true;
    },
  });
}

export async function application(context: StoryContext, name: string): Promise<JsonObject> {
  return kubectlJson(context, ['get', 'application', name, '-n', 'argocd']);
}

export async function waitForApplication(
  context: StoryContext,
  name: string,
  want: { sync: string; health?: string; revision?: string; timeoutMs: number },
): Promise<JsonObject> {
  return waitFor({
    what: `application ${name} being ${want.sync}${want.health ? ` and ${want.health}` : ''}`,
    timeoutMs: want.timeoutMs,
    signal: context.signal,
    everyMs: 50,
    look: async () => {
      const found = await application(context, name);
      const sync = getString(found, 'status', 'sync', 'status');
      const health = getString(found, 'status', 'health', 'status');
      const revision = getString(found, 'status', 'sync', 'revision');
      const conditions = getArray(found, 'status', 'conditions').map((entry) => getString(entry, 'message'));
      if (
        sync !== want.sync ||
        (want.health && health !== want.health) ||
        (want.revision && revision !== want.revision)
      ) {
        throw new AppError(
          'unavailable',
          `it is ${sync ?? 'unknown'} and ${health ?? 'unknown'} ${conditions.join('; ')}`,
        );
      }
      return found;
    },
  });
}
