import { isAppError } from '#base/errors.ts';
import { isObject, type JsonObject, parseJson } from '#base/json.ts';
import type { Redirect } from './route.ts';

/** What an `actions.NAME` annotation of AWS' load balancer controller asks for, before Services are looked up. */
export type AlbAction =
  | { kind: 'forward'; groups: { service: string; port: string | number; weight: number }[] }
  | { kind: 'redirect'; redirect: Redirect }
  | { kind: 'answer'; status: number; contentType: string; body: string };

export const albPrefix = 'alb.ingress.kubernetes.io/';
/** The port name by which a backend refers to the annotation of its Service's name. */
export const useAnnotation = 'use-annotation';

/** The annotation's action, or why it cannot be used. Member names count in any case, as Argo Rollouts writes them too. */
export function parseAlbAction(annotations: Record<string, string>, name: string): AlbAction | string {
  const key = `${albPrefix}actions.${name}`;
  const text = annotations[key];
  if (text === undefined) return `the annotation ${key} is missing`;
  try {
    const document = parseJson(text, key);
    const action = readAction(isObject(document) ? document : {});
    return typeof action === 'string' ? `${key}: ${action}` : action;
  } catch (error) {
    if (isAppError(error)) return error.message;
    throw error;
  }
}

function readAction(document: JsonObject): AlbAction | string {
  const type = String(member(document, 'type') ?? '');
  switch (type) {
    case 'forward': {
      const groups = listOf(member(objectOf(member(document, 'forwardConfig')), 'targetGroups'));
      if (groups.length === 0) return 'it names no target groups of Services';
      const read = groups.map((group) => ({
        service: String(member(group, 'serviceName') ?? ''),
        port: portOf(member(group, 'servicePort')),
        weight: Number(member(group, 'weight') ?? (groups.length === 1 ? 1 : 0)),
      }));
      const wrong = read.some(({ service, weight }) => service === '' || !Number.isInteger(weight) || weight < 0);
      return wrong ? 'each target group needs a serviceName and a whole weight' : { kind: 'forward', groups: read };
    }
    case 'redirect':
      return readRedirect(objectOf(member(document, 'redirectConfig')));
    case 'fixed-response': {
      const config = objectOf(member(document, 'fixedResponseConfig'));
      return {
        kind: 'answer',
        status: Number(member(config, 'statusCode') ?? 503),
        contentType: String(member(config, 'contentType') ?? 'text/plain'),
        body: String(member(config, 'messageBody') ?? ''),
      };
    }
    default:
      return `an action of type "${type}" is not supported`;
  }
}

function readRedirect(config: JsonObject): AlbAction | string {
  const kept = [
    ['path', '/#{path}'],
    ['query', '#{query}'],
  ] as const;
  for (const [name, same] of kept) {
    const value = member(config, name);
    if (value !== undefined && value !== same) return `a redirect to another ${name} is not supported`;
  }
  const given = (name: string): string | undefined => {
    const value = member(config, name);
    return value === undefined || value === `#{${name}}` ? undefined : String(value);
  };
  const scheme = given('protocol')?.toLowerCase();
  const host = given('host');
  const port = given('port');
  // 443 is where TLS is elsewhere; here it has a port of its own.
  const usual = port === undefined || port === '443' || port === '80';
  return {
    kind: 'redirect',
    redirect: {
      status: Number(/^HTTP_(30\d)$/.exec(String(member(config, 'statusCode') ?? ''))?.[1] ?? 302),
      ...(scheme === 'http' || scheme === 'https' ? { scheme } : {}),
      ...(host === undefined ? {} : { hostname: host }),
      ...(usual ? {} : { port: Number(port) }),
    },
  };
}

function member(object: JsonObject, name: string): unknown {
  const key = Object.keys(object).find((one) => one.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : object[key];
}

function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** A number also where it is written as text. */
function portOf(value: unknown): string | number {
  const text = String(value ?? '');
  return /^\d+$/.test(text) ? Number(text) : text;
}
