import type { HealthStatus } from '#model/argocd/application.ts';

export interface Health {
  status: HealthStatus;
  message?: string;
}

/** Best first; an application is as well as the worst of its resources. */
export const severity: readonly HealthStatus[] = [
  'Healthy',
  'Suspended',
  'Progressing',
  'Missing',
  'Degraded',
  'Unknown',
];

export function isWorse(a: HealthStatus, b: HealthStatus): boolean {
  return severity.indexOf(a) > severity.indexOf(b);
}

export function health(status: HealthStatus, message?: string): Health {
  return message === undefined || message === '' ? { status } : { status, message };
}
