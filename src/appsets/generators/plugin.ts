import { AppError } from '#base/errors.ts';
import { isObject, parseJson } from '#base/json.ts';
import { registerSecret } from '#base/redact.ts';
import { requestText } from '../http.ts';
import { flattenParams, type Params } from '../params.ts';
import { addValues, type Placeholders } from '../placeholders.ts';
import type { GeneratorInput, GeneratorSources } from '../port.ts';

const defaultTimeoutSeconds = 30;

function refuse(message: string): AppError {
  return new AppError('bad-input', `plugin generator: ${message}`);
}

/** `$secret:key`, or `$key` of `argocd-secret`. */
async function tokenOf(reference: string, sources: GeneratorSources, signal: AbortSignal): Promise<string> {
  if (!reference.startsWith('$')) throw refuse(`token is empty, or does not reference a secret key starting with '$'`);
  const [first = '', second] = reference.slice(1).split(':');
  const [name, key] = second === undefined ? ['argocd-secret', first] : [first, second];
  const secret = await sources.secret({ name, namespace: sources.instanceNamespace }, signal);
  const token = secret?.data[key.trim()];
  if (token === undefined)
    throw refuse(`error fetching Secret token: Secret ${sources.instanceNamespace}/${name} has no key ${key}`);
  registerSecret(token);
  return token;
}

function parametersOf(body: unknown): Params[] {
  const output = isObject(body) ? body['output'] : undefined;
  const list = isObject(output) ? output['parameters'] : undefined;
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list) || !list.every(isObject))
    throw refuse('the answer has no output.parameters list of objects');
  return list;
}

/** Asks a service of the team's own for the parameters. */
export async function generatePlugin(
  { spec, set }: GeneratorInput,
  sources: GeneratorSources,
  fill: Placeholders,
  signal: AbortSignal,
): Promise<Params[]> {
  const reference = isObject(spec['configMapRef']) ? String(spec['configMapRef']['name'] ?? '') : '';
  const config = sources.configMap(reference);
  if (!config) throw refuse(`error fetching ConfigMap: ${sources.instanceNamespace}/${reference} does not exist`);
  const { baseUrl, token, requestTimeout } = config;
  if (!baseUrl) throw refuse('baseUrl not found in ConfigMap');
  if (!token) throw refuse('token not found in ConfigMap');
  if (requestTimeout !== undefined && !/^\d+$/.test(requestTimeout))
    throw refuse(`requestTimeout ${requestTimeout} is no number`);
  const input = isObject(spec['input']) ? spec['input'] : {};
  const parameters = isObject(input['parameters']) ? input['parameters'] : {};
  const url = `${baseUrl.replace(/\/+$/, '')}/api/v1/getparams.execute`;
  await using connection = sources.connect({ insecure: false, ca: undefined });
  const text = await requestText(
    connection.fetch,
    {
      url,
      method: 'POST',
      headers: { authorization: `Bearer ${await tokenOf(token, sources, signal)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ applicationSetName: set.name, input: { parameters } }),
      timeoutMs: (Number(requestTimeout ?? 0) || defaultTimeoutSeconds) * 1000,
    },
    signal,
  );
  const generator = { input: { parameters } };
  return parametersOf(parseJson(text, `the answer of ${url}`)).map((found) => {
    const own = fill.style.goTemplate ? found : flattenParams(found);
    return addValues({ ...own, generator }, spec['values'], fill);
  });
}
