import { albPrefix } from './alb-action.ts';
import { canaryAnnotations } from './canary.ts';
import { type ForwardOptions, type Redirect, usualForward } from './route.ts';

const prefix = 'nginx.ingress.kubernetes.io/';

/** What the annotations of an Ingress come to, and what of them cannot be used. */
export interface IngressSettings {
  forward: ForwardOptions;
  /** Paths are case-insensitive patterns. */
  regex: boolean;
  rewriteTarget: string | undefined;
  redirect: Redirect | undefined;
  appRoot: string | undefined;
  /** From plain HTTP to HTTPS: where there is a certificate, everywhere, or nowhere. */
  ssl: 'with-certificate' | 'always' | 'never';
  aliases: string[];
  problems: string[];
}

const understood = new Set([
  ...canaryAnnotations,
  ...[
    'app-root',
    'backend-protocol',
    'force-ssl-redirect',
    'permanent-redirect',
    'permanent-redirect-code',
    'proxy-body-size',
    'proxy-connect-timeout',
    'proxy-read-timeout',
    'proxy-send-timeout',
    'rewrite-target',
    'server-alias',
    'ssl-redirect',
    'temporal-redirect',
    'upstream-vhost',
    'use-regex',
  ].map((name) => prefix + name),
]);

function hasNoEffect(name: string): boolean {
  if (name.startsWith(albPrefix)) return !name.startsWith(`${albPrefix}actions.`);
  return name.startsWith(prefix) && !understood.has(name);
}

/** ingress-nginx's usual limit of a request body. */
const usualBodyBytes = 1024 ** 2;

/** Reads the annotations of ingress-nginx; those that are not understood are told as problems. */
export function parseIngressAnnotations(annotations: Record<string, string>): IngressSettings {
  const problems: string[] = [];
  const read = (name: string): string | undefined => annotations[prefix + name] || undefined;
  const wrong = (name: string, why: string): void => {
    problems.push(`${prefix}${name}: "${annotations[prefix + name]}" ${why}`);
  };
  const number = (name: string, usual: number): number => {
    const text = read(name);
    if (text === undefined) return usual;
    if (/^\d{1,6}$/.test(text)) return Number(text);
    wrong(name, 'is not a whole number');
    return usual;
  };
  const others = Object.keys(annotations).filter(hasNoEffect);
  if (others.length > 0) problems.push(`these annotations have no effect here: ${others.sort().join(', ')}`);
  const forward: ForwardOptions = {
    ...usualForward,
    connectMs: number('proxy-connect-timeout', 5) * 1000,
    readMs: number('proxy-read-timeout', 60) * 1000,
    maxBodyBytes: usualBodyBytes,
  };
  const size = read('proxy-body-size');
  const bytes = size === undefined ? usualBodyBytes : parseSize(size);
  if (bytes === undefined) wrong('proxy-body-size', 'is not a size as 8m');
  else forward.maxBodyBytes = bytes;
  const protocol = read('backend-protocol') ?? 'HTTP';
  if (protocol === 'HTTPS') forward.tls = true;
  else if (protocol !== 'HTTP' && protocol !== 'AUTO_HTTP') wrong('backend-protocol', 'is not supported: HTTP is used');
  const host = read('upstream-vhost');
  if (host !== undefined) forward.host = host;
  return {
    forward,
    regex: read('use-regex') === 'true' || read('rewrite-target') !== undefined,
    rewriteTarget: read('rewrite-target'),
    redirect: redirectOf(read, number),
    appRoot: read('app-root'),
    ssl:
      read('force-ssl-redirect') === 'true'
        ? 'always'
        : read('ssl-redirect') === 'false'
          ? 'never'
          : 'with-certificate',
    aliases: (read('server-alias') ?? '')
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter(Boolean),
    problems,
  };
}

function redirectOf(
  read: (name: string) => string | undefined,
  number: (name: string, usual: number) => number,
): Redirect | undefined {
  const temporal = read('temporal-redirect');
  if (temporal !== undefined) return { status: 302, url: temporal };
  const permanent = read('permanent-redirect');
  if (permanent === undefined) return undefined;
  const status = number('permanent-redirect-code', 301);
  return { status: status >= 300 && status <= 308 ? status : 301, url: permanent };
}

/** nginx's sizes: bytes, or with k, m or g; 0 is unlimited. */
function parseSize(text: string): number | undefined {
  const match = /^(\d{1,12})([kKmMgG]?)$/.exec(text.trim());
  if (!match) return undefined;
  const power = ['', 'k', 'm', 'g'].indexOf((match[2] ?? '').toLowerCase());
  return Number(match[1]) * 1024 ** power;
}
