import type { Application } from '#model/argocd/application.ts';

/** Where an application stands in the matrix: which service it runs, in which environment. */
export interface Place {
  service: string;
  environment: string | undefined;
}

const ranks: [RegExp, number][] = [
  [/^(?:local|sandbox|dev|develop|development|integration|int)\d*$/, 10],
  [/^(?:test|testing|qa|ci|preview)\d*$/, 20],
  [/^(?:staging|stage|stg|uat|preprod|pre-prod|pre|acceptance)\d*$/, 30],
  [/^(?:prod|production|prd|live)\d*$/, 40],
];

/** Order of environments on the way to production; those of unknown name stand between test and staging. */
export function environmentRank(environment: string): number {
  return ranks.find(([pattern]) => pattern.test(environment.toLowerCase()))?.[1] ?? 25;
}

export function compareEnvironments(a: string, b: string): number {
  return environmentRank(a) - environmentRank(b) || (a < b ? -1 : a > b ? 1 : 0);
}

function isKnownEnvironment(text: string): boolean {
  return ranks.some(([pattern]) => pattern.test(text.toLowerCase()));
}

/**
 * Labels `slipway.io/service` and `slipway.io/environment` decide; else the environment is read from the last
 * `values-<env>.yaml`, an `overlays/<env>` or `envs/<env>` folder, or a known name at either end of the application's
 * name, and the service is the application's name without it.
 */
export function placeOf(application: Application): Place {
  const { name, labels = {} } = application.metadata;
  const environment = labels['slipway.io/environment'] ?? environmentOf(application);
  const service = labels['slipway.io/service'] ?? withoutEnvironment(name, environment);
  return { service, environment };
}

function environmentOf(application: Application): string | undefined {
  const sources = application.spec.sources ?? (application.spec.source ? [application.spec.source] : []);
  for (const source of sources) {
    for (const file of (source.helm?.valueFiles ?? []).toReversed()) {
      const found = environmentOfValuesFile(file);
      if (found !== undefined) return found;
    }
    const folder = /(?:^|\/)(?:overlays|envs?|environments)\/([^/]+)/.exec(source.path ?? '')?.[1];
    if (folder !== undefined) return folder;
  }
  const name = application.metadata.name;
  const ends = [name.slice(name.lastIndexOf('-') + 1), name.split('-', 1)[0] ?? ''];
  return name.includes('-') ? ends.find(isKnownEnvironment) : undefined;
}

function environmentOfValuesFile(file: string): string | undefined {
  const base = file.slice(file.lastIndexOf('/') + 1).replace(/\.ya?ml$/, '');
  const suffix = /^(?:values|env)[-_.](.+)$/.exec(base)?.[1];
  if (suffix !== undefined) return suffix;
  return isKnownEnvironment(base) ? base : undefined;
}

function withoutEnvironment(name: string, environment: string | undefined): string {
  if (environment === undefined || name === environment) return name;
  if (name.endsWith(`-${environment}`)) return name.slice(0, -environment.length - 1);
  if (name.startsWith(`${environment}-`)) return name.slice(environment.length + 1);
  return name;
}
