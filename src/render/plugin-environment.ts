import { z } from 'zod';
import { AppError } from '#base/errors.ts';
import { buildEnvironment, expandVariables } from './build-environment.ts';
import type { RenderRequest } from './port.ts';

const schema = z.looseObject({
  name: z.string().nullish(),
  env: z.array(z.looseObject({ name: z.string(), value: z.string().default('') })).nullish(),
  parameters: z
    .array(
      z.looseObject({
        name: z.string().default(''),
        string: z.string().nullish(),
        map: z.record(z.string(), z.string()).nullish(),
        array: z.array(z.string()).nullish(),
      }),
    )
    .nullish(),
});

/** `spec.source.plugin`. */
export type PluginBlock = z.infer<typeof schema>;

export function parsePluginBlock(block: unknown): PluginBlock {
  const parsed = schema.safeParse(block ?? {});
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new AppError('bad-input', `spec.source.plugin is wrong: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  for (const { name } of parsed.data.env ?? [])
    if (name === '' || /[=\0]/.test(name))
      throw new AppError('bad-input', `spec.source.plugin.env holds "${name}", which is no name of a variable`);
  return parsed.data;
}

function escapedName(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9_]/g, '_');
}

type Parameter = NonNullable<PluginBlock['parameters']>[number];

/** The parameter in the one JSON text of all of them: members that are not set are left out. */
function parameterJson(parameter: Parameter): object {
  const { name, string, map, array } = parameter;
  return { ...(array ? { array } : {}), ...(map ? { map } : {}), name, ...(string == null ? {} : { string }) };
}

function parameterVariables(parameter: Parameter): [string, string][] {
  const base = `PARAM_${escapedName(parameter.name)}`;
  return [
    ...(parameter.string == null ? [] : [[base, parameter.string] as [string, string]]),
    ...Object.entries(parameter.map ?? {}).map(([key, value]): [string, string] => [
      `${base}_${escapedName(key)}`,
      value,
    ]),
    ...(parameter.array ?? []).map((value, index): [string, string] => [`${base}_${index}`, value]),
  ];
}

/** `v1.33.2+k3s1` as `1.33.2`. */
function plainVersion(version: string): string {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(version);
  return match ? `${match[1]}.${match[2]}.${match[3] ?? '0'}` : version;
}

/** What a plugin's commands find in their environment, beside PATH and HOME. */
export function pluginEnvironment(request: RenderRequest, block: PluginBlock | undefined): Record<string, string> {
  const own: Record<string, string> = {
    ...buildEnvironment(request),
    KUBE_VERSION: plainVersion(request.cluster.kubeVersion),
    KUBE_API_VERSIONS: request.cluster.apiVersions.join(','),
  };
  if (!block) return own;
  const named = (block.env ?? []).map(
    ({ name, value }) => [`ARGOCD_ENV_${name}`, expandVariables(value, own)] as const,
  );
  const parameters = block.parameters ?? undefined;
  return {
    ...own,
    ...Object.fromEntries(named),
    ARGOCD_APP_PARAMETERS: parameters ? JSON.stringify(parameters.map(parameterJson)) : 'null',
    ...Object.fromEntries((parameters ?? []).flatMap(parameterVariables)),
  };
}
