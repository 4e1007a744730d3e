import { resolve } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { AppError } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { buildImage } from '#build/build-image.ts';
import type { ActionContext, BuiltinAction } from '#drydock/actions/action.ts';
import { createRegistryClient } from '#oci/registry-client.ts';
import { readDockerLogins } from './docker-login.ts';

export interface DockerBuildDeps {
  clock: Clock;
  logger: Logger;
  /** Where base images of a registry are looked for first. */
  mirrors: Record<string, string>;
}

/** Inputs that only steer a container engine's speed or output; without one they change nothing. */
const harmless = new Set([
  'cache-from',
  'cache-to',
  'provenance',
  'sbom',
  'builder',
  'no-cache',
  'pull',
  'load',
  'platforms',
]);
const known = new Set(['context', 'file', 'push', 'tags', 'labels', ...harmless]);

/** docker/build-push-action without a container engine: the same inputs, the same outputs. */
export function dockerBuildPush(deps: DockerBuildDeps): BuiltinAction {
  return async (context, signal) => {
    const { inputs } = context;
    const unknown = Object.keys(inputs).filter((name) => !known.has(name) && inputs[name] !== '');
    if (unknown.length > 0) {
      throw new AppError('unsupported', `${context.uses}: the input ${unknown.join(', ')} is not supported here`, {
        hint: `supported: ${[...known].join(', ')}; anything else needs docker or buildah`,
      });
    }
    const tags = list(inputs['tags']);
    const push = inputs['push'] === 'true';
    if (push && tags.length === 0) throw new AppError('bad-input', `${context.uses}: push without tags`);
    const logins = readDockerLogins(context);
    await using client = createRegistryClient({
      clock: deps.clock,
      logger: deps.logger,
      mirrors: deps.mirrors,
      credentials: async (registry) => logins.get(registry),
    });
    const built = await buildImage(
      {
        context: resolve(context.workspace, inputs['context'] || '.'),
        ...(inputs['file'] ? { dockerfile: inputs['file'] } : {}),
        tags,
        labels: { ...provenance(context, tags[0]), ...labels(inputs['labels']) },
        push,
        client,
        clock: deps.clock,
        logger: deps.logger,
        workDir: context.tempDir,
      },
      signal,
    );
    for (const tag of built.tags) context.log(`${push ? 'Pushed' : 'Built'} ${tag}@${built.digest}`);
    context.log(
      `base ${built.timings.baseMs} ms, layers ${built.timings.layersMs} ms, push ${built.timings.pushMs} ms`,
    );
    return {
      outputs: {
        digest: built.digest,
        imageid: built.digest,
        metadata: JSON.stringify({ 'containerimage.digest': built.digest }),
      },
    };
  };
}

/** The OCI annotations that lead from an image back to the commit and the run that made it. */
function provenance({ github }: ActionContext, tag: string | undefined): Record<string, string> {
  const text = (name: string) => String(github[name] ?? '');
  const source = `${text('server_url')}/${text('repository')}`;
  return {
    'org.opencontainers.image.source': source,
    'org.opencontainers.image.revision': text('sha'),
    'org.opencontainers.image.version': tag?.split(':').pop() ?? text('ref_name'),
    'io.slipway.workflow-run': `${source}/actions/runs/${text('run_id')}`,
  };
}

function list(text = ''): string[] {
  return text
    .split(/[\n,]/)
    .map((entry) => entry.trim())
    .filter(Boolean);
}

function labels(text = ''): Record<string, string> {
  const entries = text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  return Object.fromEntries(
    entries.map((line) => {
      const at = line.indexOf('=');
      if (at < 1) throw new AppError('bad-input', `a label is name=value, not ${line}`);
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}
