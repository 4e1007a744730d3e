import type { ErrorCode } from '#base/errors.ts';
import type { Evidence } from './evidence.ts';
import type { Reason, ReasonCode } from './reason.ts';
import { classifyRefusal } from './refusals.ts';

const usual: Partial<Record<ErrorCode, { code: ReasonCode; next: string }>> = {
  'tool-failed': {
    code: 'template',
    next: 'correct the file that is named; "slipway render" shows the same without a cluster',
  },
  'bad-input': { code: 'template', next: 'correct what the message names' },
  unauthorized: {
    code: 'credentials',
    next: 'declare credentials that may read it, in a Secret labelled argocd.argoproj.io/secret-type: repository',
  },
  forbidden: { code: 'credentials', next: 'give the credentials that are declared for it the right to read it' },
  unavailable: {
    code: 'unreachable',
    next: 'make the address answer from where Slipway runs; it is tried again by itself',
  },
  timeout: { code: 'unreachable', next: 'find out why it takes so long; it is tried again by itself' },
  'missing-tool': {
    code: 'missing-tool',
    next: 'install it where Slipway runs; "slipway doctor" tells what is missing',
  },
  limit: { code: 'limit', next: 'make it smaller than the limit that is named' },
  'not-found': { code: 'path', next: 'correct spec.source, or push what is missing' },
};

function sort(code: ErrorCode, message: string): { code: ReasonCode; next: string } {
  const known = usual[code] ?? { code: 'comparison' as const, next: 'correct what the message names' };
  if (/helm\.valueFiles/.test(message))
    return {
      code: 'values-path',
      next: 'correct the path: it is relative to the chart, "/" is the root of the repository',
    };
  if (/targetRevision|revision/i.test(message) && code === 'not-found' && !/path/.test(message))
    return {
      code: 'revision',
      next: 'correct targetRevision: a branch, tag, commit or version constraint that exists',
    };
  return code === 'forbidden' || code === 'bad-input' ? (classifyRefusal(message) ?? known) : known;
}

/** Why the last look at an application did not go through. */
export function troubleReasons({ trouble, application }: Evidence): Reason[] {
  const conditions = application.status?.conditions ?? [];
  if (trouble) {
    const since = conditions.find(({ type }) => type === 'ComparisonError')?.lastTransitionTime;
    const { code, next } = sort(trouble.code, trouble.message);
    return [{ code, problem: trouble.message, next: trouble.hint ?? next, ...(since ? { since } : {}) }];
  }
  // Another process found it, or the look came before this one began: only its words are left.
  return conditions
    .filter(({ type }) => type === 'ComparisonError')
    .map(({ message, lastTransitionTime: since }): Reason => {
      const { code, next } = classifyRefusal(message) ?? sort('bad-input', message);
      return { code, problem: message, next, ...(since ? { since } : {}) };
    });
}

const warnings = [
  'SharedResourceWarning',
  'RepeatedResourceWarning',
  'ExcludedResourceWarning',
  'OrphanedResourceWarning',
] as const;
const warningSteps: Record<(typeof warnings)[number], string> = {
  SharedResourceWarning: 'let only one application have the object: take it out of one of the two',
  RepeatedResourceWarning: 'keep one of the two manifests',
  ExcludedResourceWarning: 'take the object out of Git, or its kind out of resource.exclusions',
  OrphanedResourceWarning: 'delete what nobody needs, or list it under orphanedResources.ignore of the project',
};

/** What is wrong with the specification itself, and what the conditions warn of. */
export function specReasons({ application }: Evidence): Reason[] {
  const out: Reason[] = [];
  for (const { type, message, lastTransitionTime } of application.status?.conditions ?? []) {
    const since = lastTransitionTime ? { since: lastTransitionTime } : {};
    if (type === 'InvalidSpecError') {
      const project = /project/.test(message);
      const next = project
        ? 'let the AppProject permit it, or name another project, repository or destination'
        : 'correct the specification of the application';
      out.push({ code: project ? 'project' : 'invalid-spec', problem: message, next, ...since });
    }
    if (type === 'DeletionError')
      out.push({
        code: 'deleting',
        problem: message,
        next: 'take away what keeps the objects that are named',
        ...since,
      });
  }
  return out;
}

export function warningReasons({ application }: Evidence): Reason[] {
  return (application.status?.conditions ?? []).flatMap(({ type, message }): Reason[] => {
    const known = warnings.find((warning) => warning === type);
    return known ? [{ code: 'warning', problem: message, next: warningSteps[known] }] : [];
  });
}
