import type { Target } from './route.ts';

/** Where and when traffic leaves the main backend, as the canary annotations of ingress-nginx say. */
export interface Canary {
  targets: Target[];
  weight: number;
  weightTotal: number;
  header?: { name: string; value?: string; pattern?: RegExp };
  cookie?: string;
}

export type CanaryChoice = 'canary' | 'stable' | 'weight';

const prefix = 'nginx.ingress.kubernetes.io/';

export const canaryAnnotations = [
  'canary',
  'canary-weight',
  'canary-weight-total',
  'canary-by-header',
  'canary-by-header-value',
  'canary-by-header-pattern',
  'canary-by-cookie',
].map((name) => prefix + name);

export function isCanary(annotations: Record<string, string>): boolean {
  return annotations[`${prefix}canary`] === 'true';
}

/** The canary rule of an Ingress, and what of it cannot be used. */
export function parseCanary(
  annotations: Record<string, string>,
  targets: Target[],
): { canary: Canary; problems: string[] } {
  const problems: string[] = [];
  const read = (name: string): string | undefined => annotations[prefix + name] || undefined;
  const number = (name: string, usual: number): number => {
    const text = read(name);
    if (text === undefined) return usual;
    if (/^\d{1,9}$/.test(text)) return Number(text);
    problems.push(`${prefix}${name}: "${text}" is not a whole number`);
    return usual;
  };
  const canary: Canary = {
    targets,
    weight: number('canary-weight', 0),
    // A total below 100 counts as 100.
    weightTotal: Math.max(100, number('canary-weight-total', 100)),
  };
  if (canary.weight > canary.weightTotal) canary.weight = canary.weightTotal;
  const name = read('canary-by-header');
  if (name !== undefined) {
    canary.header = { name };
    const value = read('canary-by-header-value');
    const text = read('canary-by-header-pattern');
    if (value !== undefined) canary.header.value = value;
    else if (text !== undefined) {
      const pattern = parsePattern(text);
      if (pattern) canary.header.pattern = pattern;
      else {
        problems.push(`${prefix}canary-by-header-pattern: "${text}" is not a pattern that can be used`);
        canary.header.pattern = matchesNothing;
      }
    }
  }
  const cookie = read('canary-by-cookie');
  if (cookie !== undefined) canary.cookie = cookie;
  return { canary, problems };
}

const matchesNothing = /(?!)/;

export function parsePattern(text: string, flags = ''): RegExp | undefined {
  try {
    return new RegExp(text, flags);
  } catch {
    return undefined;
  }
}

/** The header decides before the cookie, and both before the weight. */
export function decideCanary(
  canary: Canary,
  request: { header: (name: string) => string | undefined; cookie: (name: string) => string | undefined },
): CanaryChoice {
  const { header, cookie } = canary;
  const sent = header && request.header(header.name);
  if (header && sent !== undefined) {
    if (header.value !== undefined) {
      if (header.value === sent) return 'canary';
    } else if (header.pattern) {
      if (header.pattern.test(sent)) return 'canary';
    } else if (sent === 'always') return 'canary';
    else if (sent === 'never') return 'stable';
  }
  const kept = cookie === undefined ? undefined : request.cookie(cookie);
  if (kept === 'always') return 'canary';
  return kept === 'never' ? 'stable' : 'weight';
}

/** A cookie of the Cookie header. */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const equals = part.indexOf('=');
    if (equals > 0 && part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim();
  }
  return undefined;
}
